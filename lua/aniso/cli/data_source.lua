-- SOURCE of `aniso data`: data options from a kind's name, a folder, a table, an archive or a recipe.
--   source.describe(text) → options
local sys = require("aniso.core").sys

local source = {}

local TABLES = { csv = true, tsv = true, tab = true, txt = true, dat = true }
local SPREADSHEETS = { xlsx = true, xls = true, ods = true, numbers = true, parquet = true, feather = true }
local IMAGES = { jpg = true, jpeg = true, png = true, bmp = true }
local ARCHIVES = { zip = true, tar = true, gz = true, tgz = true, ["7z"] = true, rar = true }

-- The table of a published set, or any other table.
local function described_table(path)
  local folder, name = path:match "^(.*)/([^/]*)$"
  folder, name = folder == "" and "/" or folder or ".", name or path
  local kind, found = require("aniso.method.data").recognise(folder)
  if kind and type(found) == "string" and found:match "[^/]*$" == name then return { kind, root = folder } end
  return { "csv", root = folder, table = name }
end

-- Whether the first line of a file has cells and does not begin a recipe.
local function begins_as_table(path)
  local start = sys.read(path, 4096, true)
  local line = start and start:match "^[^\r\n]*" or ""
  return line:find "[,;\t]" ~= nil and not line:find "^%-%-" and not line:find "[={}()]"
end

local function refuse(path, extension)
  if SPREADSHEETS[extension] then error(path .. ": a spreadsheet; save it as CSV (UTF-8)", 0) end
  if ARCHIVES[extension] then error(path .. ": an archive; unpack it and give its folder", 0) end
  if IMAGES[extension] then
    error(path .. ": a single image; give the folder that holds a folder of images per class", 0)
  end
end

local function described_file(path)
  local extension = (path:match "%.(%w+)$" or ""):lower()
  if path:find "%.npz$" then return { "medmnist", file = path } end
  if TABLES[extension] or extension ~= "lua" and begins_as_table(path) then return described_table(path) end
  if extension == "safetensors" or extension == "npy" then
    error(path .. ": features need a table of their images: aniso data info features --set file=" .. path
      .. " --set table=FILE", 0)
  end
  refuse(path, extension)
  local study = require("aniso.recipe.load").load(path)
  if not study then error(path .. ": this recipe describes no study", 0) end
  return study.data
end

-- Raises an error if SOURCE is none of them.
function source.describe(text)
  local kind = sys.exists(text)
  if kind == "directory" then
    return { require("aniso.method.data").recognise(text) or "folder", root = text }
  elseif kind == "file" then
    return described_file(text)
  elseif kind == "other" then
    error(text .. ": a pipe or a device; save its content as a file and name that", 0)
  end
  if text:find "[/.]" then error(text .. ": no such folder, table or recipe", 0) end
  return { text }
end

return source
