-- Folders of images: which files there are, what their folders say about class and part, and what was
-- not read. Names are judged by their end, nothing is opened; hidden names are skipped.
local core = require "aniso.core"
local columns = require "aniso.method.data.columns"
local fields = require "aniso.method.data.fields"
local fault = require "aniso.method.data.fault"
local sys = core.sys

local tree = {}

local IMAGES = { jpg = true, jpeg = true, png = true, bmp = true }
local DEEPEST = 16        -- folders below the root: a link to a folder above would go on for ever
local MOST = 10000000     -- names in all folders

function tree.is_image(name)
  return IMAGES[(name:match "%.(%w+)$" or ""):lower()] == true
end

-- What a walk sees besides the images: other[extension] = {n =, example =, classes = {name = n}};
-- strays: images that belong to no class.
local function new_report(root)
  return { root = root, names = 0, other = {}, strays = 0, example = nil }
end

local function note_other(report, paths, class)
  for _, path in ipairs(paths) do
    local extension = (path:match "[^/]%.(%w+)$" or ""):lower()
    if extension == "" or #extension > 8 then extension = "no extension" end
    local one = report.other[extension] or { n = 0, example = path, classes = {} }
    one.n = one.n + 1
    if class then one.classes[class] = (one.classes[class] or 0) + 1 end
    report.other[extension] = one
  end
end

-- What is directly in `folder`: images and other files as paths, folders as names.
local function scan(report, folder)
  local images, folders, other = {}, {}, {}
  local names = fault.need(sys.list(folder))
  report.names = report.names + #names
  if report.names > MOST then
    fault.raise("EFORMAT", "%s: more than %d names; is `root` the folder of the images?", report.root, MOST)
  end
  for _, name in ipairs(names) do
    local path = folder .. "/" .. name
    local hidden = name:sub(1, 1) == "."
    if not hidden and tree.is_image(name) then
      images[#images + 1] = path
    elseif not hidden and sys.exists(path) == "directory" then
      folders[#folders + 1] = name
    elseif not hidden then
      other[#other + 1] = path
    end
  end
  return images, folders, other
end

-- Calls visit(images, parts, other) for `folder` and the folders below it. parts: the names from the
-- first level on.
local function walk(report, folder, parts, visit)
  local images, folders, other = scan(report, folder)
  visit(images, parts, other)
  if #parts >= DEEPEST then
    if #folders > 0 then
      fault.raise("EFORMAT", "%s: folders more than %d deep; does a link form a cycle?", folder, DEEPEST)
    end
    return
  end
  for _, name in ipairs(folders) do
    local deeper = table.move(parts, 1, #parts, 1, {})
    deeper[#deeper + 1] = name
    walk(report, folder .. "/" .. name, deeper, visit)
  end
end

local function note_strays(report, images)
  report.strays = report.strays + #images
  report.example = report.example or images[1]
end

-- ── classes ─────────────────────────────────────────────────────────────────────────────
-- The class of an image whose folder has the names `parts`; nil if it has none.
--   nested = n        the folder n levels down (1: the first)
--   nested = true     the folder of the image
local function class_of(parts, how)
  local level = how.nested == true and #parts or how.nested
  if #parts < level or level == 0 then return nil end
  return how.class_from == "path" and table.concat(parts, "/", 1, level) or parts[level]
end

local function nested_level(report, level, how, add)
  walk(report, level, {}, function(images, parts, other)
    local class = class_of(parts, how)
    if not class then return note_strays(report, images) end
    note_other(report, other, class)
    for _, path in ipairs(images) do add(path, class) end
  end)
end

-- The number of images below a folder's own folders, which are strays.
local function deeper_images(report, folder, folders)
  local before = report.strays
  for _, name in ipairs(folders) do
    walk(report, folder .. "/" .. name, { name }, function(images) note_strays(report, images) end)
  end
  return report.strays - before
end

-- "15 .webp, 5 .tif"
function tree.describe_other(other)
  local out = {}
  for extension, one in pairs(other) do
    out[#out + 1] = ("%d %s%s"):format(one.n, extension:find " " and "with " or ".", extension)
  end
  table.sort(out)
  return table.concat(out, ", ")
end

local function refuse_empty(report, folder, folders, other)
  local deeper = deeper_images(report, folder, folders)
  if deeper > 0 then
    fault.raise("EFORMAT", "%s: its %d images are in sub-folders; nested = true makes the folder of an "
      .. "image its class, nested = 1 the first folder below `root`", folder, deeper)
  end
  local own = new_report(folder)
  note_other(own, other)
  local found = tree.describe_other(own.other)
  fault.raise("EFORMAT", "%s: holds no .jpg, .png or .bmp image%s; add some or remove the folder", folder,
    found ~= "" and (", but %s, which are not read"):format(found) or "")
end

-- A folder per class directly in `level`.
local function flat_level(report, level, names, add)
  for _, name in ipairs(names) do
    local folder = level .. "/" .. name
    local images, folders, other = scan(report, folder)
    if #images == 0 then refuse_empty(report, folder, folders, other) end
    note_other(report, other, name)
    for _, path in ipairs(images) do add(path, name) end
    deeper_images(report, folder, folders)
  end
end

local function adder(rows, base, part)
  return function(path, class)
    local n = #rows.key + 1
    rows.key[n], rows.file[n], rows.class[n] = path:sub(#base + 2), path, class
    if part then rows.part[n] = part end
  end
end

-- The classes below `level`, which are of one part or, without `part`, of none.
local function read_level(report, rows, level, how, part)
  local before, add = #rows.key, adder(rows, report.root, part)
  if how.nested then
    nested_level(report, level, how, add)
  else
    local images, folders = scan(report, level)
    note_strays(report, images)
    flat_level(report, level, folders, add)
  end
  if #rows.key == before then
    fault.raise("EFORMAT", "%s: holds no class folder; expected one sub-folder of images per class", level)
  end
end

-- ── parts ───────────────────────────────────────────────────────────────────────────────
-- name → part where one of the folders is a training part; nil otherwise.
local function part_folders(root, folders)
  local part_of, names = {}, {}
  for _, name in ipairs(folders) do
    local part = columns.part(name)
    if part then
      names[part] = names[part] or {}
      table.insert(names[part], name)
      part_of[name] = part
    end
  end
  if not names.train then return nil end
  for part, list in pairs(names) do
    if #list > 1 then
      fault.raise("EFORMAT", "%s: both %s and %s could be the %s part; keep one", root, list[1], list[2],
        part)
    end
  end
  return part_of
end

-- The images below root: rows { key, file, class, part [opt] } as columns, and the report.
-- how: { nested = false|true|integer, class_from = "last"|"path" }.
function tree.read(root, how)
  if sys.exists(root) ~= "directory" then
    fault.raise("ENOTFOUND", "%s: no such folder%s; `root` must hold a sub-folder of images per class",
      root, fields.relative_hint(root))
  end
  local base = root:match "^(.-)/*$"
  local report, rows = new_report(base), { key = {}, file = {}, class = {} }
  local images, folders = scan(report, base)
  local part_of = part_folders(root, folders)
  if not part_of then
    read_level(report, rows, base, how)
    return rows, report
  end
  rows.part = {}
  note_strays(report, images)
  for _, name in ipairs(folders) do
    if part_of[name] then
      read_level(report, rows, base .. "/" .. name, how, part_of[name])
    else
      deeper_images(report, base, { name })
    end
  end
  return rows, report
end

return tree
