-- Folders of images: which files exist, what their folders say about class and part, and what was
-- not read. Names are judged by their ends, no file is opened; hidden names and __MACOSX are skipped.
local core = require "aniso.core"
local fields = require "aniso.method.data.fields"
local fault = require "aniso.method.data.fault"
local parts = require "aniso.method.data.parts"
local ulid_form = require "aniso.recipe.ulid_form"
local unread = require "aniso.method.data.unread"
local sys = core.sys

local tree = {}

local IMAGES = { jpg = true, jpeg = true, png = true, bmp = true }
local DEEPEST = 16        -- folders below the root: a link to a parent folder would otherwise never end
local MOST = 10000000     -- names in all folders

function tree.is_image(name)
  return IMAGES[(name:match "%.(%w+)$" or ""):lower()] == true
end

-- A folder of checkpoints of a run, of all runs of a database, or of first stages: the program's own, which
-- are next to the images if a database was created there.
local function is_checkpoints(path, name)
  local names = sys.list(path) or {}
  for _, one in ipairs(names) do
    if not (one:find("%.safetensors") or ulid_form(one)) then return false end
  end
  return #names > 0 or ulid_form(name)
end

-- The direct content of `folder`: images and other files as paths, folders as names.
local function scan(report, folder)
  local images, folders, other = {}, {}, {}
  local names = fault.need(sys.list(folder))
  report.names = report.names + #names
  if report.names > MOST then
    fault.raise("EFORMAT", "%s: more than %d names; is `root` the folder of the images?", report.root, MOST)
  end
  for _, name in ipairs(names) do
    local path = folder .. "/" .. name
    local hidden = name:sub(1, 1) == "." or name == "__MACOSX"
    if not hidden and tree.is_image(name) then
      images[#images + 1] = path
    elseif not hidden and sys.exists(path) == "directory" then
      if not is_checkpoints(path, name) then folders[#folders + 1] = name end
    elseif not hidden then
      other[#other + 1] = path
    end
  end
  return images, folders, other
end

-- Calls visit(images, names, other) for `folder` and the folders below it. names: the path from the first
-- level on, as a list.
local function walk(report, folder, names, visit)
  local images, folders, other = scan(report, folder)
  visit(images, names, other)
  if #names >= DEEPEST then
    if #folders > 0 then
      fault.raise("EFORMAT", "%s: folders more than %d deep; does a link form a cycle?", folder, DEEPEST)
    end
    return
  end
  for _, name in ipairs(folders) do
    local deeper = table.move(names, 1, #names, 1, {})
    deeper[#deeper + 1] = name
    walk(report, folder .. "/" .. name, deeper, visit)
  end
end

-- Class names are written to the database and into reports.
local function check_name(folder, name)
  if not utf8.len(name) then
    fault.raise("EFORMAT", "%s/%s: the name of this class folder is not UTF-8; rename it", folder, name)
  end
end

-- ── classes ─────────────────────────────────────────────────────────────────────────────
-- The class of an image whose folder has the names `names`; nil if it has none.
--   nested = n        the folder n levels down (1: the first)
--   nested = true     the folder of the image
local function class_of(names, how)
  local level = how.nested == true and #names or how.nested
  if #names < level or level == 0 then return nil end
  return how.class_from == "path" and table.concat(names, "/", 1, level) or names[level]
end

local function nested_level(report, level, how, add)
  walk(report, level, {}, function(images, names, other)
    local part = #names > 0 and parts.of(names[#names])
    if part then
      report.parts_below[part] = report.parts_below[part] or level .. "/" .. table.concat(names, "/")
    end
    local class = class_of(names, how)
    if not class then
      unread.note_strays(report, "shallow", images)
      return unread.note_images(report, other)
    end
    check_name(level, class)
    unread.note_other(report, other, class)
    for _, path in ipairs(images) do add(path, class) end
  end)
end

-- Notes the files below a folder's sub-folders, which are not read. class [opt]: of the folder.
local function note_deeper(report, kind, folder, folders, class)
  local before = report.strays
  for _, name in ipairs(folders) do
    walk(report, folder .. "/" .. name, { name }, function(images, _, other)
      unread.note_strays(report, kind, images)
      if class then unread.note_other(report, other, class) else unread.note_images(report, other) end
    end)
  end
  return report.strays - before
end

-- Reads the folder of one class. → the number of its images and of those in its sub-folders.
local function read_class(report, folder, name, add)
  local images, deeper, other = scan(report, folder)
  unread.note_other(report, other, name)
  for _, path in ipairs(images) do add(path, name) end
  return #images, note_deeper(report, "below", folder, deeper, name)
end

-- A folder per class directly in `level`.
local function flat_level(report, level, folders, how, add)
  local empty, failed = {}, {}
  for _, name in ipairs(folders) do
    local folder = level .. "/" .. name
    check_name(level, name)
    local n, below = fault.catch(read_class, report, folder, name, add)
    if not n then
      failed[#failed + 1] = { name = name, why = below }
    elseif n == 0 and how.leave_out[name] then
      report.empty_classes[name] = true
    elseif n == 0 then
      empty[#empty + 1] = { folder = folder, name = name, below = below }
    end
  end
  if #failed > 0 then unread.refuse_failed(level, failed) end
  if #empty > 0 then unread.refuse_empty(report, level, empty) end
end

-- Names of images are written to the database, into lists and reports.
local function refuse_names(rows)
  local names = rows.not_utf8
  if #names == 0 then return end
  fault.raise("EFORMAT", "%s: the name of this image%s is not UTF-8; rename %s", names[1],
    #names > 1 and (" and of %d more"):format(#names - 1) or "", #names > 1 and "them" or "it")
end

local function adder(rows, base, part)
  return function(path, class)
    local n = #rows.key + 1
    if not utf8.len(path) then rows.not_utf8[#rows.not_utf8 + 1] = path end
    rows.key[n], rows.file[n], rows.class[n] = path:sub(#base + 2), path, class
    if part then rows.part[n] = part end
  end
end

-- Reads the classes below `level`, all of them of `part` [opt].
local function read_level(report, rows, level, how, part)
  rows.not_utf8 = {}
  local before, add = #rows.key, adder(rows, report.root, part)
  if how.nested then
    nested_level(report, level, how, add)
  else
    local images, folders, other = scan(report, level)
    unread.note_strays(report, "loose", images)
    unread.note_images(report, other)
    if #folders == 0 then unread.refuse_flat(level, #images, part, other) end
    flat_level(report, level, folders, how, add)
  end
  refuse_names(rows)
  if #rows.key == before and not next(report.empty_classes) then
    fault.raise("EFORMAT", "%s: holds no class folder; expected one sub-folder of images per class%s", level,
      how.nested and (" at nested = %s"):format(tostring(how.nested)) or "")
  end
end

-- The folder with the classes or the parts: `base`, or the only folder in it, which archives add around their
-- content.
local function unwrapped(report, base)
  for _ = 1, DEEPEST do
    local images, folders = scan(report, base)
    if #images > 0 or #folders ~= 1 or parts.of(folders[1]) then return base end
    local inner = base .. "/" .. folders[1]
    local inner_images, inner_folders = scan(report, inner)
    if #inner_images > 0 or #inner_folders == 0 then return base end
    base = inner
  end
  return base
end

-- Training comes first, so that a fault of every part is reported for training.
local function read_parts(report, rows, base, how, part_of, train)
  local images, folders, other = scan(report, base)
  rows.part = {}
  unread.note_strays(report, "loose", images)
  unread.note_images(report, other)
  read_level(report, rows, base .. "/" .. train, how, "train")
  for _, name in ipairs(folders) do
    if part_of[name] and name ~= train then
      read_level(report, rows, base .. "/" .. name, how, part_of[name])
    elseif not part_of[name] then
      note_deeper(report, "outside", base, { name })
    end
  end
end

-- The images below root: rows { key, file, class, part [opt] } as columns, and the report (unread.lua), whose
-- part_names are the folders of the parts. how: { nested = false|true|integer, class_from = "last"|"path",
-- leave_out = set of labels whose folders may be empty }.
function tree.read(root, how)
  if sys.exists(root) ~= "directory" then unread.refuse_root(root, fields.relative_hint(root)) end
  local base = root:match "^(.-)/*$"
  local report, rows = unread.new(base), { key = {}, file = {}, class = {} }
  local inner = how.nested and base or unwrapped(report, base)
  if inner ~= base then report.wrapped = inner:sub(#base + 2) end
  local _, folders = scan(report, inner)
  local part_of, names = parts.folders(inner, folders, function(name)
    return #select(2, scan(report, inner .. "/" .. name)) > 0
  end)
  if part_of and not names.val and not names.test then
    fault.raise("EFORMAT", '%s: the only part is %s; root = "%s/%s" has it cut into parts, and a test part '
      .. "is named %s", inner, names.train, inner, names.train, parts.words "test")
  elseif part_of then
    report.part_names = names
    read_parts(report, rows, inner, how, part_of, names.train)
  else
    read_level(report, rows, inner, how)
  end
  return rows, report
end

return tree
