-- Searches for modules that contain own parts: in the folder of the recipe that the user names, in
-- the folders of the environment variable ANISO_PARTS (separated by colons), and in
-- $XDG_DATA_HOME/aniso, by default ~/.local/share/aniso. Never in the current folder, and never at a
-- path from a database.
local core = require "aniso.core"

local part_modules = { recipe_folder = nil }

-- Called with the path of each loaded recipe.
function part_modules.set_recipe(path)
  part_modules.recipe_folder = path:match "^(.*)/[^/]*$" or "."
end

local function folders()
  local out = { part_modules.recipe_folder }
  for folder in (core.sys.variable "ANISO_PARTS" or ""):gmatch "[^:]+" do out[#out + 1] = folder end
  local home, data = core.sys.variable "HOME", core.sys.variable "XDG_DATA_HOME"
  data = data or home and home .. "/.local/share"
  if data then out[#out + 1] = data .. "/aniso" end
  return out
end

-- Folders for a message: absolute paths, so that a relative one can be found; a folder that does not exist
-- is shown as it was given.
local function in_words(list)
  local out = {}
  for i, folder in ipairs(list) do out[i] = core.sys.realpath(folder) or folder end
  return table.concat(out, ", ")
end

-- Whether `name` is a module's name: letters, digits and _ in parts separated by dots.
function part_modules.is_name(name)
  return type(name) == "string" and name:match "^[%w_][%w_.]*$" ~= nil and not name:find("..", 1, true)
    and name:sub(-1) ~= "."
end

-- find(name [, sha256]) → path, sha256 of the first file of that name, and of that content if a sha256 is
-- given; else nil, the folders as text, and the path of a file with other content or nil.
function part_modules.find(name, sha256)
  local searched, other = folders(), nil
  for _, folder in ipairs(searched) do
    local path = ("%s/%s.lua"):format(folder, (name:gsub("%.", "/")))
    local found = core.sys.exists(path) == "file" and core.sha256.file(path)
    if found and (not sha256 or found == sha256) then return path, found end
    other = other or found and path
  end
  return nil, in_words(searched), other
end

-- The function returned by the file.
function part_modules.load(path)
  local chunk, why = loadfile(path, "t")
  if not chunk then error(why, 0) end
  local found = chunk()
  if type(found) ~= "function" then
    error(("%s: a module of an own part returns a function, got a %s"):format(path, type(found)), 0)
  end
  return found
end

return part_modules
