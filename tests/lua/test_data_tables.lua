-- Tables of images: columns of parts and folds, one-hot labels, joined tables, names of files.
local lu = require "luaunit"
local core = require "aniso.core"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

local function make(...) layout:table(...) end

local function open(more)
  return fixture.open_table(layout, more)
end

local function refuses(...) fixture.refuses_table(lu, layout, ...) end

local label = fixture.label

-- ── columns ─────────────────────────────────────────────────────────────────────────────
function T:test_a_column_of_parts_in_any_spelling()
  local words = { "Train", "training", "TRAIN ", "Valid", "validation", "dev", "Testing", "test" }
  make("label,split", 32, function(i) return label(i) .. "," .. words[i % 16 // 2 + 1] end)
  local ds = assert(open { split = "split" })
  lu.assertEquals({ ds:n "train", ds:n "val", ds:n "test" }, { 12, 12, 8 })
  lu.assertEquals(ds.split.name, "column split")
  local cut = assert(open())
  lu.assertEquals(cut.split.name, "stratified 70/10/20")
  lu.assertStrContains(cut:info(), 'the table has a column split, which split = "split" uses')
  lu.assertEquals(cut.sha256, ds.sha256)
  make("label,split", 4, function(i) return label(i) .. "," .. (i == 3 and "exam" or "train") end)
  refuses({ split = "split" }, "t.csv line 4: 'exam' in column split is not a part; known in any case: "
    .. "train (training, trn), val (valid, validation, dev), test (testing, tst)")
  make("label,split", 4, function(i) return label(i) .. "," .. (i == 2 and "" or "train") end)
  refuses({ split = "split" }, "line 3: the split is empty; fill it in, or remove such rows")
end

function T:test_a_column_of_folds()
  make("label,fold", 20, function(i) return ("%s,%d"):format(label(i), i // 2 % 3 + 1) end)
  local ds = assert(open { fold = "fold" })
  lu.assertEquals(#ds.folds, 20)
  for i, fold in ipairs(ds.folds) do lu.assertEquals(fold, i // 2 % 3) end
  lu.assertStrContains(ds:info(), "folds    3, as published")
  lu.assertNil(open().folds)
  make("label,fold", 20, function(i) return label(i) .. "," .. (i == 5 and "a" or i % 2) end)
  refuses({ fold = "fold" }, "t.csv line 6: the fold 'a' is not a whole number")
  make("label,fold", 20, function(i) return label(i) .. ",1" end)
  refuses({ fold = "fold" }, "all images are in fold 1; at least two folds are needed")
end

function T:test_one_hot_labels()
  make("MEL,NV,age", 20, function(i) return i % 2 == 0 and "1.0,0.0,3" or "0,1,4" end)
  local ds = assert(open { one_hot = { "NV", "MEL" } })
  lu.assertEquals(ds.classes, { "MEL", "NV" })
  lu.assertEquals(ds:n "train" + ds:n "val" + ds:n "test", 20)
  make("MEL,NV", 4, function(i) return i == 2 and "1,1" or "1,0" end)
  refuses({ one_hot = { "MEL", "NV" } }, "t.csv line 3: MEL and NV are 1; exactly one class must be 1")
  make("MEL,NV", 4, function(i) return i == 2 and "0,0" or "1,0" end)
  refuses({ one_hot = { "MEL", "NV" } }, "line 3: no class is 1")
  refuses({ one_hot = { "MEL", "NEV" } }, "no column 'NEV'; its columns are image, MEL, NV")
  make("MEL,NV", 4, function(i) return i == 2 and "0.4,0.6" or "1,0" end)
  refuses({ one_hot = { "MEL", "NV" } }, "line 3: MEL is '0.4'; a one-hot label has 0 or 1")
end

function T:test_one_hot_tables_are_recognised()
  make("MEL,NV,age", 20, function(i) return i % 2 == 0 and "1.0,0.0,3" or "0,1,4" end)
  refuses({}, "t.csv: no column 'label'; one_hot = { \"MEL\", \"NV\" } reads the label from the columns of "
    .. "0 and 1")
  local function warned(more)
    local given = { "csv", root = layout.root, table = "t.csv" }
    for key, value in pairs(more) do given[key] = value end
    return assert(fixture.open_quietly(given))
  end
  fixture.warns(lu, warned { label = "MEL" }, "t.csv: the label is 0 or 1, as in other columns; one_hot = "
    .. "{ \"MEL\", \"NV\" } makes each of them a class")
  lu.assertEquals(warned { label = "age" }.facts.warnings, {})
  lu.assertEquals(warned { one_hot = { "MEL", "NV" } }.facts.warnings, {})
  -- 0 and 1 are classes where the columns are no one-hot label, whatever other columns hold
  make("label,sex,note", 20, function(i) return ("%d,%d,\xe6"):format(i % 2, i % 3 == 0 and 1 or 0) end)
  lu.assertEquals(warned({}).facts.warnings, {})
end

function T:test_images_that_no_row_names()
  make("label", 20, label)
  lu.assertNil(assert(open()):info():find "in no row")
  for i = 1, 3 do layout:image(("images/more%d.bmp"):format(i)) end
  layout:write("images/notes.txt", "no image")
  lu.assertStrContains(assert(open()):info(), ("note     3 images in %s are in no row of the table (such "
    .. "as more1.bmp)")
    :format(layout:path "images"))
end

function T:test_joined_tables()
  make("case", 20, function(i) return "c" .. i // 2 end)
  local rows = { "case;label;patient" }
  for k = 0, 10 do rows[#rows + 1] = ("c%d;%s;p%d"):format(k, label(k), k // 2) end
  layout:lines("labels.csv", rows, "\r\n")
  local ds = assert(open { join = { table = "labels.csv", on = "case" }, group = "patient" })
  lu.assertEquals(ds.split.name, "grouped 70/10/20")
  lu.assertEquals(ds.classes, { "even", "odd" })
  refuses({ join = { table = "labels.csv", on = "case" }, label = "dx" }, "no column 'dx'",
    "case, label, patient")
  rows[5] = nil
  layout:lines("labels.csv", { table.unpack(rows, 1, 4) })
  refuses({ join = { table = "labels.csv", on = "case" } }, "t.csv line 7: case 'c3' is not in ",
    "labels.csv")
  layout:lines("labels.csv", { "case;label", "c1;odd", "c1;odd" })
  refuses({ join = { table = "labels.csv", on = "case" } }, "labels.csv line 3: case 'c1' is listed twice")
  lu.assertErrorMsgContains("option data.join.on is needed", open, { join = { table = "labels.csv" } })
end

-- ── names and cells ─────────────────────────────────────────────────────────────────────
local function rename(to)
  layout.images = 0 -- the same pixels again
  local rows = { "image,label" }
  for i = 1, 10 do
    layout:image(("images/%03d.bmp"):format(i))
    rows[#rows + 1] = to(("%03d.bmp"):format(i)) .. "," .. label(i)
  end
  layout:lines("t.csv", rows)
end

function T:test_absolute_names_and_backslashes()
  rename(function(name) return name end)
  local pixels = assert(open()).mean
  rename(function(name) return layout:path "images/" .. name end)
  lu.assertEquals(assert(open()).mean, pixels)
  os.execute(("ln -s '%s' '%s/link'"):format(layout.root, layout.root))
  lu.assertEquals(assert(open { root = layout:path "link", images = "link/images" }).mean, pixels)
  os.remove(layout:path "link")
  rename(function(name) return "images\\" .. name end)
  lu.assertEquals(assert(open { images = "." }).mean, pixels)
end

function T:test_names_that_leave_the_data_set()
  layout:image "outside.bmp"
  make("label", 4, label)
  local rows = "image,label\n../../outside.bmp,odd\n002.bmp,even\n"
  layout:write("t.csv", rows)
  refuses({}, "t.csv line 2: image ../../outside.bmp is outside ", "data.images")
  layout:write("t.csv", (rows:gsub("%.%./%.%./", "..\\..\\")))
  refuses({}, "line 2: image ..\\..\\outside.bmp is outside")
  layout:write("t.csv", (rows:gsub("%.%./", "a/../../", 1)))
  refuses({}, "line 2: image a/../../../outside.bmp is outside")
  for _, path in ipairs { "/etc/hostname", layout.root .. "x/1.bmp", layout.root .. "/images/../../1.bmp" } do
    layout:write("t.csv", (rows:gsub("%.%./%.%./outside.bmp", path)))
    refuses({}, "line 2: image " .. path .. " is outside", 'images = "' .. path:match "^(.*)/" .. '" allows')
  end
  layout:write("t.csv", (rows:gsub("%.%./%.%./outside", "gone")))
  refuses({}, "line 2: image gone.bmp is not in ", "images, ", "; add the file or remove the row")
end

-- A table of millions of rows with a wrong folder is not looked through to its end.
function T:test_a_folder_with_none_of_the_images()
  make("label", 4, label)
  layout:write("t.csv", "image,label\n" .. ("gone.bmp,odd\n"):rep(9999) .. "002.bmp,even\n")
  refuses({}, "9999 of 10000 images are not in ")
  layout:write("t.csv", "image,label\n" .. ("gone.bmp,odd\n"):rep(10000) .. "002.bmp,even\n")
  refuses({}, "10000 of the first 10000 images are not in ")
end

function T:test_names_without_an_extension()
  local function named(first, other)
    layout.images = 0
    rename(function(name)
      local stem = name:match "^%d+"
      return stem == "001" and first or other(stem)
    end)
  end
  named("001", function(stem) return stem end)
  lu.assertEquals(assert(open { extension = ".bmp" }).classes, { "even", "odd" })
  refuses({}, "t.csv line 2: image 001 is not in ",
    'but 001.bmp is; extension = ".bmp" adds that to every name')
  named("gone", function(stem) return "..\\images\\" .. stem end) -- the first is absent, the others are not
  refuses({}, "t.csv line 3: image ..\\images\\002 is not in ",
    '.bmp is; extension = ".bmp" adds that to every name')
  named("x/y", function(stem) return "no" .. stem end)
  refuses({}, "10 of 10 images are not in ",
    'add the files or remove the rows, or extension = ".jpg" adds such an end to every name')
  named("gone", function(stem) return stem .. ".bmp" end)
  refuses({}, 'image gone is not in ', 'remove the row, or extension = ".jpg" adds such an end')
  named("001.BMP", function(stem) return stem .. ".bmp" end)
  refuses({}, "t.csv line 2: image 001.BMP is not in ",
    "but 001.bmp is: the case of letters counts; rename the files, or correct the table")
  named("001", function(stem) return stem end)
  refuses({ extension = ".png" }, "image 001.png is not in ",
    'but 001.bmp is; extension = ".bmp" (kind csv) adds that to every name, and without it the table gives '
      .. "each name whole")
end

function T:test_cells_that_are_not_utf8_or_empty()
  make("label", 4, function(i) return i == 3 and "n\xe6vus" or "b" end)
  refuses({}, "t.csv line 4: column label is not UTF-8; save the table as UTF-8")
  make("label", 4, function(i) return i == 3 and "" or "b" end)
  refuses({}, "t.csv line 4: the label is empty")
  layout:write("t.csv", "image,label\n")
  refuses({}, "t.csv: no image is listed")
  layout:write("t.csv", "")
  refuses({}, "t.csv: empty")
end

function T:test_the_engine_refuses_lists_that_do_not_fit()
  local function spec(rows) return { rows = rows, origin = "x", root = "." } end
  for _, case in ipairs {
    { { key = {}, class = {} }, "at least one row" }, { { key = { "a" } }, "no classes" },
    { { key = { "a", "b" }, class = { "x" } }, "data.class has 1 entries, expected 2" },
    { { key = { "a", 2 }, class = { "x", "y" } }, "data.key: entry 2 is not a string" },
    { { key = { "a" }, class = { "x" }, part = { "exam" } }, "data.part: entry 1 is not a part" },
    { { key = { "a" }, class = { "x" }, fold = { 1.5 } }, "data.fold: entry 1 is not a whole number" },
    { { key = { "a" }, class = { "x" }, line = { -1 } }, "data.line: entry 1" },
  } do
    lu.assertErrorMsgContains(case[2], core.data.open, spec(case[1]))
  end
  lu.assertErrorMsgContains("data.rows is not a table", core.data.open, {})
end

function T:test_a_csv_file_as_columns()
  local csv <close> = assert(core.csv.read(layout:lines("t.csv", { "a;b", '"1;2";x', "", "3;y" })))
  lu.assertEquals(csv:header(), { "a", "b" })
  lu.assertEquals(csv:n(), 2)
  lu.assertEquals(csv:column(1), { "1;2", "3" })
  lu.assertEquals(csv:lines(), { 2, 4 })
  lu.assertErrorMsgContains("no such column", csv.column, csv, 3)
  lu.assertStrContains(tostring(csv), "t.csv: 2 rows, 2 columns")
  local _, message, code = core.csv.read(layout:path "none.csv")
  lu.assertStrContains(message, "none.csv")
  lu.assertEquals(code, "ENOTFOUND")
end

return { DataTables = T }
