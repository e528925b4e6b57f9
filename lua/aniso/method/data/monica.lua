-- monica: images named by split lists, with a class number each, as in MONICA (Ju et al. 2024,
-- arXiv 2410.02010; github.com/PyJulie/MONICA): train_100.npy, val_100.npy and test_100.npy hold names,
-- dic.npy maps them to class numbers. As text, these lists have lines of path and label, as in ImageNet-LT.
local core = require "aniso.core"
local fields = require "aniso.method.data.fields"
local lists = require "aniso.method.data.split_lists"
local numpy = require "aniso.method.data.numpy"
local parts = require "aniso.method.data.parts"
local options = require "aniso.recipe.options"
local fault = require "aniso.method.data.fault"

local monica = {
  kind = "monica", title = "MONICA's lists", brings_parts = true,
  options = fields.files { class_names = options.optional(options.list "string") },
}

-- Labels for names that come without one, and the file that holds them: PREFIX_dic.npy or dic.npy.
local function dictionary(split)
  local folder, prefix = lists.place(split)
  for _, name in ipairs { prefix .. "_dic.npy", prefix .. "dic.npy", "dic.npy" } do
    local path = fields.join(folder, name)
    if core.sys.exists(path) == "file" then return numpy.dictionary(path), name end
  end
  fault.raise("ENOTFOUND", "%s: no dic.npy; it maps the names of the lists to class numbers", folder)
end

-- Class number → name; a label that is not a number is its own name.
local function namer(class_names)
  return function(label, place)
    local number = math.tointeger(tonumber(label))
    if not class_names or not number then return tostring(label) end
    if not class_names[number + 1] then
      fault.raise("EFORMAT", "%s: class %d, but class_names has %d entries", place, number, #class_names)
    end
    return class_names[number + 1]
  end
end

-- The classes in the order of their numbers, or that of class_names.
local function in_order(rows, class_names)
  local seen, out = {}, {}
  for _, class in ipairs(rows.class) do
    if not seen[class] then seen[class], out[#out + 1] = true, class end
  end
  local rank = {}
  for k, name in ipairs(class_names or {}) do rank[name] = k end
  table.sort(out, function(a, b)
    local x, y = rank[a] or tonumber(a), rank[b] or tonumber(b)
    if x and y and x ~= y then return x < y end
    return a < b
  end)
  return out
end

function monica.open(given)
  local root = fields.need(given, "root", "the folder below which the lists name the images")
  local split = fields.need(given, "split", "the folder of the lists")
  local of, name, extension = lists.read(split, { "image", "label" }, given.ratio)
  local labels, file = {}, nil
  if extension == "npy" then labels, file = dictionary(split) end
  local rows, name_of = { key = {}, class = {}, part = {} }, namer(given.class_names)
  for _, part in ipairs(parts.names) do
    for _, entry in ipairs(of[part] or {}) do
      local label = entry.label or labels[entry.name]
      if not label then
        fault.raise("EFORMAT", "%s: '%s' has no label%s", entry.place, entry.name,
          file and " in " .. file or "")
      end
      local n = #rows.key + 1
      rows.key[n], rows.class[n], rows.part[n] = entry.name, name_of(label, entry.place), part
    end
  end
  return { origin = split, root = root, rows = rows, folders = { root }, name = "monica " .. name,
    split_name = name, classes = in_order(rows, given.class_names) }
end

return monica
