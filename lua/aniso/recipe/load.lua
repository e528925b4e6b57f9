-- Reads a recipe: a Lua file that returns aniso.study{…}, or a function that returns one
-- or does its own work. Returns the study, and path and text for the run's record.
local data_paths = require "aniso.recipe.data_paths"
local errors = require "aniso.recipe.errors"
local neighbours = require "aniso.recipe.neighbours"
local own_part = require "aniso.recipe.own_part"
local part_modules = require "aniso.recipe.part_modules"
local study = require "aniso.recipe.study"
local sys = require("aniso.core").sys

local recipe = {}

local MOST = 4 << 20 -- bytes of the longest recipe

local function read(path)
  if sys.exists(path) == "other" then
    error(path .. ": not a regular file but a pipe or a device; save the recipe as a file and name that", 0)
  end
  local text, why = sys.read(path, MOST)
  if not text then error(why, 0) end
  return text
end

-- The text is stored with the run, and a database holds UTF-8.
local function check_encoding(text, path)
  local number = 0
  if utf8.len(text) then return end
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    if not utf8.len(line) then error(("%s line %d: not UTF-8; save it as UTF-8"):format(path, number), 0) end
  end
end

-- Advice for a file that is not Lua: a table of images is data, not a recipe.
local function syntax_error(why, path)
  if not path:lower():find "%.[ct]sv$" then error(why, 0) end
  error(("%s: a table, not a recipe; aniso data info %s shows it, and a recipe trains on it with data = "
    .. '{ "csv", root = …, table = … }'):format(path, path), 0)
end

-- The chunk of a text. Like `lua`, it skips a UTF-8 byte-order mark and a first line that begins with #.
local function chunk_of(text, path)
  local start = text:sub(1, 4)
  if start:find "^\27Lua" then error(path .. ": it is compiled Lua; a recipe is the source text", 0) end
  if start:find "^\255\254" or start:find "^\254\255" or start:find "^[^\0]\0" or start:find "^\0" then
    error(path .. ": it is UTF-16 or binary; save the recipe as UTF-8", 0)
  end
  text = text:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\n]*", "")
  local chunk, why = load(text, "@" .. path, "t")
  if not chunk then syntax_error(why, path) end
  check_encoding(text, path)
  return chunk
end

-- Gives an error a text: one without a text, such as error {} or error(), shows the place that raised it.
local function with_place(problem)
  if type(problem) == "string" or errors.is_shown(problem) then return problem end
  local level, place = 2, ""
  repeat
    local at = debug.getinfo(level, "Sl")
    if at and at.currentline > 0 then place = ("%s:%d: "):format(at.short_src, at.currentline) end
    level = level + 1
  until not at or place ~= ""
  return place .. errors.sentence(problem)
end

-- Calls a function written in a recipe.
local function call(f, ...)
  local results = table.pack(xpcall(f, with_place, ...))
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

-- → study, or nil if the recipe was a function that returned none; {path =, text =}. The study's data are
-- searched from the recipe's folder, then from the current one; `folder` is the recipe's, and
-- `former_paths` holds the relative paths (data_paths.lua).
function recipe.load(path)
  local text = read(path)
  part_modules.set_recipe(path)
  neighbours.of(path)
  local found = call(chunk_of(text, path), path)
  if type(found) == "function" then
    found = call(found)
    if found == nil then return nil end
  end
  if type(found) ~= "table" or not found.is_study then
    error(path .. ": a recipe returns aniso.study{…} or a function", 0)
  end
  local folder = path:match "^(.*)/[^/]*$" or "."
  found.data, found.former_paths = data_paths.absolute(found.data, folder == "" and "/" or folder, ".")
  found.folder = sys.realpath(folder == "" and "/" or folder)
  return found, { path = path, text = text }
end

-- Loads a recipe only for its own parts: a stored run finds them by their sha256.
function recipe.load_parts(path)
  local found = recipe.load(path)
  if not found then error(path .. ": the recipe returns no study, so it has no own parts", 0) end
  for _, job in ipairs(study.expand(found)) do own_part.register_all(job.config, "") end
end

return recipe
