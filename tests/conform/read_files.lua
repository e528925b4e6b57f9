-- Reads tables, labels and tensors for tests/conform: the paths are the lines of the standard input.
-- Per file, on the standard output: "ok COUNT" and so many texts, or "refused MESSAGE". A text is its
-- length, a colon and its bytes. Run as `aniso exec tests/conform/read_files.lua`.
local core = require "aniso.core"
local tables = require "aniso.method.data.table"

local function put(texts)
  io.write(("ok %d\n"):format(#texts))
  for _, text in ipairs(texts) do io.write(#text, ":", text) end
end

-- Numbers of rows and columns, then the cells row by row, the header first. A recipe is UTF-8, so that it
-- cannot name a column whose name is not.
local function read_table(path)
  local t <close> = tables.read(path)
  local columns, out = {}, { tostring(t.n + 1), tostring(#t.header) }
  for i, name in ipairs(t.header) do
    columns[i], out[#out + 1] = t:column(utf8.len(name) and name or "a name in UTF-8"), name
  end
  for row = 1, t.n do
    for i = 1, #columns do out[#out + 1] = columns[i][row] end
  end
  return out
end

-- Per tensor: its name, its sizes separated by spaces, its type and its elements as bytes.
local function read_tensors(path)
  local tensors, message = core.safetensors.load(path)
  if not tensors then error(message, 0) end
  local names, out = {}, {}
  for name in pairs(tensors) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local x = tensors[name]
    local format = x:dtype() == "int64" and "<i8" or "<f"
    local packed = {}
    for i, value in ipairs(x:list()) do packed[i] = string.pack(format, value) end
    for _, text in ipairs { name, table.concat(x:shape(), " "), format, table.concat(packed) } do
      out[#out + 1] = text
    end
  end
  return out
end

-- The classes in their order, an empty text, then name and class of each image in the order of the names.
local function read_labels(path)
  local root, name = path:match "^(.*)/([^/]*)$"
  local ds = aniso.data { "csv", root = root, table = name, size = 8, cache = false, val = 0, test = 0.3 }
  local out, class_of, keys = {}, {}, {}
  for i, class in ipairs(ds.classes) do out[i] = class end
  out[#out + 1] = ""
  for _, part in ipairs { "train", "test" } do
    local _, labels = ds:batch(part, 0, ds:n(part))
    for i, key in ipairs(ds:keys(part)) do
      keys[#keys + 1], class_of[key] = key, ds.classes[labels:list()[i] + 1]
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    out[#out + 1] = key
    out[#out + 1] = class_of[key]
  end
  return out
end

local readers = { [".csv"] = read_table, [".safetensors"] = read_tensors, [".labels.csv"] = read_labels }

for path in io.lines() do
  local read = readers[path:match "%.labels%.csv$" or path:match "%.%a+$"]
  local ok, result = pcall(read, path)
  if ok then put(result) else io.write("refused ", (tostring(result):gsub("\n", " ")), "\n") end
end
