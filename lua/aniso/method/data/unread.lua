-- What a walk through folders of images found and did not read, by kind, with the way to use it; and why a
-- folder cannot be read. A report:
--   other[extension]   { n =, example =, classes = {name = n} }, files not read as images
--   strays             images that were not read; stray_kinds[kind] = { n =, example = }, kinds as in CURES
--   empty_classes      set of class folders without images that `leave_out` names
--   parts_below        part → path of a folder with the part's name that is not used as a part
--   wrapped [opt]      the folder below the root that contains the classes or parts
--   part_names [opt]   part → folder
local core = require "aniso.core"
local fault = require "aniso.method.data.fault"
local parts = require "aniso.method.data.parts"
local warnings = require "aniso.method.data.warnings"
local sys = core.sys

local unread = {}

local MOST_NAMED = 8 -- folders in one message

-- Image formats that are not read. Other files, such as a table, are no loss next to class folders.
local FORMATS = {}
for name in ("webp gif tif tiff jfif jpe jfi pjpeg pjp heic heif avif jxl jp2 j2k jpx dcm dicom nii svg "
  .. "psd exr hdr tga ppm pgm pbm pnm ico raw cr2 nef arw dng npy mat svs ndpi"):gmatch "%w+" do
  FORMATS[name] = true
end
-- JPEG under another name.
local IS_JPEG = { jfif = true, jpe = true, jfi = true, pjpeg = true, pjp = true }

function unread.new(root)
  return { root = root, names = 0, other = {}, strays = 0, stray_kinds = {}, empty_classes = {},
    parts_below = {} }
end

local function extension_of(path)
  local extension = (path:match "[^/]%.(%w+)$" or ""):lower()
  return (extension == "" or #extension > 8) and "no extension" or extension
end

-- Counts the files in `paths`. class [opt]: the class of their folder.
function unread.note_other(report, paths, class)
  for _, path in ipairs(paths) do
    local extension = extension_of(path)
    local one = report.other[extension] or { n = 0, example = path, classes = {} }
    one.n = one.n + 1
    if class then one.classes[class] = (one.classes[class] or 0) + 1 end
    report.other[extension] = one
  end
end

-- Counts the files that are images in another format.
function unread.note_images(report, paths)
  for _, path in ipairs(paths) do
    if FORMATS[extension_of(path)] then unread.note_other(report, { path }) end
  end
end

function unread.note_strays(report, kind, images)
  if #images == 0 then return end
  local one = report.stray_kinds[kind] or { n = 0, example = images[1] }
  one.n = one.n + #images
  report.stray_kinds[kind], report.strays = one, report.strays + #images
end

-- ── as text ─────────────────────────────────────────────────────────────────────────────
-- "15 .webp, 5 .tif"
function unread.describe_other(other)
  local out = {}
  for extension, one in pairs(other) do
    out[#out + 1] = ("%d %s%s"):format(one.n, extension:find " " and "with " or ".", extension)
  end
  table.sort(out)
  return table.concat(out, ", ")
end

-- "; convert them to PNG, rename .jfif to .jpg": how to make the images among the files readable.
function unread.cure_other(other)
  local converts, renamed = false, {}
  for extension in pairs(other) do
    if IS_JPEG[extension] then renamed[#renamed + 1] = "." .. extension
    elseif FORMATS[extension] then converts = true end
  end
  table.sort(renamed)
  local ways = {}
  if converts then ways[1] = #renamed > 0 and "convert the others to PNG" or "convert them to PNG" end
  if #renamed > 0 then table.insert(ways, 1, ("rename %s to .jpg"):format(table.concat(renamed, ", "))) end
  return #ways > 0 and "; " .. table.concat(ways, ", ") or ""
end

-- What unread images have in common, and the way to read them.
local CURES = {
  below = { "in sub-folders of a class", "nested = 1 reads them" },
  loose = { "in no class folder", "move them into the folder of their class" },
  outside = { "in folders that are no parts", "a part is named " .. parts.known() },
  shallow = { "above the folders of the classes", "a smaller `nested` reads them" },
}
local KINDS = { "below", "loose", "outside", "shallow" }

-- Calls line(text, example, way) for each kind of unread images. wrapped [opt]: the path of the folder below
-- the root that was read, from which `nested` must count.
function unread.each_stray(kinds, wrapped, line)
  for _, kind in ipairs(KINDS) do
    local one, cure = kinds[kind], CURES[kind]
    local way = wrapped and kind == "below" and ('root = "%s" and nested = 1 read them'):format(wrapped)
      or cure[2]
    if one then line(("%d images %s"):format(one.n, cure[1]), one.example, way) end
  end
end

-- Warns of folders named like parts that a nested set mixes.
local function warn_of_parts(report, facts)
  local train, other = report.parts_below.train, report.parts_below.test or report.parts_below.val
  local folder = train and train:match "^(.*)/"
  if folder and other and other:match "^(.*)/" == folder then
    warnings.add(facts.warnings, '%s: %s and %s are named as parts and are not used as parts; root = "%s" '
      .. 'uses them', report.root, train, other, folder)
  end
end

-- Warns of each kind of unread file; facts keeps the counts for `aniso data info`.
function unread.warn(report, facts)
  local example
  facts.other_files, facts.strays, facts.stray_kinds = report.other, report.strays, report.stray_kinds
  facts.empty_classes = report.empty_classes
  warn_of_parts(report, facts)
  for _, one in pairs(report.other) do
    one.example = one.example:sub(#report.root + 2)
    example = (not example or one.example < example) and one.example or example
  end
  if example then
    warnings.add(facts.warnings, "%s: %s not read, only JPEG, PNG and BMP are (such as %s)%s", report.root,
      unread.describe_other(report.other), example, unread.cure_other(report.other))
  end
  facts.wrapped = report.wrapped and report.root .. "/" .. report.wrapped
  unread.each_stray(report.stray_kinds, facts.wrapped, function(what, path, way)
    warnings.add(facts.warnings, "%s: %s are not read (such as %s); %s", report.root, what,
      path:sub(#report.root + 2), way)
  end)
end

-- ── refusals ────────────────────────────────────────────────────────────────────────────
local TABLES = { csv = true, tsv = true, tab = true }

function unread.is_table(name)
  return TABLES[(name:match "%.(%w+)$" or ""):lower()] == true
end

-- "; it holds labels.csv, which data = { "csv", … } reads" if the folder holds a table; "" otherwise.
local function table_hint(folder)
  for _, name in ipairs(sys.list(folder) or {}) do
    if unread.is_table(name) then
      return ('; it holds %s: data = { "csv", root = "%s", table = "%s" } reads labels from it'):format(name,
        folder, name)
    end
  end
  return ""
end

-- The root is not a folder.
function unread.refuse_root(root, hint)
  if sys.exists(root) == "file" then
    local folder, name = root:match "^(.*)/([^/]*)$"
    fault.raise("ENOTFOUND", '%s: a file, not a folder; a table of images and labels is data = { "csv", '
      .. 'root = "%s", table = "%s" }', root, folder or ".", name or root)
  end
  fault.raise("ENOTFOUND", "%s: no such folder%s; `root` must hold a sub-folder of images per class", root,
    hint)
end

-- Only one class.
function unread.refuse_single(report, class)
  fault.raise("EFORMAT", "%s: only one class ('%s'); at least two are needed%s", report.root, class,
    table_hint(report.root))
end

-- A folder of classes without sub-folders, with n images directly in it. part [opt]: the folder's part.
function unread.refuse_flat(folder, n, part, other)
  if n == 0 then
    local own = unread.new(folder)
    unread.note_images(own, other)
    local found = unread.describe_other(own.other)
    fault.raise("EFORMAT", "%s: holds no class folder; expected one sub-folder of images per class%s%s",
      folder,
      found ~= "" and (" (it has %s, which are not read%s)"):format(found, unread.cure_other(own.other))
        or "", table_hint(folder))
  end
  fault.raise("EFORMAT", "%s: holds no class folder, but %d images of no class; expected one sub-folder of "
    .. "images per class%s", folder, n, part == "test"
    and "; without labels they cannot be the test part: rename the folder to leave them out"
    or table_hint(folder))
end

local function quoted_names(list)
  local out = {}
  for i = 1, math.min(#list, MOST_NAMED) do out[i] = list[i].name end
  return table.concat(out, ", ") .. (#list > MOST_NAMED and (" and %d more"):format(#list - MOST_NAMED) or "")
end

-- Class folders that cannot be read, all in one message: list of { name =, why = of the first }.
function unread.refuse_failed(level, failed)
  if #failed == 1 then fault.raise("EFORMAT", "%s", failed[1].why) end
  fault.raise("EFORMAT", "%s: %d class folders cannot be read (%s): %s", level, #failed, quoted_names(failed),
    failed[1].why)
end

-- One class folder without an image directly in it.
local function refuse_one(one)
  if one.below > 0 then
    fault.raise("EFORMAT", "%s: its %d images are in sub-folders; nested = true makes the folder of an "
      .. "image its class, nested = 1 the first folder below `root`", one.folder, one.below)
  end
  local own, files = unread.new(one.folder), {}
  for _, name in ipairs(sys.list(one.folder) or {}) do
    local path = one.folder .. "/" .. name
    if name:sub(1, 1) ~= "." and sys.exists(path) ~= "directory" then files[#files + 1] = path end
  end
  unread.note_other(own, files)
  local found = unread.describe_other(own.other)
  fault.raise("EFORMAT", '%s: holds no .jpg, .png or .bmp image%s; add some, or leave_out = { "%s" } '
    .. "leaves the class out", one.folder, found ~= "" and (", but %s, which are not read%s"):format(found,
    unread.cure_other(own.other)) or "", one.name)
end

-- Class folders without an image directly in them, all in one message: list of { folder =, name =, below =
-- images in their sub-folders }.
function unread.refuse_empty(report, level, empty)
  if #empty == 1 then refuse_one(empty[1]) end
  local below = 0
  for _, one in ipairs(empty) do below = below + one.below end
  if below > 0 then
    fault.raise("EFORMAT", "%s: in %d folders all %d images are in sub-folders (%s); nested = true makes "
      .. "the folder of an image its class, nested = 1 the first folder below `root`", level, #empty, below,
      quoted_names(empty))
  end
  local found = unread.describe_other(report.other)
  fault.raise("EFORMAT", "%s: %d class folders hold no .jpg, .png or .bmp image (%s)%s; add some, or name "
    .. "them in leave_out", level, #empty, quoted_names(empty), found ~= ""
    and ("; there are %s, which are not read%s"):format(found, unread.cure_other(report.other)) or "")
end

return unread
