-- Ready-made parts from lists in a folder: NAME_train.csv, NAME_test.csv and optionally NAME_val.csv,
-- with the image's name and, if present, its class; the same as .txt ("path label" lines) or as
-- NumPy arrays of names (.npy). With a ratio the files end with _RATIO, as in MONICA: train_100.npy. `split`
-- is the folder, or FOLDER/PREFIX if it holds the lists of several sets.
local core = require "aniso.core"
local fields = require "aniso.method.data.fields"
local numpy = require "aniso.method.data.numpy"
local parts = require "aniso.method.data.parts"
local fault = require "aniso.method.data.fault"
local tables = require "aniso.method.data.table"
local tree = require "aniso.method.data.tree"

local lists = {}

local LARGEST = 1 << 28 -- bytes of a list

-- ── files ───────────────────────────────────────────────────────────────────────────────
local function visible(folder, prefix)
  local out = {}
  for _, name in ipairs(fault.need(core.sys.list(folder))) do
    if name:sub(1, 1) ~= "." and name:sub(1, #prefix) == prefix then out[#out + 1] = name end
  end
  return out
end

-- The name up to a word for the part and the tail, in any case; nil if it does not end so. Synonyms of the
-- part must be separate words of the name: "x_valid.csv", but not "contesting.csv".
local function stem_of(name, part, tail)
  local lower = name:lower()
  if lower:sub(-#tail) ~= tail then return nil end
  lower = lower:sub(1, -#tail - 1)
  if lower:sub(-#part) == part then return name:sub(1, #lower - #part) end
  for _, word in ipairs(parts.synonyms(part)) do
    local stem = lower:sub(1, -#word - 1)
    if lower:sub(-#word) == word and not stem:find "%w$" then return name:sub(1, #stem) end
  end
  return nil
end

-- The only one of `names` that is a list of the part, and its stem; nil if there is none.
local function only(names, part, tail, folder)
  local found, found_stem
  for _, name in ipairs(names) do
    local stem = stem_of(name, part, tail)
    if stem and found then
      fault.raise("EFORMAT", "%s: both %s and %s could be the %s list; keep one", folder, found, name,
        part)
    elseif stem then
      found, found_stem = name, stem
    end
  end
  return found, found_stem
end

-- The folder of the lists, and the prefix of their names: `split` is a folder, or FOLDER/PREFIX.
function lists.place(split)
  local folder, prefix = split:match "^(.*)/([^/]+)$"
  if prefix and core.sys.exists(split) == nil and core.sys.exists(folder) == "directory"
    and #visible(folder, prefix) > 0 then
    return folder, prefix
  elseif core.sys.exists(split) ~= "directory" then
    fault.raise("ENOTFOUND", "%s: no such folder of lists%s", split, fields.relative_hint(split))
  end
  return split, ""
end

-- { train = name, val = name or nil, test = name }, the extension, the tail of the names, and the training
-- list's stem.
local function find(folder, prefix, ratio)
  local names, suffix = visible(folder, prefix), ratio and ("_%d"):format(ratio) or ""
  for _, extension in ipairs { "csv", "txt", "npy" } do
    local tail, found, stems = ("%s.%s"):format(suffix, extension), {}, {}
    for _, part in ipairs(parts.names) do found[part], stems[part] = only(names, part, tail, folder) end
    if found.train and found.test then return found, extension, tail, stems.train end
    if found.train or found.test then
      fault.raise("ENOTFOUND", "%s: no file that ends with %s%s", folder, found.train and "test" or "train",
        tail)
    end
  end
  fault.raise("ENOTFOUND", "%s: no file that ends with train%s.csv; a split folder holds NAME_train.csv, "
    .. "NAME_test.csv and optionally NAME_val.csv (or .txt, .npy)", folder, suffix)
end

-- "diffmic" for "diffmic_train.csv"; for a plain "train.csv" the folder's name.
local function split_name(stem, folder, tail)
  local name = stem:gsub("[_-]+$", "")
  local suffix = tail:match "^_%d+" or ""
  return (name ~= "" and name or fields.last_part(folder)) .. suffix
end

-- ── entries: { name =, label = [opt], place = } ─────────────────────────────────────────
local readers = {}

function readers.csv(path, names)
  local t <close> = tables.read(path)
  local images, out = t:column(names[1]), {}
  local labels = t:has(names[2]) and t:column(names[2]) or {}
  for row, name in ipairs(images) do
    out[row] = { name = name, label = labels[row], place = ("%s line %d"):format(path, t.lines[row]) }
  end
  return out
end

function readers.txt(path)
  local out, number = {}, 0
  local list = fault.need(core.sys.read(path, LARGEST))
  for text in (list:gsub("\n$", "") .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    text = text:match "^%s*(.-)%s*$"
    local place = ("%s line %d"):format(path, number)
    if not utf8.len(text) then fault.raise("EFORMAT", "%s: is not UTF-8; save the list as UTF-8", place) end
    local name, label = text:match "^(.-)[%s,;]+(%S+)$"
    if text ~= "" then out[#out + 1] = { name = name or text, label = label, place = place } end
  end
  return out
end

function readers.npy(path)
  local out = {}
  for i, name in ipairs(numpy.names(path)) do
    out[i] = { name = name, place = ("%s[%d]"):format(path, i - 1) }
  end
  return out
end

-- The lists of a split: { train = entries, val = [opt], test = }, the split's name, the extension.
-- names: the columns image and label of a .csv.
function lists.read(split, names, ratio)
  local folder, prefix = lists.place(split)
  local found, extension, tail, stem = find(folder, prefix, ratio)
  local out = {}
  for part, name in pairs(found) do out[part] = readers[extension](fields.join(folder, name), names) end
  return out, split_name(stem, folder, tail), extension
end

-- ── onto the rows of a data set ─────────────────────────────────────────────────────────
local function stem(name)
  return tree.is_image(name) and name:match "^(.*)%.%w+$" or name
end

local function shorter(name)
  return name:match "^[^/\\]*[/\\](.+)$"
end

-- A function from a list's name to the row: the key itself, with or without the image's extension, the
-- key's end after a folder, or the end of the name if the list has more folders than the key.
local function finder(keys)
  local exact, ends = {}, {}
  for row, key in ipairs(keys) do
    exact[key] = row
    local short = stem(key)
    while short do
      ends[short] = ends[short] == nil and row or false
      short = shorter(short)
    end
  end
  return function(name)
    if exact[name] then return exact[name] end
    if ends[stem(name)] then return ends[stem(name)] end
    local short = shorter(name)
    while short do
      local row = exact[short] or ends[stem(short)]
      if row and stem(keys[row]) == stem(short) then return row end
      short = shorter(short)
    end
    return nil
  end
end

-- Sets rows.part and the split's name. Images in no list are unused.
function lists.apply(spec, split, names, ratio)
  local rows, part_of_row = spec.rows, {}
  local row_of, classes = finder(rows.key), {}
  local of, name = lists.read(split, names, ratio)
  spec.split_name = name
  for _, class in ipairs(rows.class) do classes[class] = true end
  for i = 1, #rows.key do part_of_row[i] = "unused" end
  for _, part in ipairs(parts.names) do
    for _, entry in ipairs(of[part] or {}) do
      local row = row_of(entry.name)
      if not row then
        fault.raise("EFORMAT", "%s: image '%s' is not in %s", entry.place, entry.name, spec.origin)
      elseif entry.label and classes[entry.label] and entry.label ~= rows.class[row] then
        fault.raise("EFORMAT", "%s: image '%s' is labelled '%s' here and '%s' in %s", entry.place,
          entry.name, entry.label, rows.class[row], spec.origin)
      elseif part_of_row[row] ~= "unused" then
        fault.raise("EFORMAT", "%s: image '%s' is already in the %s part; an image may be in one part only",
          entry.place, entry.name, part_of_row[row])
      end
      part_of_row[row] = part
    end
  end
  rows.part = part_of_row
end

return lists
