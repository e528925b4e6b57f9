-- The values of an option that takes a fixed list:
--   choices.of(defaults, "train.mode") → {"joint", "staged"}
--   choices.of(defaults, "schedule.lambda") → the names of its kinds; a recipe's own part is not listed
--   choices.of(defaults, "train.lr") → nil; the same for an option that does not exist
-- defaults: an option table for options.check().
local options = require "aniso.recipe.options"

local choices = {}

local function add(set, values)
  for _, value in ipairs(values) do set[tostring(value)] = true end
end

local function names_of(kinds)
  local names = {}
  for name in pairs(kinds) do names[#names + 1] = name end
  return names
end

-- Adds the values of the option at `path`, below `default`, to the set. Several kinds of a part may have
-- an option of the same name with different values: all of them are added.
local function collect(set, default, path)
  local about = options.about(default)
  local first, rest = path:match "^([^.]+)%.?(.*)$"
  if not first then
    add(set, about.choices or about.kinds and names_of(about.kinds) or {})
    if about.type == "boolean" then add(set, { true, false }) end
    return
  end
  for _, fields in pairs(about.kinds or { about.fields }) do
    if fields[first] ~= nil then collect(set, fields[first], rest) end
  end
end

function choices.of(defaults, path)
  local set = {}
  collect(set, defaults, path)
  if not next(set) then return nil end
  local list = names_of(set)
  table.sort(list)
  return list
end

return choices
