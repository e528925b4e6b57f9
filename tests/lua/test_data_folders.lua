-- Folders of images: nested classes, folders of parts, files that are not read.
local lu = require "luaunit"
local data = require "aniso.method.data"
local warnings = require "aniso.method.data.warnings"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

local function images(folder, n) layout:images_of(folder, n) end

-- The data set, and what went to stderr.
local function open(more)
  local given, shown = { "folder", root = layout.root, size = 4, cache = false }, {}
  for key, value in pairs(more or {}) do given[key] = value end
  warnings.stream = { write = function(_, ...) shown[#shown + 1] = table.concat { ... } end }
  local ok, ds, message = pcall(data.open, given)
  warnings.stream = nil
  if not ok then error(ds, 0) end
  return ds, ds and table.concat(shown) or message
end

local function refuses(more, ...)
  local ds, message = open(more)
  lu.assertNil(ds)
  for _, part in ipairs { ... } do lu.assertStrContains(message, part) end
end

local function total(ds) return ds:n "train" + ds:n "val" + ds:n "test" end

function T:test_nested_classes_by_their_last_folder_path_or_depth()
  images("lower/landmarks/cecum", 6)
  images("lower/findings/polyps", 6)
  images("upper/landmarks/cecum", 6)
  lu.assertEquals(open({ nested = true }).classes, { "cecum", "polyps" })
  lu.assertEquals(open({ nested = true, class_from = "path" }).classes,
    { "lower/findings/polyps", "lower/landmarks/cecum", "upper/landmarks/cecum" })
  lu.assertEquals(open({ nested = 1 }).classes, { "lower", "upper" })
  lu.assertEquals(open({ nested = 2 }).classes, { "findings", "landmarks" })
  lu.assertEquals(open({ nested = 2, class_from = "path" }).classes,
    { "lower/findings", "lower/landmarks", "upper/landmarks" })
  local ds = open { nested = true }
  lu.assertEquals(total(ds), 18)
  lu.assertEquals(ds.name, layout.root:match "[^/]+$")
  refuses({ root = "no-folder" }, "no-folder: no such folder (searched in /")
  refuses({}, ": in 2 folders all 18 images are in sub-folders (lower, upper); nested = true")
  images("lower", 2)
  refuses({}, "/upper: its 6 images are in sub-folders; nested = true makes the folder of an image its "
    .. "class, nested = 1 the first folder below `root`")
  refuses({ nested = 4 }, "holds no class folder")
  lu.assertErrorMsgContains("data.nested must be true, false or a depth from 1 to 16", open, { nested = 0 })
end

function T:test_folders_of_parts_have_usual_names()
  for part, n in pairs { Train = 6, Validation = 4, test = 5 } do
    images(part .. "/a", n)
    images(part .. "/b", n)
  end
  local ds = open()
  lu.assertEquals({ ds:n "train", ds:n "val", ds:n "test" }, { 12, 8, 10 })
  lu.assertEquals(ds.split.name, "folders")
  lu.assertEquals(ds:keys("val")[1], "Validation/a/01.bmp")
  images("other/deep", 1)
  local more, warned = open()
  lu.assertEquals(more.sha256, ds.sha256)
  lu.assertStrContains(warned, "1 images in folders that are no parts are not read (such as "
    .. "other/deep/01.bmp); "
    .. "a part is named train (training, trn), val (valid, validation, dev), test (testing, tst)")
  images("valid/a", 1)
  refuses({}, "both Validation and valid could be the val part; keep one")
end

function T:test_nested_folders_of_parts()
  for part, n in pairs { train = 6, test = 3 } do
    images(part .. "/x/a", n)
    images(part .. "/y/b", n)
  end
  local ds = open { nested = true, val = 0 }
  lu.assertEquals({ ds:n "train", ds:n "test" }, { 12, 6 })
  lu.assertEquals(ds.classes, { "a", "b" })
end

function T:test_files_of_other_formats_are_counted_and_named_once()
  images("a", 6)
  images("b", 6)
  for i = 1, 3 do layout:write(("b/%d.WEBP"):format(i), "x") end
  layout:write("a/1.tif", "x")
  layout:write("a/.hidden", "x")
  layout:write("a/LICENSE", "x")
  layout:write("about.txt", "in no class folder")
  warnings.forget()
  local ds, shown = open()
  lu.assertEquals(total(ds), 12)
  lu.assertEquals(ds.facts.other_files.webp, { n = 3, example = "b/1.WEBP", classes = { b = 3 } })
  lu.assertStrContains(ds:info(), "not read 1 .tif, 1 with no extension, 3 .webp: JPEG, PNG and BMP are")
  lu.assertStrContains(shown, "aniso: warning: " .. layout.root
    .. ": 1 .tif, 1 with no extension, 3 .webp not "
    .. "read, only JPEG, PNG and BMP are (such as a/1.tif); convert them to PNG\n")
  local again, nothing = open()
  lu.assertEquals(nothing, "")
  lu.assertEquals(again.facts.warnings, ds.facts.warnings)
  os.rename(layout:path "a", layout:path "c")
  for i = 1, 6 do os.remove(layout:path(("c/%02d.bmp"):format(i))) end
  refuses({}, "/c: holds no .jpg, .png or .bmp image, but 1 .tif, 1 with no extension, which are not read")
end

function T:test_images_below_a_class_folder_are_no_silent_loss()
  images("a", 6)
  images("b", 6)
  images("a/patient7", 2)
  local ds, shown = open()
  lu.assertEquals(total(ds), 12)
  lu.assertStrContains(shown, "2 images in sub-folders of a class are not read (such as a/patient7/01.bmp); "
    .. "nested = 1 reads them")
  lu.assertStrContains(ds:info(), "not read 2 images in sub-folders of a class: nested = 1 reads them")
  local all, quiet = open { nested = 1 }
  lu.assertEquals({ total(all), quiet }, { 14, "" })
end

function T:test_names_for_the_terminal()
  images("a\27[2J", 4)
  images("b", 4)
  layout:write("b/x\27]0;title\7.gif", "x")
  local ds, shown = open()
  lu.assertNil(shown:find "\27")
  lu.assertNil(ds:info():find "\27")
end

function T:test_a_link_that_leads_back()
  images("a", 4)
  images("b", 4)
  os.execute(("ln -s .. '%s/a/up'"):format(layout.root))
  refuses({ nested = true }, "folders more than 16 deep; does a link form a cycle?")
end

return { DataFolders = T }
