-- Layouts of folders that people have: parts by any usual name, a wrapping folder, classes with the name of a
-- part, parts that are not there; and what a message offers where a layout cannot be read.
local lu = require "luaunit"
local core = require "aniso.core"
local parts = require "aniso.method.data.parts"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

local function images(folder, n) layout:images_of(folder, n) end

local function classes(folder, n)
  images(folder .. "/a", n)
  images(folder .. "/b", n)
end

local function open(more)
  local given = { "folder", root = layout:path "set" }
  for key, value in pairs(more or {}) do given[key] = value end
  return fixture.open_quietly(given)
end

local function sizes(ds) return { ds:n "train", ds:n "val", ds:n "test" } end

local function refuses(more, ...)
  local ds, message = open(more)
  lu.assertNil(ds)
  lu.assertNil(message:find "\n")
  for _, part in ipairs { ... } do lu.assertStrContains(message, part) end
end

function T.test_names_of_parts()
  for part, names in pairs { train = { "train", "Training", "TRAIN", "trn", "train_set", "Training Set",
    "trainset",
    "train-images", "images.train", " train " }, val = { "val", "valid", "Validation", "dev", "valid_data",
      "valset" },
    test = { "test", "Testing", "tst", "test_images", "TestSet" } } do
    for _, name in ipairs(names) do lu.assertEquals(parts.of(name), part, name) end
  end
  for _, name in ipairs { "", "set", "trainer", "train val", "train_2", "tests", "vale", "evaluation",
    "images",
    "contest" } do
    lu.assertNil(parts.of(name), name)
  end
end

function T:test_parts_in_any_spelling()
  for _, names in ipairs { { "train", "valid", "test" }, { "Training", "Dev", "TESTING" },
    { "train_set", "validation-set", "test images" } } do
    for i, name in ipairs(names) do classes("set/" .. name, 9 - i) end
    local ds = assert(open())
    lu.assertEquals({ sizes(ds), ds.classes }, { { 16, 14, 12 }, { "a", "b" } })
    lu.assertStrContains(ds:info(), ("note     parts: train = %s, val = %s, test = "
      .. "%s"):format(table.unpack(names)))
    layout:remove()
  end
end

function T:test_train_and_test_alone()
  classes("set/Train", 20)
  classes("set/Test", 5)
  local ds = assert(open())
  lu.assertEquals(sizes(ds), { 36, 4, 10 })
  lu.assertStrContains(ds:info(), "note     parts: train = Train, test = Test; no folder val (valid, "
    .. "validation, dev), so val = 0.1 of the training images is cut")
  ds = assert(open { test = 0.3 })
  fixture.warns(lu, ds, "test = 0.3 cuts nothing, because the parts came with the data (folders)")
  lu.assertEquals(sizes(ds), { 36, 4, 10 })
end

function T:test_train_and_validation_alone()
  classes("set/train", 20)
  classes("set/validation", 5)
  local ds = assert(open())
  lu.assertEquals(sizes(ds), { 40, 10, 10 })
  lu.assertEquals(ds.split.test_is_val, 1)
  lu.assertStrContains(ds:info(), "no folder test (testing, tst), so validation is the test part, and "
    .. "nothing is cut")
  fixture.warns(lu, ds, "validation and test are the same part", "data.val = 0.1 cuts one")
  -- which is what it does
  ds = assert(open { val = 0.1 })
  lu.assertEquals({ sizes(ds), ds.split.test_is_val }, { { 36, 4, 10 }, 0 })
  lu.assertEquals(ds.facts.warnings, {})
  for _, key in ipairs(ds:keys "test") do lu.assertStrMatches(key, "validation/.*") end
end

function T:test_one_part_alone()
  classes("set/train", 5)
  refuses({}, ('the only part is train; root = "%s/train" has it cut into parts'):format(layout:path "set"),
    "a test part is named test (testing, tst)")
  os.rename(layout:path "set/train", layout:path "set/val")
  classes("set/test", 5)
  refuses({}, "its folders test and val are parts, and none of them is for training; name it train "
    .. "(training, trn)")
end

function T:test_a_wrapping_folder()
  for _, names in ipairs { { "set/archive/Data", "set/archive" }, { "set/x", "set" } } do
    layout:image "set/__MACOSX/archive/1.bmp"
    classes(names[1] .. "/train", 8)
    classes(names[1] .. "/test", 4)
    local ds = assert(open { val = 0 })
    lu.assertEquals({ sizes(ds), ds.classes }, { { 16, 8, 8 }, { "a", "b" } })
    lu.assertEquals(ds:keys("test")[1], names[1]:sub(5) .. "/test/a/01.bmp")
    lu.assertStrContains(ds:info(), "note     read from the folder " .. names[1]:sub(5))
    layout:remove()
  end
  classes("set/archive/pictures", 8)
  images("set/archive/pictures/a/deep", 2)
  local ds = assert(open())
  lu.assertEquals(ds.classes, { "a", "b" })
  fixture.warns(lu, ds, ('2 images in sub-folders of a class are not read (such as '
    .. 'archive/pictures/a/deep/01.bmp); '
    .. 'root = "%s/archive/pictures" and nested = 1 read them'):format(layout:path "set"))
  lu.assertEquals(assert(open { nested = 3 }).classes, { "a", "b" }) -- a depth is taken as it is
end

function T:test_a_class_with_the_name_of_a_part()
  for _, name in ipairs { "train", "car", "bus" } do images("set/" .. name, 6) end
  lu.assertEquals(assert(open()).classes, { "bus", "car", "train" })
end

function T:test_images_that_have_no_class()
  images("set/train", 6)
  images("set/test", 6)
  refuses({}, "/train: holds no class folder, but 6 images of no class; expected one sub-folder of images "
    .. "per class")
  layout:remove()
  classes("set/train", 6)
  images("set/test", 6)
  refuses({}, "/test: holds no class folder, but 6 images of no class",
    "without labels they cannot be the test part: "
    .. "rename the folder to leave them out")
end

function T:test_everything_that_is_not_read_is_counted()
  classes("set/train", 6)
  classes("set/test", 3)
  images("set", 1)
  images("set/train", 2)
  images("set/extra/a", 4)
  images("set/train/a/deep/deeper", 5)
  layout:write("set/train/b/deep/x.webp", "x")
  layout:write("set/train/x.gif", "x")
  layout:write("set/y.heic", "x")
  layout:write("set/extra/z.tiff", "x")
  layout:write("set/readme.txt", "no image")
  local ds = assert(open())
  lu.assertEquals(sizes(ds), { 10, 2, 6 })
  lu.assertEquals(#ds.facts.warnings, 4)
  fixture.warns(lu, ds, "1 .gif, 1 .heic, 1 .tiff, 1 .webp not read", "3 images in no class folder are not "
    .. "read (such as "
    .. "01.bmp); move them into the folder of their class", "4 images in folders that are no parts are not "
    .. "read",
    "5 images in sub-folders of a class are not read")
  for _, line in ipairs { "not read 1 .gif, 1 .heic, 1 .tiff, 1 .webp: JPEG, PNG and BMP are; convert them "
    .. "to PNG",
    "not read 3 images in no class folder: move", "not read 4 images in folders that are no parts: a part "
      .. "is named",
    "not read 5 images in sub-folders of a class: nested = 1 reads them" } do
    lu.assertStrContains(ds:info(), line)
  end
  lu.assertEquals(sizes(assert(open { nested = 1, val = 0 })), { 17, 6, 6 })
end

function T:test_images_above_the_level_of_nested()
  for _, class in ipairs { "a", "b" } do
    images("set/x/" .. class, 6)
    images("set/y/" .. class, 6)
  end
  images("set/x", 3)
  fixture.warns(lu, assert(open { nested = 2 }), "3 images above the folders of the classes are not read "
    .. "(such as x/01.bmp); a smaller `nested` reads them")
end

function T:test_parts_that_a_nested_set_mixes()
  classes("set/archive/train", 8)
  classes("set/archive/test", 4)
  local ds, root = assert(open { nested = true }), layout:path "set/archive"
  lu.assertEquals(ds.classes, { "a", "b" })
  fixture.warns(lu, ds, ('%s/train and %s/test are named as parts and are not used as parts; root = "%s" '
    .. 'uses them')
    :format(root, root, root))
  ds = assert(open { nested = true, root = root })
  lu.assertEquals({ ds:n "test", ds.facts.warnings }, { 8, {} })
end

function T:test_jpegs_by_other_names()
  classes("set", 6)
  for _, name in ipairs { "1.jfif", "2.JPE", "3.jfif" } do layout:write("set/a/" .. name, "x") end
  fixture.warns(lu, assert(open()), "1 .jpe, 2 .jfif not read", "; rename .jfif, .jpe to .jpg")
  layout:write("set/b/1.webp", "x")
  fixture.warns(lu, assert(open()), "; rename .jfif, .jpe to .jpg, convert the others to PNG")
end

function T:test_all_empty_class_folders_are_named()
  classes("set", 4)
  for i = 1, 12 do layout:write(("set/empty%02d/x.%s"):format(i, i == 1 and "webp" or "txt"), "x") end
  refuses({}, "/set: 12 class folders hold no .jpg, .png or .bmp image (empty01, empty02, empty03, "
    .. "empty04, empty05, "
    .. "empty06, empty07, empty08 and 4 more); there are 1 .webp, 11 .txt, which are not read; convert "
    .. "them to PNG; add some, or name them in leave_out")
end

function T:test_all_folders_that_cannot_be_read_are_named()
  classes("set", 4)
  images("set/c", 4)
  local list, forbidden = core.sys.list, { a = true }
  core.sys.list = function(path)
    if forbidden[path:match "[^/]*$"] then return nil, ("cannot list %s: Permission denied"):format(path),
      "EIO" end
    return list(path)
  end
  local ok, problem = pcall(function()
    refuses({}, ("cannot list %s/a: Permission denied"):format(layout:path "set"))
    forbidden.c = true
    refuses({}, ("set: 2 class folders cannot be read (a, c): cannot list %s/a: Permission denied")
      :format(layout:path "set"))
  end)
  core.sys.list = list
  lu.assertTrue(ok, tostring(problem))
end

function T:test_a_table_where_a_folder_is_expected()
  layout:table("label", 20, fixture.label)
  local path = layout:path "t.csv"
  refuses({ root = path }, ('%s: a file, not a folder; a table of images and labels is data = { "csv", '
    .. 'root = "%s", '
    .. 'table = "t.csv" }'):format(path, layout.root))
  refuses({ root = layout.root }, "only one class ('images'); at least two are needed; it holds t.csv: "
    .. "data = { \"csv\"")
  local ds, message = fixture.open_quietly { "csv", root = path, table = "t.csv" }
  lu.assertNil(ds)
  lu.assertStrContains(message, ('t.csv: a file; root = "%s", table = "t.csv" read it'):format(layout.root))
end

return { DataLayouts = T }
