-- What makes the labels or parts of a set doubtful is reported when it is opened: one picture with two
-- labels, classes that differ in case, parts that lack images, columns and rows that could be either of two.
local lu = require "luaunit"
local core = require "aniso.core"
local calibrate = require "aniso.method.calibrate"
local published = require "aniso.method.data.published"
local medmnist = require "aniso.method.data.medmnist"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

local function class_folder(name, n) layout:images_of("set/" .. name, n) end

local function open(more)
  local given = { "folder", root = layout:path "set" }
  for key, value in pairs(more or {}) do given[key] = value end
  return assert(fixture.open_quietly(given))
end

function T:test_the_same_bytes_in_two_classes()
  class_folder("a", 12)
  class_folder("b", 12)
  lu.assertEquals(open().split.conflicts, 0)
  lu.assertEquals(open().split.conflict, {})
  local pixels = fixture.bmp(4, 4, 9, 9, 9)
  layout:write("set/a/90.bmp", pixels)
  layout:write("set/a/91.bmp", pixels)
  lu.assertEquals(open().split.conflicts, 0) -- copies in one class are no contradiction
  layout:write("set/b/90.bmp", pixels)
  local ds = open()
  lu.assertEquals(ds.split.conflicts, 3)
  lu.assertEquals(ds.split.conflict, { "a/90.bmp", "b/90.bmp" })
  fixture.warns(lu, ds, "3 images have the bytes of an image of another class (a/90.bmp and b/90.bmp)")
  lu.assertStrContains(ds:info(), "3 images have the bytes of an image of another class: a label is wrong")
end

function T:test_classes_that_differ_in_case_or_spaces()
  for _, name in ipairs { "Mel", "mel", "blue nevus", "Blue_Nevus", "nv" } do class_folder(name, 10) end
  local ds = open()
  fixture.warns(lu, ds, "'Mel' and 'mel' are two classes", "'Blue_Nevus' and 'blue nevus' are two classes")
  lu.assertEquals(#ds.facts.warnings, 2)
end

function T:test_parts_that_lack_images()
  class_folder("a", 20)
  class_folder("b", 1)
  local ds = open()
  fixture.warns(lu, ds, "without a test image, and so left out of means over classes: b")
  lu.assertEquals(#ds.facts.warnings, 1)
  class_folder("b", 20)
  lu.assertEquals(open().facts.warnings, {})
  ds = open { val = 0 }
  fixture.warns(lu, ds, "what is chosen on validation is chosen on test")
  local function chooses(config, of) calibrate.check_validation(config, of) end
  local calibrated = { select = { calibrate = { metric = "bacc" } } }
  lu.assertErrorMsgContains("select.calibrate chooses on validation", chooses, calibrated, ds)
  lu.assertErrorMsgContains("post_hoc (without a tau)", chooses,
    { select = {}, post_hoc = { "tau_norm" } }, ds)
  chooses({ select = {}, post_hoc = { "tau_norm", tau = 1 } }, ds)
  chooses({ select = {} }, ds)
  chooses(calibrated, open())
end

-- ── tables ──────────────────────────────────────────────────────────────────────────────
local function refuses(...) fixture.refuses_table(lu, layout, ...) end

function T:test_two_columns_of_one_name()
  layout:table("label,age,label", 20, function(i) return ("%s,%d,x"):format(fixture.label(i), i % 2) end)
  refuses({}, "t.csv: columns 2 and 4 are both called 'label'; rename one")
  lu.assertEquals(assert(fixture.open_table(layout, { label = "age" })).classes, { "0", "1" })
end

function T:test_a_column_of_both_joined_tables()
  layout:table("case,label", 20, function(i) return ("c%d,%s"):format(i, fixture.label(i)) end)
  local join = { join = { table = "more.csv", on = "case" } }
  local rows = { "case,label" }
  for i = 1, 20 do rows[i + 1] = ("c%d,%s"):format(i, fixture.label(i)) end
  layout:lines("more.csv", rows)
  lu.assertEquals(assert(fixture.open_table(layout, join)).classes, { "even", "odd" })
  rows[6] = "c5,even"
  layout:lines("more.csv", rows)
  refuses(join, "t.csv line 6: column 'label' is 'odd' here and 'even' in ", "more.csv; rename one")
  rows[6] = ",odd"
  layout:lines("more.csv", rows)
  refuses(join, "more.csv line 6: the case is empty, so the tables cannot be joined")
end

-- ── published sets ──────────────────────────────────────────────────────────────────────
function T.test_counts_of_two_versions()
  local function warnings_of(name, train, val, test)
    local list = {}
    require("aniso.method.data.warnings").stream = { write = function() end }
    published.check_parts(name, medmnist.sets[name], { train = train, val = val, test = test }, list)
    require("aniso.method.data.warnings").stream = nil
    return list
  end
  lu.assertEquals(warnings_of("organamnist", 34561, 6491, 17778), {})
  lu.assertEquals(warnings_of("organamnist", 34581, 6491, 17778), {})
  lu.assertEquals(warnings_of("organcmnist", 13000, 2392, 8216),
    { "organcmnist: other numbers of images than published (part expected/found: train 12975/13000)" })
end

function T:test_ham10000_as_dataverse_names_its_table()
  for _, name in ipairs { "HAM10000_metadata", "HAM10000_metadata.tab" } do
    local rows = { '"lesion_id"\t"image_id"\t"dx"' }
    for i = 1, 30 do
      layout:image(("ham/HAM10000_images_part_%d/ISIC_%d.jpg"):format(1 + i % 2, i))
      rows[i + 1] = ('"HAM_%d"\t"ISIC_%d"\t"%s"'):format(i // 2, i,
        ({ "nv", "mel", "bkl", "bcc", "akiec", "vasc", "df" })[1 + i // 2 % 7])
    end
    layout:lines("ham/" .. name, rows)
    local ds = assert(fixture.open_quietly { "ham10000", root = layout:path "ham", val = 0 })
    lu.assertEquals(ds.classes[7], "df")
    assert(os.remove(layout:path("ham/" .. name)))
  end
end

function T:test_a_table_of_folds_that_lists_an_image_twice()
  local root = layout:kvasir({ { "lower-gi-tract/a/cecum", "cecum", 12 },
    { "upper-gi-tract/a/pylorus", "pylorus", 12 } }, 2)
  local ds = assert(fixture.open_quietly { "hyper_kvasir", root = root })
  lu.assertStrContains(ds:info(), "5_fold_split.csv is not there: no official folds "
    .. "(official_folds = 2 has a table)")
  local path = root .. "/official_splits/2_fold_split.csv"
  local file <close> = assert(io.open(path, "a"))
  file:write("00000001-aaaa.jpg;cecum;1\n")
  file:flush()
  local _, message = fixture.open_quietly { "hyper_kvasir", root = root, official_folds = 2 }
  lu.assertStrContains(message, "line 26: 00000001-aaaa.jpg is listed twice, first in line 2")
  lu.assertEquals(core.sys.exists(path), "file")
end

return { DataDoubts = T }
