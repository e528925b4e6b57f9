-- Data sets in a few large files: cifar10, mnist, medmnist; long tails of any set.
local lu = require "luaunit"
local core = require "aniso.core"
local data = require "aniso.method.data"
local medmnist = require "aniso.method.data.medmnist"
local remove = dofile "tests/lua/remove_tree.lua"
local sys = core.sys

local T = {}
local root

local function write(name, content)
  local path = root .. "/" .. name
  assert(sys.mkdir_p((path:gsub("/[^/]*$", ""))))
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
  return path
end

function T:setUp() root = assert(sys.mkdtemp()) end

function T:tearDown() remove(root) end

local CLASSES = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck" }

-- `n` records of CIFAR-10 with the labels in turn; no two are equal.
local function records(first, n)
  local out = {}
  for i = first, first + n - 1 do
    out[#out + 1] = string.char(i % 10) .. string.pack("<I4", i) .. string.char(i % 251):rep(3068)
  end
  return table.concat(out)
end

local function make_cifar(per_batch)
  for batch = 1, 5 do write(("data_batch_%d.bin"):format(batch), records(batch * per_batch, per_batch)) end
  write("test_batch.bin", records(0, 40))
  write("batches.meta.txt", table.concat(CLASSES, "\n") .. "\n\n")
end

local function cifar(more)
  local given = { "cifar10", root = root, size = 4 }
  for key, value in pairs(more or {}) do given[key] = value end
  return data(given)
end

function T.test_cifar_has_its_official_test_part()
  make_cifar(100)
  local ds = cifar()
  lu.assertEquals(ds.classes, CLASSES)
  lu.assertEquals({ ds:n "train", ds:n "val", ds:n "test" }, { 450, 50, 40 })
  lu.assertEquals({ ds.split.name, ds.split.profile, ds.split.before_tail }, { "official", "natural", 450 })
  for _, key in ipairs(ds:keys "test") do lu.assertEquals(key:match "^%a+", "test") end
  lu.assertEquals(cifar { val = 0 }.split.test_is_val, 1)
  lu.assertEquals(cifar { size = 8 }.sha256, ds.sha256)
end

function T.test_a_long_tail_cuts_training_only()
  make_cifar(100)
  local tail = cifar { val = 0, long_tail = { "exp", ratio = 25 } }
  lu.assertEquals(tail.counts, { 50, 34, 24, 17, 11, 8, 5, 4, 2, 2 })
  lu.assertEquals(tail.split.n_test, { 4, 4, 4, 4, 4, 4, 4, 4, 4, 4 })
  local split = tail.split
  lu.assertEquals({ split.name, split.profile, split.imbalance_factor, split.before_tail },
    { "official, exp 25", "exp", 25.0, 500 })
  local step = cifar { val = 0, long_tail = { "step", ratio = 10, share = 0.2 } }
  lu.assertEquals(step.counts, { 50, 50, 50, 50, 50, 50, 50, 50, 5, 5 })
  local plain = cifar { val = 0 }
  lu.assertEquals(tail.sha256, plain.sha256)
  lu.assertNotEquals(tail.split.sha256, plain.split.sha256)
end

function T.test_the_seed_decides_which_images_stay()
  make_cifar(100)
  local function split(seed, ratio)
    return cifar { val = 0, seed = seed, long_tail = { "exp", ratio = ratio } }
  end
  lu.assertEquals(split(1, 25).split.sha256, split(1, 25).split.sha256)
  lu.assertNotEquals(split(1, 25).split.sha256, split(2, 25).split.sha256)
  local few, more = split(1, 25):keys "train", {}
  for _, key in ipairs(split(1, 5):keys "train") do more[key] = true end
  for _, key in ipairs(few) do lu.assertTrue(more[key], key) end
end

function T.test_long_tails_of_other_sets_in_the_order_of_their_sizes()
  local natural = data { "lesions", n = 700, size = 4 }
  local ds = data { "lesions", n = 700, size = 4, long_tail = { "step", ratio = 20, order = "size" } }
  lu.assertEquals(ds.split.n_val, natural.split.n_val)
  lu.assertEquals(ds.split.n_test, natural.split.n_test)
  local most = natural.counts[1]
  for k, n in ipairs(ds.counts) do
    lu.assertEquals(n, k <= 3 and natural.counts[k] or math.min(natural.counts[k], most // 20))
  end
  local ok, message = pcall(data, { "lesions", long_tail = { "exp", ratio = 1 } })
  lu.assertFalse(ok)
  lu.assertStrContains(message, "data.long_tail.ratio must be above 1")
  ok, message = pcall(data, { "lesions", long_tail = { "exp", ratio = 1e6 } })
  lu.assertFalse(ok)
  lu.assertStrContains(message, "lower the ratio")
end

-- An IDX file of bytes.
local function idx(shape, bytes)
  local out = { string.pack(">I4", 0x0800 | #shape) }
  for _, side in ipairs(shape) do out[#out + 1] = string.pack(">I4", side) end
  return table.concat(out) .. bytes
end

local function make_mnist()
  local labels, pixels = {}, {}
  for i = 0, 59 do
    labels[#labels + 1] = string.char(i % 3)
    pixels[#pixels + 1] = string.char(4 * i):rep(16)
  end
  for _, name in ipairs { "train", "t10k" } do
    write(name .. "-labels-idx1-ubyte", idx({ 60 }, table.concat(labels)))
    write(name .. "-images-idx3-ubyte", idx({ 60, 4, 4 }, table.concat(pixels)))
  end
end

function T.test_idx_with_names_of_its_classes()
  make_mnist()
  local ds = data { "mnist", root = root, size = 4, val = 0, classes = { "T-shirt", "trouser", "pullover" } }
  lu.assertEquals(ds.classes, { "T-shirt", "trouser", "pullover" })
  lu.assertEquals(data { "mnist", root = root, size = 4 }.classes, { "0", "1", "2" })
  local x = ds:batch("test", 0, 60)
  for i = 0, 59 do
    for c = 1, 3 do
      local level = math.floor((x:get(i + 1, 2, 3, c) * ds.std[c] + ds.mean[c]) * 255 + 0.5)
      lu.assertEquals(level, 4 * i)
    end
  end
end

-- Of 20 kB of labels, gigabytes of memory were filled before the number of images was looked at.
function T.test_more_labels_than_images_are_supported_are_not_read()
  local header = idx({ 20000000 }, ""):gsub(".", function(c) return ("\\%03o"):format(c:byte()) end)
  assert(os.execute(("{ printf '%s'; head -c 20000000 /dev/zero; } | gzip >'%s/t10k-labels-idx1-ubyte.gz'")
    :format(header, root)))
  local ds, message = data.open { "mnist", root = root, size = 4 }
  lu.assertNil(ds)
  lu.assertStrContains(message, "20000000 labels, more than the limit of 10000000")
end

function T.test_refusals_name_the_file_and_what_fits()
  local function refuses(given, text)
    local ds, message, code = data.open(given)
    lu.assertNil(ds)
    lu.assertStrContains(message, text)
    return code
  end
  lu.assertEquals(refuses({ "cifar10", root = root }, "fetch the binary version of CIFAR-10"), "ENOTFOUND")
  write("train/cat/1.jpg", "")
  refuses({ "cifar10", root = root }, "the kind is folder")
  lu.assertEquals(refuses({ "medmnist", root = root, file = "x.npz" }, root .. "/x.npz"), "ENOTFOUND")
  write("x.npz", "PK")
  lu.assertEquals(refuses({ "medmnist", file = root .. "/x.npz" }, "not a zip archive"), "EFORMAT")
  lu.assertErrorMsgContains("data.file is needed", data, { "medmnist" })
  lu.assertErrorMsgContains("data.root is needed", data, { "cifar100" })
end

function T.test_folders_are_recognised()
  lu.assertNil(data.recognise(root))
  make_cifar(1)
  lu.assertEquals(data.recognise(root), "cifar10")
  local ok, message = pcall(data, { "mnist", root = root })
  lu.assertFalse(ok)
  lu.assertStrContains(message, 'expected train-images-idx3-ubyte(.gz) (it looks like "cifar10")')
  for _, name in ipairs { "batches.meta.txt", "test_batch.bin", "data_batch_1.bin" } do
    os.remove(root .. "/" .. name)
  end
  make_mnist()
  lu.assertEquals(data.recognise(root), "mnist")
  os.remove(root .. "/train-images-idx3-ubyte")
  write("bloodmnist.npz", "")
  lu.assertEquals(data.recognise(root), "medmnist")
  local _, absent = data.open { "medmnist", root = root }
  lu.assertStrContains(absent, "bloodmnist.npz: not a zip archive")
  write("dermamnist_64.npz", "")
  _, absent = data.open { "medmnist", root = root }
  lu.assertStrContains(absent, "holds bloodmnist.npz, dermamnist_64.npz; name one")
end

function T.test_the_names_of_medmnist()
  local set, name = medmnist.of "/data/dermamnist_128.npz"
  lu.assertEquals(name, "dermamnist")
  lu.assertEquals({ #set.classes, set.train + set.val + set.test }, { 7, 10015 })
  lu.assertNil(medmnist.of "/data/dermamnist.csv")
  lu.assertNil(medmnist.of "/data/other.npz")
end

return { Containers = T }
