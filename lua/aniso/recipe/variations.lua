-- Variations: lists of {label =, ["a.b"] = value}, made by grid, variants and power, and their products.
-- A variation of an ablation also has `without`, the parts that it leaves out (ablation.lua).
local literal = require "aniso.recipe.literal"
local own_part = require "aniso.recipe.own_part"
local paths = require "aniso.recipe.paths"

local variations = {}

-- "schedule.lambda" = {"power", gamma = 0.5}  →  "lambda=power(gamma=0.5)"
local function short(path, value)
  local text
  if own_part.is(value) then value = own_part.labelled(value, path) end
  if type(value) == "table" then
    local parts = {}
    for _, leaf in ipairs(paths.flatten(value)) do
      parts[#parts + 1] = type(leaf.key) == "string" and not leaf.key:match "^%d+$"
        and leaf.key .. "=" .. tostring(leaf.value) or tostring(leaf.value)
    end
    local kind = type(value[1]) == "string" and table.remove(parts, 1) or ""
    text = kind .. (#parts > 0 and "(" .. table.concat(parts, ",") .. ")" or "")
  else
    text = type(value) == "number" and literal.number(value) or tostring(value)
  end
  return path:match "[^.]+$" .. "=" .. text
end

-- Whether a value is a table whose keys are 1 … n, n at least `least`.
local function is_list(value, least)
  if type(value) ~= "table" or #value < least then return false end
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > #value then return false end
  end
  return true
end

local function check_label(variation, what)
  local label = variation.label
  if label ~= nil and type(label) ~= "string" and type(label) ~= "number" then
    error(("%s: a label must be a text, got %s"):format(what, literal.describe(label)), 0)
  end
end

-- Raises unless `value` is a list of variations; any other table would give a study no runs.
function variations.check(value, what)
  local right = is_list(value, 1)
  for _, one in ipairs(right and value or {}) do
    if type(one) == "table" then check_label(one, what) end
  end
  for _, one in ipairs(right and value or {}) do
    right = right and type(one) == "table" and one[1] == nil
  end
  if not right then
    error(([[%s must be a list such as { { label = "a", ["loss.mmd"] = 0 }, … } or aniso.grid{…}, got %s]])
      :format(what, literal.describe(value)), 0)
  end
end

-- The axes in a study's field vary, which may be nil.
function variations.axes(vary)
  if vary ~= nil and not is_list(vary, 0) then
    error(("vary must be a list of axes such as { aniso.grid{…} }, got %s"):format(literal.describe(vary)), 0)
  end
  return vary or {}
end

-- Fields of a variation that name no option.
local FIELDS = { label = true, without = true }

-- The options that a variation sets, by dotted name, sorted.
function variations.keys(variation)
  local keys = {}
  for key in pairs(variation) do
    if not FIELDS[key] then keys[#keys + 1] = key end
  end
  table.sort(keys)
  return keys
end

-- The given label, or one made from the options: the method as its bare word, then the others.
function variations.label(variation)
  if variation.label then return tostring(variation.label) end
  local parts = { variation.method }
  for _, path in ipairs(variations.keys(variation)) do
    if path ~= "method" then parts[#parts + 1] = short(path, variation[path]) end
  end
  return table.concat(parts, " ")
end

local function merged(a, b)
  local out = {}
  for _, side in ipairs { a, b } do
    for key, value in pairs(side) do out[key] = value end
  end
  if a.without and b.without then
    out.without = table.move(b.without, 1, #b.without, #a.without + 1, { table.unpack(a.without) })
  end
  local left, right = a.label or "", variations.label(b)
  out.label = left ~= "" and right ~= "" and left .. " " .. right or left .. right
  return out
end

-- Every pair of a variation from `left` and one from `right`.
function variations.product(left, right)
  local out = {}
  for _, a in ipairs(left) do
    for _, b in ipairs(right) do out[#out + 1] = merged(a, b) end
  end
  return out
end

-- aniso.grid{ ["schedule.lambda"] = {…}, ["loss.mmd"] = {0, 0.5} }: every combination.
function variations.grid(axes)
  local out = { {} }
  for _, path in ipairs(variations.keys(axes)) do
    local values = {}
    for i, value in ipairs(axes[path]) do values[i] = { [path] = value } end
    if #values == 0 then error(("grid: %s needs a list of values"):format(path), 0) end
    out = variations.product(out, values)
  end
  return out
end

-- aniso.variants{ {label = "ddpm", ["schedule.lambda"] = "isotropic"}, … }
function variations.variants(list)
  return list
end

-- aniso.power{-0.25, 0, 0.5}: λ policies for a grid.
function variations.power(gammas)
  if type(gammas) ~= "table" then
    error(("aniso.power takes a list of exponents, such as { 0, 0.5 }, got %s"):format(tostring(gammas)), 0)
  end
  local out = {}
  for i, gamma in ipairs(gammas) do out[i] = { "power", gamma = gamma } end
  return out
end

-- Whether setting one of two dotted names changes the other.
function variations.overlaps(a, b)
  return a == b or a:sub(1, #b + 1) == b .. "." or b:sub(1, #a + 1) == a .. "."
end

-- Sets one axis in a list of axes: it replaces those that vary the same option, or is added at the end.
function variations.set_axis(axes, path, values)
  local kept, place = {}, nil
  for _, axis in ipairs(axes) do
    local same = false
    for _, variation in ipairs(axis) do
      for _, key in ipairs(variations.keys(variation)) do same = same or variations.overlaps(key, path) end
    end
    if same then place = place or #kept + 1 else kept[#kept + 1] = axis end
  end
  table.insert(kept, place or #kept + 1, variations.grid { [path] = values })
  return kept
end

return variations
