-- Any bytes as a folder of images: a line is the path of a file; its first character selects the content, and
-- the first line the options. The folder is read or refused, and what is read is surveyed.
-- Covers: lua/aniso/method/data/tree.lua lua/aniso/method/data/unread.lua lua/aniso/method/data/folder.lua
--   lua/aniso/method/data/parts.lua lua/aniso/method/data/survey.lua lua/aniso/method/data/labels.lua
--   engine/data/survey.c engine/data/near_copies.c engine/data/source_rows.c
local core = require "aniso.core"
local data = require "aniso.method.data"
local survey = require "aniso.method.data.survey"
local remove_tree = dofile "tests/lua/remove_tree.lua"

local MOST = 16 -- files

-- A BMP of w × h pixels of one colour.
local function bmp(w, h, colour)
  local row = (colour):rep(w) .. ("\0"):rep(-3 * w % 4)
  return ("BM" .. string.pack("<I4I4I4I4i4i4I2I2I4I4I4I4I4I4", 54 + #row * h, 0, 54, 40, w, h, 1,
    24, 0, #row * h, 0, 0, 0, 0)) .. row:rep(h)
end

local CONTENT = { [0] = bmp(2, 2, "abc"), bmp(3, 1, "\0\0\0"), bmp(2, 2, "abd"), "", "\xFF\xD8\xFF",
  "text\n" }
local OPTIONS = { {}, { nested = 1 }, { nested = true }, { nested = 2, class_from = "path" },
  { leave_out = { "b" } }, { merge = { { "a", "b" } } }, { val = 0.3, test = 0.3 }, { damaged = "accept" } }

local function write(root, line)
  local path = line:sub(2):gsub("%z", ""):gsub("[^/]+", function(name)
    return (name == ".." or name == ".") and "_" or name:sub(1, 40)
  end)
  local file = root .. "/" .. path
  core.sys.mkdir_p((file:match "^(.*)/"))
  local out <close> = io.open(file, "wb")
  if out then out:write(CONTENT[line:byte() % 6]) end
end

return function(text, folder)
  local root, number, given = folder .. "/set", 0, nil
  for line in text:gmatch "[^\n]+" do
    if not given then given = OPTIONS[line:byte() % #OPTIONS + 1] else write(root, line) end
    number = number + 1
    if number > MOST then break end
  end
  local options = { "folder", root = root, size = 2, cache = false }
  for key, value in pairs(given or {}) do options[key] = value end
  local ok, ds, message = pcall(data.open, options)
  local fault
  if ok and ds then
    local n = 0
    survey.lines(ds, function(format, ...) n = n + #format:format(...) end)
    for k, name in ipairs(ds.classes) do
      if not utf8.len(name) then fault = ("class %d is not UTF-8"):format(k) end
    end
    ds:close()
  end
  if core.sys.exists(root) then remove_tree(root) end
  if not ok then error(ds, 0) end
  return fault or message and message:find "\n.*\n.*\n.*\n" and "a message of many lines: " .. message or nil
end
