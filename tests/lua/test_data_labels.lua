-- Labels in doubt and what the user may say about them: look-alikes, missing values, merge, leave_out,
-- no_group.
local lu = require "luaunit"
local labels = require "aniso.method.data.labels"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

-- A table whose labels are the list again and again.
local function make(list, n)
  layout:table("label", n or 8 * #list, function(i) return list[(i - 1) % #list + 1] end)
end

local function open(more)
  local given = { "csv", root = layout.root, table = "t.csv" }
  for key, value in pairs(more or {}) do given[key] = value end
  return assert(fixture.open_quietly(given))
end

local function total(ds) return ds:n "train" + ds:n "val" + ds:n "test" end

function T.test_what_looks_alike()
  for _, group in ipairs { { "1", "01", "1.0", "+1", "1e0" }, { "Mel", "mel", " mel", "MEL " },
    { "blue nevus", "Blue_Nevus", "blue-nevus", "blue  nevus", "blue\u{A0}nevus" },
    { "nævus", "NÆVUS" }, { "Café", "cafe\u{301}", "café" }, { "нос", "НОС" }, { "α", "Α" }, { "a\u{200B}b",
      "ab" } } do
    for _, label in ipairs(group) do lu.assertEquals(labels.appearance(label),
      labels.appearance(group[1])) end
  end
  local seen = {}
  for _, label in ipairs { "1", "10", "-1", "mel", "melanoma", "a1", "a2", "ab", "a b", "nv", "æ", "a" } do
    local appearance = labels.appearance(label)
    lu.assertNil(seen[appearance], label)
    seen[appearance] = true
  end
end

function T:test_look_alikes_are_named_with_the_option_that_joins_them()
  make { "1", "01", "2" }
  local ds = open()
  lu.assertEquals(#ds.classes, 3)
  fixture.warns(lu, ds, "'01' and '1' are two classes; should they be one? merge = { { \"01\", \"1\" } } "
    .. "makes them one")
  ds = open { merge = { { "1", "01" } } }
  lu.assertEquals(ds.classes, { "1", "2" })
  lu.assertEquals(total(ds), 24)
  lu.assertEquals(ds.split.n_train[1] + ds.split.n_val[1] + ds.split.n_test[1], 16)
  lu.assertEquals(ds.facts.warnings, {})
end

-- The option that a warning shows joins all of them, since a label may be in one list of `merge` only.
function T:test_look_alikes_of_one_class_are_one_warning()
  make { "1", "01", "1.0", "2" }
  fixture.warns(lu, open(), "'01', '1' and '1.0' are 3 classes; should they be one? "
    .. "merge = { { \"01\", \"1\", \"1.0\" } } makes them one")
  local ds = open { merge = { { "01", "1", "1.0" } } }
  lu.assertEquals({ ds.classes, ds.facts.warnings }, { { "01", "2" }, {} })
end

-- So does the option that leaves labels out, which repeats what the recipe leaves out already.
function T:test_missing_labels_are_one_warning()
  make { "a", "b", "NA", "nan", "" }
  fixture.warns(lu, open { leave_out = { "" } }, "the classes 'NA' and 'nan' look like missing labels; "
    .. 'leave_out = { "", "NA", "nan" } leaves their images out')
  local ds = open { leave_out = { "", "NA", "nan" } }
  lu.assertEquals({ ds.classes, ds.facts.warnings }, { { "a", "b" }, {} })
end

function T:test_missing_labels_are_named_with_the_option_that_leaves_them_out()
  for _, word in ipairs { "nan", "NaN", "NA", "N/A", "null", "None", "<NA>", "-", "?", "#N/A", " nan " } do
    lu.assertTrue(labels.is_missing(word))
  end
  for _, word in ipairs { "nana", "naevus", "none of these", "0",
    "n" } do lu.assertFalse(labels.is_missing(word)) end
  make { "a", "b", "nan" }
  local ds = open()
  lu.assertEquals(ds.classes, { "a", "b", "nan" })
  fixture.warns(lu, ds, "the class 'nan' looks like a missing label; leave_out = { \"nan\" } leaves its "
    .. "images out")
  ds = open { leave_out = { "nan" } }
  lu.assertEquals({ #ds.classes, total(ds) }, { 2, 16 })
  lu.assertEquals(ds.facts.warnings, {})
  lu.assertStrContains(ds:info(), "not used 8 images, which leave_out names")
end

function T:test_empty_labels_are_all_named_and_may_be_left_out()
  make({ "a", "b", "", "  " }, 48)
  fixture.refuses_table(lu, layout, {}, "t.csv lines 4, 5, 8, 9, 12, 13, 16, 17 and 16 more: the label is "
    .. "empty; ",
    'leave_out = { "" } leaves such rows out')
  local ds = open { leave_out = { "" } }
  lu.assertEquals({ ds.classes, total(ds) }, { { "a", "b" }, 24 })
  lu.assertEquals(ds.facts.warnings, {})
end

function T:test_options_that_name_no_label()
  make { "a", "b" }
  fixture.warns(lu, open { leave_out = { "c" } }, "data.leave_out: the set has no label 'c'")
  fixture.warns(lu, open { merge = { { "a", "A" } } }, "data.merge: the set has no label 'A'")
  lu.assertErrorMsgContains("option data.merge[1] needs the name of the class and at least one label", open,
    { merge = { { "a" } } })
  lu.assertErrorMsgContains("option data.merge: label 'a' is in two of its lists", open,
    { merge = { { "x", "a" }, { "y", "a" } } })
end

-- The column of the labels may be that of the images; the table's own columns stay as they are.
function T:test_rows_are_left_out_of_every_column()
  layout:table("label,part,fold", 40, function(i)
    return ("%s,%s,%d"):format(i % 4 == 0 and "x" or fixture.label(i), i > 30 and "test" or "train", i % 2)
  end)
  local ds = open { leave_out = { "x" }, split = "part", fold = "fold" }
  lu.assertEquals(ds:n "test", 7)
  lu.assertEquals(#ds.folds, 30)
  for i, key in ipairs(ds:keys "test") do
    local number = math.tointeger(tonumber(key:match "%d+"))
    lu.assertTrue(number > 30 and number % 4 ~= 0)
    lu.assertEquals(ds.classes[ds:labels("test"):list()[i] + 1], fixture.label(number))
  end
end

function T:test_ids_of_groups_that_are_missing_values()
  layout:table("label,patient", 40, function(i) return fixture.label(i) .. "," .. (i > 10 and "nan" or "p"
    .. i) end)
  local ds = open { group = "patient" }
  fixture.warns(lu, ds, "'nan' in column patient makes 30 images one group; no_group = { \"nan\" } takes "
    .. "each of them alone")
  ds = open { group = "patient", no_group = { "nan" } }
  lu.assertEquals(ds.split.n_test, { 4, 4 })
  lu.assertEquals(ds.facts.warnings, {})
end

function T:test_class_folders()
  for _, name in ipairs { "Mel", "mel", "nv", "unlabelled" } do
    for i = 1, 8 do layout:image(("set/%s/%d.bmp"):format(name, i)) end
  end
  layout:write("set/empty/notes.txt", "no image")
  local given = { "folder", root = layout:path "set", leave_out = { "unlabelled", "empty" }, merge = { {
    "mel", "Mel" } } }
  local ds = assert(fixture.open_quietly(given))
  lu.assertEquals({ ds.classes, total(ds) }, { { "mel", "nv" }, 24 })
end

function T:test_a_class_folder_that_is_not_utf8()
  layout:image "set/n\xe6vus/1.bmp"
  layout:image "set/b/1.bmp"
  for _, nested in ipairs { false, true } do
    local ds, message = fixture.open_quietly { "folder", root = layout:path "set", nested = nested }
    lu.assertNil(ds)
    lu.assertStrContains(message, "n\\xE6vus: the name of this class folder is not UTF-8; rename it")
  end
end

function T:test_names_of_images_that_are_not_utf8()
  for i, name in ipairs { "set/a/1.bmp", "set/a/\xe6.bmp", "set/b/\xff.bmp", "set/b/2.bmp" } do
    layout:image(name, i)
  end
  for _, nested in ipairs { false, true } do
    local ds, message = fixture.open_quietly { "folder", root = layout:path "set", nested = nested }
    lu.assertNil(ds)
    lu.assertStrContains(message, "a/\\xE6.bmp: the name of this image and of 1 more is not UTF-8; rename")
  end
end

function T:test_columns_that_are_no_labels()
  make({ ("x"):rep(2000), "b" }, 8)
  fixture.refuses_table(lu, layout, {}, "t.csv line 2: the label has 2000 bytes, more than 1000; is it the "
    .. "column of")
  layout:write("t.csv", "image,diagn\xf3stico\n001.bmp,a\n")
  fixture.refuses_table(lu, layout, { label = "diagnóstico" }, "line 1: the name of column 2 is not UTF-8; "
    .. "save the table as UTF-8")
end

return { DataLabels = T }
