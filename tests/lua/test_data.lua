-- aniso.data: kinds, options, the fields and methods of a Dataset, and errors.
local lu = require "luaunit"
local core = require "aniso.core"
local data = require "aniso.method.data"
local remove = dofile "tests/lua/remove_tree.lua"
local sys = core.sys

local T = {}
local root

local function write(name, content)
  local path = root .. "/" .. name
  assert(sys.mkdir_p((path:gsub("/[^/]*$", ""))))
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

-- A 24-bit BMP of one colour; the width must be a multiple of four.
local function bmp(width, height, r, g, b)
  local pixels = string.char(b, g, r):rep(width * height)
  return string.pack("<c2I4I2I2I4I4i4i4I2I2I4I4i4i4I4I4", "BM", 54 + #pixels, 0, 0, 54, 40, width,
    height, 1, 24, 0, #pixels, 0, 0, 0, 0) .. pixels
end

function T:setUp() root = assert(sys.mkdtemp()) end

function T:tearDown() remove(root) end

-- A small HAM10000: 30 nv, 20 mel and 10 of each other class, two images per lesion.
local function make_ham()
  local rows, number = { "lesion_id,image_id,dx,dx_type,age,sex,localization" }, 0
  for k, dx in ipairs { "nv", "mel", "bkl", "bcc", "akiec", "vasc", "df" } do
    for i = 1, k == 1 and 30 or k == 2 and 20 or 10 do
      number = number + 1
      local id = ("ISIC_%07d"):format(number)
      rows[#rows + 1] = ("HAM_%s_%d,%s,%s,histo,,male,back"):format(dx, i // 2, id, dx)
      write("images/" .. id .. ".jpg", bmp(8, 6, 30 * k, i, number))
    end
  end
  write("HAM10000_metadata.csv", table.concat(rows, "\r\n") .. "\r\n")
end

local function open_ham(more)
  local given = { "ham10000", root = root, size = 4, cache = false }
  for key, value in pairs(more or {}) do given[key] = value end
  return data(given)
end

function T:test_lesions_are_the_default_and_labelled_synthetic()
  local ds = data { n = 140, size = { 6, 8 } }
  lu.assertEquals(ds.name, "lesions (synthetic)")
  lu.assertEquals(ds.classes, { "nv", "mel", "bkl", "bcc", "akiec", "vasc", "df" })
  lu.assertEquals({ ds.K, ds.height, ds.width, ds.channels }, { 7, 6, 8, 3 })
  lu.assertEquals(ds:n "train" + ds:n "val" + ds:n "test", 140)
  lu.assertEquals(#ds.sha256, 64)
  lu.assertEquals(data("lesions").sha256, data { "lesions" }.sha256)
end

function T:test_ham10000_is_split_by_lesion()
  make_ham()
  local ds = open_ham()
  lu.assertEquals(ds.classes[5], "akiec")
  lu.assertEquals(ds.split.name, "grouped 70/10/20")
  lu.assertEquals(ds.split.group_leaks, 0)
  lu.assertEquals(ds.split.test_is_val, 0)
  lu.assertEquals(ds.counts, ds.split.n_train)
  for k, total in ipairs { 30, 20, 10, 10, 10, 10, 10 } do
    local split = ds.split
    lu.assertEquals(split.n_train[k] + split.n_val[k] + split.n_test[k], total)
    lu.assertTrue(split.n_train[k] > 0 and split.n_test[k] > 0)
  end
  lu.assertEquals(ds.split.sha256, open_ham().split.sha256)
  lu.assertNotEquals(ds.split.sha256, open_ham({ seed = 1 }).split.sha256)
  lu.assertEquals(ds.sha256, open_ham({ seed = 1 }).sha256)
  lu.assertStrContains(ds:info(), "grouped 70/10/20, seed 0\nlists    " .. ds.split.sha256)
end

local function make_split()
  local train, test = { "image_id,dx" }, { "image_id,dx" }
  for line in io.lines(root .. "/HAM10000_metadata.csv") do
    local id, dx = line:match ",(ISIC_%d+),(%a+),"
    local number = id and tonumber(id:match "%d+")
    if id then table.insert(number % 3 == 0 and test or train, id .. "," .. dx) end
  end
  write("split/paper_train.csv", table.concat(train, "\n"))
  write("split/paper_test.csv", table.concat(test, "\n"))
end

function T:test_a_published_split_keeps_its_test_list()
  make_ham()
  make_split()
  local ds = open_ham { split = root .. "/split" }
  lu.assertEquals(ds.split.name, "paper")
  lu.assertEquals({ ds:n "train" + ds:n "val", ds:n "test" }, { 67, 33 })
  lu.assertTrue(ds:n "val" >= 5 and ds:n "val" <= 9)
  for _, key in ipairs(ds:keys "test") do
    lu.assertEquals(tonumber(key:match "%d+") % 3, 0)
  end
  local none = open_ham { split = root .. "/split", val = 0 }
  lu.assertEquals(none.split.test_is_val, 1)
  lu.assertEquals(none:keys "val", none:keys "test")
  lu.assertEquals(none:n "train", 67)
end

function T:test_folders_and_tables_read_the_same_pixels()
  for i = 1, 12 do
    local dx = i % 2 == 0 and "even" or "odd"
    write(("f/%s/%02d.bmp"):format(dx, i), bmp(4, 4, 20 * i, 0, 255))
    write(("c/pictures/%02d.bmp"):format(i), bmp(4, 4, 20 * i, 0, 255))
  end
  local rows = { "name;kind" }
  for i = 1, 12 do rows[#rows + 1] = ("%02d;%s"):format(i, i % 2 == 0 and "even" or "odd") end
  write("c/table.csv", table.concat(rows, "\n"))
  local folder = data { "folder", root = root .. "/f", size = 2, cache = root .. "/cache" }
  local csv = data { "csv", root = root .. "/c", table = "table.csv", image = "name", label = "kind",
    extension = ".bmp", images = "pictures", size = 2, cache = root .. "/cache",
    classes = { "odd", "even" } }
  lu.assertEquals(folder.classes, { "even", "odd" })
  lu.assertEquals(csv.classes, { "odd", "even" })
  local function reds(ds)
    local out = {}
    for _, part in ipairs { "train", "val", "test" } do
      local x = ds:batch(part, 0, ds:n(part))
      for i, key in ipairs(ds:keys(part)) do
        out[key:match "%d+"] = math.floor((x:get(i, 1, 1, 1) * ds.std[1] + ds.mean[1]) * 255 + 0.5)
      end
    end
    return out
  end
  lu.assertEquals(reds(folder), reds(csv))
  lu.assertEquals(reds(csv)["07"], 140)
end

function T:test_orders_and_batches()
  local ds = data { "lesions", n = 140, size = 8 }
  local n = ds:n "train"
  local order = ds:order("train", { sampling = "instance", seed = 1, epoch = 2 })
  local sorted = order:list()
  table.sort(sorted)
  for i = 1, n do lu.assertEquals(sorted[i], i - 1) end
  lu.assertEquals(ds:order("val", { sampling = "sequential" }):list()[3], 2)
  local images, labels = ds:batch("train", order, { augment = { flip = true, shift = 1 }, epoch = 2 })
  lu.assertEquals(images:shape(), { n, 8, 8, 3 })
  lu.assertEquals(labels:dtype(), "int64")
  local all = ds:labels "train":list()
  for i, position in ipairs(order:list()) do lu.assertEquals(labels:get(i), all[position + 1]) end
  local same = ds:batch("train", order, { augment = { flip = true, shift = 1 }, epoch = 2 })
  lu.assertEquals(images:list(), same:list())
  local other = ds:batch("train", order, { augment = { flip = true, shift = 1 }, epoch = 3 })
  lu.assertNotEquals(images:list(), other:list())
end

function T:test_groups_are_relative_or_given()
  local ds = data { "lesions", n = 700, size = 4 }
  lu.assertEquals(ds.split.groups, { "relative", head = 5, tail = 20 })
  local most = math.max(table.unpack(ds.counts))
  for k, n in ipairs(ds.counts) do
    lu.assertEquals(ds.split.shot[k], n >= most / 5 and "many" or n <= most / 20 and "few" or "medium")
  end
  lu.assertStrContains(ds:info(), "head: at least 1/5 of the largest class, tail: at most 1/20")
  ds = data { "lesions", n = 140, size = 4, groups = { "given", head = { "df" }, tail = { "nv", "mel" } } }
  lu.assertEquals(ds.split.shot, { "few", "few", "medium", "medium", "medium", "medium", "many" })
  lu.assertErrorMsgContains("data.groups: there is no class 'x'", data,
    { "lesions", n = 140, size = 4, groups = { "given", head = { "x" } } })
end

function T:test_groups_follow_the_cut_points()
  local ds = data { "lesions", n = 400, size = 4, groups = { "counts", many = 25, few = 10 } }
  for k, n in ipairs(ds.counts) do
    lu.assertEquals(ds.split.shot[k], n > 25 and "many" or n < 10 and "few" or "medium")
  end
  lu.assertEquals(ds.split.groups, { "counts", many = 25, few = 10 })
  lu.assertEquals(ds.split.profile, "natural")
end

local function assert_error(given, ...)
  local ok, message = pcall(data, given)
  lu.assertFalse(ok, tostring(message))
  lu.assertNil(message:find "\n")
  for _, part in ipairs { ... } do lu.assertStrContains(message, part) end
end

function T:test_mistakes_in_options_raise_with_a_hint()
  assert_error({ "ham10000", rot = "x" }, "unknown option data.rot", "did you mean data.root?")
  assert_error({ "ham1000", root = "x" }, "did you mean ham10000?")
  assert_error({ "folder" }, "data.root is needed")
  assert_error({ "lesions", size = 0 }, "data.size")
  assert_error({ "lesions", val = 1 }, "data.val")
  assert_error({ "lesions", n = 10 }, "data.n")
  local ds = data { "lesions", n = 70, size = { 4, 8 } }
  lu.assertErrorMsgContains("transpose", ds.batch, ds, "train", 0, 2, { augment = { transpose = true } })
  lu.assertErrorMsgContains("outside the train part", ds.batch, ds, "train", 0, 1000)
  lu.assertErrorMsgContains("invalid option 'dev'", ds.n, ds, "dev")
  lu.assertErrorMsgContains("not one of instance", ds.order, ds, "train", { sampling = "balanced" })
  ds:close()
  lu.assertErrorMsgContains("closed", ds.n, ds, "train")
  lu.assertEquals(tostring(ds), "Dataset (closed)")
end

function T:test_errors_of_files_name_the_file()
  assert_error({ "folder", root = root .. "/none" }, root .. "/none: no such folder")
  assert_error({ "ham10000", root = root }, root .. ": not HAM10000: expected HAM10000_metadata.csv",
    "found nothing")
  assert_error({ "folder", root = root }, root .. ": holds no class folder")
  write("a/notes.txt", "x")
  assert_error({ "folder", root = root }, root .. "/a: holds no .jpg, .png or .bmp image, but 1 .txt, which "
    .. "are not read; add some, or leave_out = { \"a\" } leaves the class out")
  make_ham()
  write("images/ISIC_0000007.jpg", "this is text")
  assert_error({ "ham10000", root = root, cache = false }, "ISIC_0000007.jpg: not a JPEG, PNG or BMP")
  write("images/ISIC_0000007.jpg", bmp(8, 6, 1, 2, 3):sub(1, 100))
  assert_error({ "ham10000", root = root, cache = false }, "ISIC_0000007.jpg: truncated BMP")
  os.remove(root .. "/images/ISIC_0000007.jpg")
  assert_error({ "ham10000", root = root }, "line 8: image ISIC_0000007.jpg is not in")
  make_ham()
  make_split()
  write("split/paper_train.csv", "image_id,dx\nISIC_0000001,nv\n")
  assert_error({ "ham10000", root = root, split = root .. "/split", cache = false },
    "class 'mel' has no training image")
  local ds, message, code = data.open { "ham10000", root = root .. "/none" }
  lu.assertNil(ds)
  lu.assertStrContains(message, "no such folder; `root` must be the folder of HAM10000")
  lu.assertEquals(code, "ENOTFOUND")
end

return { Data = T }
