-- Any bytes as the training list of a ready-made split, next to a valid test list; the first byte selects
-- .csv, .txt or .npy. An .npy is also read as a dictionary of labels.
-- Covers: lua/aniso/method/data/split_lists.lua lua/aniso/method/data/numpy.lua
--   lua/aniso/method/data/table.lua
local fault = require "aniso.method.data.fault"
local lists = require "aniso.method.data.split_lists"
local numpy = require "aniso.method.data.numpy"

local HEADER = "{'descr': '|S1', 'fortran_order': False, 'shape': (1,), }\n"
local TEST = { csv = "image,label\nb/4.jpg,b\n", txt = "b/4.jpg b\n",
  npy = ("\x93NUMPY\1\0%s%sx"):format(string.pack("<I2", #HEADER), HEADER) }
local KINDS = { "csv", "txt", "npy" }

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

return function(text, folder)
  local kind = KINDS[(text:byte() or 0) % #KINDS + 1]
  local train, test = folder .. "/x_train." .. kind, folder .. "/x_test." .. kind
  write(train, text:sub(2))
  write(test, TEST[kind])
  local spec = { origin = "set", rows = { key = { "a/1.jpg", "a/2.jpg", "b/3.png", "b/4.jpg", "x" },
    class = { "a", "a", "b", "b", "b" } } }
  fault.catch(lists.apply, spec, folder, { "image", "label" })
  if kind == "npy" then fault.catch(numpy.dictionary, train) end
  os.remove(train)
  os.remove(test)
  for row, part in ipairs(spec.rows.part or {}) do
    if part ~= "train" and part ~= "test" and part ~= "unused" then return "a row in the part " .. part end
    if spec.rows.part[row + 1] == nil and row ~= #spec.rows.key then return "rows without a part" end
  end
end
