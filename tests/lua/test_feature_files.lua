-- data = features: files that are refused, and what a set's moments, hash and copies are.
local lu = require "luaunit"
local core = require "aniso.core"
local data = require "aniso.method.data"
local data_fixture = dofile "tests/lua/data_fixture.lua"
local fixture = dofile "tests/lua/features_fixture.lua"

local IMAGES, N, D = 60, 3, 4

local options_of, refuses = fixture.options, fixture.refuses

local T = {}

function T:setUp() self.layout = data_fixture.new() end

function T:tearDown() self.layout:remove() end

local function write_set(self, format, kind, tokens)
  return fixture.write(self, format, kind, IMAGES, tokens, D)
end

local function backwards(i) return IMAGES - 1 - i end

-- ── files that are refused ──────────────────────────────────────────────────────────────
function T:test_faults_of_files()
  self.layout:write("t.csv", fixture.table(IMAGES))
  local good = fixture.bytes("float32", IMAGES, 1, D)
  local function npy(changes, shape, bytes)
    return fixture.npy(shape or { IMAGES, D }, "<f4", bytes or good, changes)
  end
  local function tensors(...) return fixture.safetensors { ... } end
  local cases = {
    { npy { order = "True" }, "Fortran order", "ascontiguousarray" },
    { npy { descr = ">f4" }, "big-endian numbers (>f4)", "astype('<f4')" },
    { npy { descr = "<i4" }, "numbers of type <i4", "float32" },
    { npy { descr = "<V2" }, "numbers of type <V2", "bfloat16 in a safetensors file" },
    { npy(nil, { IMAGES * D }), "an array of 1 axes" },
    { npy(nil, { IMAGES, 1, 2, 2 }), "an array of 4 axes" },
    { npy(nil, { 0, D }), "an array without numbers" },
    { npy(nil, { IMAGES, D }, good:sub(1, -5)), "truncated: 4 bytes" },
    { npy():sub(1, 20), "truncated" },
    { tensors { "features", "F32", { IMAGES, D }, good }:sub(1, -5), "truncated copy" },
    { tensors { "features", "I32", { IMAGES, D }, good }, "numbers of type I32", "BF16" },
    { tensors { "features", "F32", { IMAGES * D }, good }, "an array of 1 axes" },
    { tensors({ "a", "F32", { 1 }, "\0\0\0\0" }, { "b", "F32", { 1 }, "\0\0\0\0" }), "is called features" },
    { tensors({ "features", "F32", { 1, 65537, 1 }, ("\0"):rep(4 * 65537) }), "at most" },
    { "PK\3\4" .. ("\0"):rep(100), "a zip archive (.npz, .pt or .pth)" },
    { "\x80\2" .. ("\0"):rep(100), "a pickle" },
    { "", "empty" },
  }
  for _, one in ipairs(cases) do
    self.layout:write("f", one[1])
    refuses(self, { file = "f" }, "/f", table.unpack(one, 2))
  end
  refuses(self, { file = "none.npy" }, "none.npy: no such file of features")
end

function T:test_a_row_that_is_not_finite_is_named()
  self.layout:write("t.csv", fixture.table(IMAGES, backwards))
  for kind in pairs(fixture.types) do
    for _, bad in ipairs { 0 / 0, math.huge, -math.huge } do
      local function value(i, t, d)
        return (i == 17 or i == 44) and t == 1 and d == 2 and bad or fixture.value(i, t, d)
      end
      self.layout:write("f.safetensors", fixture.file("safetensors", kind, IMAGES, N, D, fixture.ids(IMAGES),
        value))
      refuses(self, nil, "row 17 (im017) has a number that is not finite")
    end
  end
  self.layout:write("f.npy", fixture.file("npy", "float64", IMAGES, 0, D, nil, function(i, t, d)
    return i == 5 and 1e300 or fixture.value(i, t, d)
  end))
  refuses(self, { file = "f.npy" }, "row 5 (") -- above float32
end

-- ── what a set is ───────────────────────────────────────────────────────────────────────
function T:test_moments_are_those_of_the_training_part()
  write_set(self, "safetensors", "bfloat16", N)
  local plain <close> = data(options_of(self, { normalise = "none" }))
  local ds <close> = data(options_of(self))
  local n = ds:n "train"
  local rows = plain:batch("train", 0, n):reshape(n * N, D):totable()
  for d = 1, D do
    local sum, square = 0, 0
    for _, row in ipairs(rows) do sum, square = sum + row[d], square + row[d] ^ 2 end
    local mean = sum / #rows
    lu.assertAlmostEquals(ds.mean[d], mean, 1e-6)
    lu.assertAlmostEquals(ds.std[d], math.sqrt(square / #rows - mean ^ 2), 1e-5)
  end
  local x = ds:batch("train", 0, n):reshape(n * N, D):totable()
  lu.assertAlmostEquals(x[7][2], (rows[7][2] - ds.mean[2]) / ds.std[2], 1e-6)
  lu.assertEquals({ plain.mean[1], plain.std[1] }, { 0, 1 })
end

function T:test_a_constant_number_stays_finite()
  self.layout:write("t.csv", fixture.table(IMAGES))
  self.layout:write("f.npy", fixture.file("npy", "float32", IMAGES, 0, D, nil, function(i, t, d)
    return d == 1 and 1000.25 or fixture.value(i, t, d)
  end))
  local ds <close> = data(options_of(self, { file = "f.npy" }))
  lu.assertEquals({ ds.mean[2], ds.std[2] }, { 1000.25, 1 })
  for _, row in ipairs(ds:batch("test", 0, ds:n "test"):reshape(ds:n "test", D):totable()) do
    lu.assertEquals(row[2], 0)
  end
end

function T:test_the_hash_follows_numbers_labels_and_type()
  local hashes = {}
  local function add(what)
    local ds <close> = data(options_of(self))
    lu.assertNil(hashes[ds.sha256], what)
    hashes[ds.sha256] = what
  end
  write_set(self, "safetensors", "float32", N)
  add "first"
  self.layout:write("f.safetensors", fixture.file("safetensors", "float32", IMAGES, N, D, fixture.ids(IMAGES),
    function(i, t, d) return fixture.value(i, t, d) + (i == 59 and t == 2 and d == 3 and 0.25 or 0) end))
  add "a number"
  write_set(self, "safetensors", "float16", N)
  add "type"
  self.layout:write("t.csv", (fixture.table(IMAGES):gsub(",mel,", ",nv,", 1)))
  add "a label"
end

function T:test_groups_copies_and_conflicts()
  self.layout:write("t.csv", fixture.table(IMAGES))
  self.layout:write("f.npy", fixture.file("npy", "float32", IMAGES, 0, D, nil, function(i, t, d)
    return fixture.value(i == 30 and 3 or i, t, d) -- of nv and of mel
  end))
  local ds <close> = data(options_of(self, { file = "f.npy", group = "patient" }))
  lu.assertEquals({ ds.split.group_leaks, ds.split.copy_leaks, ds.split.conflicts }, { 0, 0, 2 })
  lu.assertStrContains(ds:info(), "features of 1 token with 4 numbers, float32")
  lu.assertErrorMsgContains("a data set of images expected", core.data.survey, ds)
end

function T:test_a_grid_has_the_tokens_of_a_row()
  write_set(self, "safetensors", "float32", 4)
  local square <close> = data(options_of(self, { grid = true }))
  lu.assertEquals({ square.height, square.width, square.unordered }, { 2, 2, false })
  local row <close> = data(options_of(self, { grid = { 1, 4 } }))
  lu.assertEquals({ row.height, row.width, row.unordered }, { 1, 4, false })
  local set <close> = data(options_of(self))
  lu.assertEquals({ set.height, set.width, set.unordered }, { 1, 4, true })
  refuses(self, { grid = { 2, 3 } }, "4 tokens are no grid of 2x3")
  local function mistake(text, changes)
    lu.assertErrorMsgContains(text, data.open, options_of(self, changes))
  end
  mistake("data.grid must be true for a square", { grid = { 0 } })
  mistake("unknown option data.size", { size = 32 })
end

return { feature_files = T }
