-- Ready-made lists of parts as tables, text and NumPy arrays; MONICA's lists as a data set.
local lu = require "luaunit"
local data = require "aniso.method.data"
local numpy = require "aniso.method.data.numpy"
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

local function list(from, to, line)
  local out = {}
  for i = from, to do out[#out + 1] = line(("%03d"):format(i), label(i), i) end
  return out
end

local function counts(ds) return { ds:n "train", ds:n "val", ds:n "test" } end

function T:test_lists_by_other_words()
  make("label", 30, label)
  local function line(name, class) return name .. ".bmp," .. class end
  for _, names in ipairs { { "Training", "Valid", "testing" }, { "x-trn", "x-dev", "x-tst" },
    { "train", "validation", "test" } } do
    layout:lines(("l/%s.csv"):format(names[1]), { "image,label", table.unpack(list(1, 16, line)) })
    layout:lines(("l/%s.csv"):format(names[2]), { "image,label", table.unpack(list(17, 20, line)) })
    layout:lines(("l/%s.csv"):format(names[3]), { "image,label", table.unpack(list(21, 28, line)) })
    local ds = assert(open { split = layout:path "l" })
    lu.assertEquals({ counts(ds), ds.split.name }, { { 16, 4, 8 }, names[1] == "x-trn" and "x" or "l" })
    for _, name in ipairs(names) do os.remove(layout:path(("l/%s.csv"):format(name))) end
  end
  layout:lines("l/x_train.csv", { "image,label", table.unpack(list(1, 16, line)) })
  layout:lines("l/x_test.csv", { "image,label", table.unpack(list(21, 28, line)) })
  layout:lines("l/invalid.csv", { "image,label", table.unpack(list(17, 20, line)) }) -- no list of a part
  lu.assertEquals(counts(assert(open { split = layout:path "l", val = 0 })), { 16, 8, 8 })
  layout:lines("l/val.csv", { "image,label", table.unpack(list(17, 20, line)) })
  layout:lines("l/x_valid.csv", { "image,label", table.unpack(list(17, 20, line)) })
  refuses({ split = layout:path "l" }, "both val.csv and x_valid.csv could be the val list; keep one")
end

function T:test_lists_as_tables_text_and_arrays()
  make("label", 30, label)
  local function write(extension, head, line)
    layout:lines("lists/x_train." .. extension, { head, table.unpack(list(1, 16, line)) })
    layout:lines("lists/x_val." .. extension, { head, table.unpack(list(17, 20, line)) })
    layout:lines("lists/x_test." .. extension, { head, table.unpack(list(21, 28, line)) })
  end
  write("csv", "image,label", function(name, class) return name .. ".bmp," .. class end)
  local ds = assert(open { split = layout:path "lists" })
  lu.assertEquals(counts(ds), { 16, 4, 8 })
  lu.assertEquals(ds.split.name, "x")
  layout:remove()
  layout = fixture.new()
  make("label", 30, label)
  write("txt", "images/030.bmp 0", function(name, _, i) return ("./images/%s.bmp %d"):format(name, i % 2) end)
  for _, part in ipairs { "val", "test" } do
    local path = layout:path("lists/x_" .. part .. ".txt")
    local text = io.open(path):read "a"
    layout:write("lists/x_" .. part .. ".txt", (text:gsub("^[^\n]*\n", "")))
  end
  lu.assertEquals(counts(assert(open { split = layout:path "lists" })), { 17, 4, 8 })
  for part, range in pairs { train = { 1, 10 }, test = { 11, 16 } } do
    layout:write(("np/y_%s_100.npy"):format(part), fixture.npy_names(list(range[1], range[2],
      function(name) return name .. ".bmp" end), 9))
  end
  local array = assert(open { split = layout:path "np", ratio = 100, val = 0 })
  lu.assertEquals({ array:n "train", array:n "test" }, { 10, 6 })
  lu.assertEquals(array.split.name, "y_100")
  lu.assertEquals(assert(open { split = layout:path "np/y", ratio = 100, val = 0 }).split.sha256,
    array.split.sha256)
  refuses({ split = layout:path "np" }, "no file that ends with train.csv")
end

function T:test_lists_that_do_not_fit()
  make("label", 8, label)
  local function write(train, test)
    layout:write("lists/x_train.csv", "image,label\n" .. train)
    layout:write("lists/x_test.csv", "image\n" .. test)
  end
  write("001.bmp,odd\n002.bmp,even\n", "003.bmp\n001.bmp\n")
  refuses({ split = layout:path "lists" }, "x_test.csv line 3: image '001.bmp' is already in the train part")
  write("001.bmp,even\n", "003.bmp\n")
  refuses({ split = layout:path "lists" }, "x_train.csv line 2: image '001.bmp' is labelled 'even' here "
    .. "and 'odd'")
  write("999.bmp,even\n", "003.bmp\n")
  refuses({ split = layout:path "lists" }, "x_train.csv line 2: image '999.bmp' is not in ", "t.csv")
  for _, name in ipairs { "other/001.bmp", "a/other/001", "001", "other\\001.bmp" } do
    write(name .. ",odd\n002.bmp,even\n", "003.bmp\n")
    lu.assertEquals(assert(open { split = layout:path "lists", val = 0 }):n "train", 2, name)
  end
  write("other/x001.bmp,odd\n002.bmp,even\n", "003.bmp\n")
  refuses({ split = layout:path "lists" }, "image 'other/x001.bmp' is not in ")
  layout:write("lists/y_train.csv", "image,label\n")
  refuses({ split = layout:path "lists" }, "both x_train.csv and y_train.csv could be the train list")
  refuses({ split = layout:path "none" }, "/none: no such folder of lists")
  refuses({ split = "none" }, "none: no such folder of lists (searched in /", "needs the whole path)")
end

function T:test_monicas_lists_with_their_dictionary()
  local pairs_of = {}
  for i = 1, 30 do
    layout:image(("set/%03d.bmp"):format(i))
    pairs_of[i] = { ("%03d.bmp"):format(i), i % 3 == 0 and 10 or i % 3 }
  end
  layout:write("np/dic.npy", fixture.npy_dictionary(pairs_of))
  local function name(n) return n .. ".bmp" end
  layout:write("np/train_20.npy", fixture.npy_names(list(1, 15, name), 8))
  layout:write("np/val_20.npy", fixture.npy_names(list(16, 21, name), 8))
  layout:write("np/test_20.npy", fixture.npy_names(list(22, 30, name), 8))
  local given = { "monica", root = layout:path "set", split = layout:path "np", ratio = 20, size = 4,
    cache = false }
  local ds = data(given)
  lu.assertEquals(counts(ds), { 15, 6, 9 })
  lu.assertEquals(ds.classes, { "1", "2", "10" })
  lu.assertEquals(ds.counts, { 5, 5, 5 })
  given.class_names = { "a", "b", "c", [4] = "d" }
  lu.assertErrorMsgContains("class 10, but class_names has 4 entries", data, given)
  os.remove(layout:path "np/dic.npy")
  local _, message = data.open(given)
  lu.assertStrContains(message, "no dic.npy; it maps the names of the lists to class numbers")
end

function T:test_text_lists_with_labels_are_a_set()
  for i = 1, 12 do layout:image(("set/a b/%03d.bmp"):format(i)) end
  layout:lines("txt/ImageNet_LT_train.txt", list(1, 8, function(n, _, i) return ("a b/%s.bmp %d"):format(n,
    i % 2) end))
  layout:lines("txt/ImageNet_LT_test.txt", list(9, 12, function(n, _, i) return ("a b/%s.bmp\t%d"):format(n,
    i % 2) end))
  local ds = data { "monica", root = layout:path "set", split = layout:path "txt", size = 4, cache = false,
    class_names = { "even", "odd" }, val = 0, name = "mine" }
  lu.assertEquals(ds.classes, { "even", "odd" })
  lu.assertEquals({ ds:n "train", ds:n "test", ds.name }, { 8, 4, "mine" })
end

function T:test_arrays_that_are_damaged_or_something_else()
  local function refuse(f, content, part)
    local path = layout:write("x.npy", content)
    local ok, problem = pcall(f, path)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(problem), part)
  end
  local good = fixture.npy_names({ "ab", "c" }, 3)
  lu.assertEquals(numpy.names(layout:write("x.npy", good)), { "ab", "c" })
  refuse(numpy.names, good:sub(1, -2), "cut off")
  refuse(numpy.names, "PK\3\4", "not a .npy file")
  refuse(numpy.names, (good:gsub("<U3", "<f4")), "not an array of names")
  refuse(numpy.dictionary, good, "not a dictionary")
  local dictionary = fixture.npy_dictionary { { "a", 1 }, { "b", 2 } }
  lu.assertEquals(numpy.dictionary(layout:write("x.npy", dictionary)), { a = 1, b = 2 })
  for cut = #dictionary - 60, #dictionary - 1 do
    refuse(numpy.dictionary, dictionary:sub(1, cut), "a pickle of other things than names")
  end
  refuse(numpy.dictionary, dictionary:sub(1, 128) .. "cos\nsystem\n(X\4\0\0\0true\x85RP.",
    "a pickle of other things than names")
end

return { DataLists = T }
