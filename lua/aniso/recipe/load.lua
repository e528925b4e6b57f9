-- Reads a recipe: a Lua file that returns aniso.study{…}, or a function that returns one
-- or does its own work. Gives the study, and path and text for the run's record.
local own_part = require "aniso.recipe.own_part"
local part_modules = require "aniso.recipe.part_modules"
local study = require "aniso.recipe.study"

local recipe = {}

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then error(why, 0) end
  local text = file:read "a"
  file:close()
  if not text then error(path .. ": cannot be read (is it a folder?)", 0) end
  return text
end

-- → study or nil when the recipe was a function that returned none, {path =, text =}.
function recipe.load(path)
  local text = read(path)
  part_modules.set_recipe(path)
  local chunk, why = load(text, "@" .. path)
  if not chunk then error(why, 0) end
  local found = chunk(path)
  if type(found) == "function" then
    found = found()
    if found == nil then return nil end
  end
  if type(found) ~= "table" or not found.is_study then
    error(path .. ": a recipe returns aniso.study{…} or a function", 0)
  end
  return found, { path = path, text = text }
end

-- Loads a recipe for its own parts only: a stored run finds them by their sha256.
function recipe.load_parts(path)
  local found = recipe.load(path)
  if not found then error(path .. ": the recipe returns no study, so it has no own parts", 0) end
  for _, job in ipairs(study.expand(found)) do own_part.register_all(job.config, "") end
end

return recipe
