-- data = features: files of every type and format, and how their rows join the table.
local lu = require "luaunit"
local data = require "aniso.method.data"
local data_fixture = dofile "tests/lua/data_fixture.lua"
local fixture = dofile "tests/lua/features_fixture.lua"

local N, D, IMAGES = 3, 4, 60

local T = {}

function T:setUp() self.layout = data_fixture.new() end

function T:tearDown() self.layout:remove() end

local options_of, refuses = fixture.options, fixture.refuses

local function write_set(self, format, kind, tokens, order)
  return fixture.write(self, format, kind, IMAGES, tokens, D, order)
end

-- Every row of a part has the numbers of its image, whatever the order of the table.
local function check_rows(ds, tokens, of)
  local seen = 0
  for _, part in ipairs { "train", "val", "test" } do
    local x, labels = ds:batch(part, 0, ds:n(part))
    local rows, list = x:reshape(ds:n(part), tokens * D):totable(), labels:list()
    for p, key in ipairs(ds:keys(part)) do
      local row = of(key)
      lu.assertEquals(ds.classes[list[p] + 1], fixture.class(row))
      for k = 0, tokens * D - 1 do
        lu.assertEquals(rows[p][k + 1], fixture.value(row, k // D, k % D))
      end
      seen = seen + 1
    end
  end
  lu.assertEquals(seen, IMAGES)
end

local function number_of(key) return math.tointeger(tonumber(key:match "%d+")) end

local function backwards(i) return IMAGES - 1 - i end

function T:test_values_of_every_type_and_format()
  for kind, names in pairs(fixture.types) do
    for _, format in ipairs { "safetensors", "npy" } do
      for _, tokens in ipairs(names.npy or format == "safetensors" and { 0, N } or {}) do
        local file = write_set(self, format, kind, tokens)
        local ds <close> = data(options_of(self, { file = file, normalise = "none" }))
        local width = math.max(tokens, 1)
        lu.assertEquals({ ds.number_type, ds.height, ds.width, ds.channels }, { kind, 1, width, D })
        check_rows(ds, width, number_of)
      end
    end
  end
end

function T:test_versions_of_npy()
  self.layout:write("t.csv", fixture.table(IMAGES))
  for version = 1, 3 do
    self.layout:write("f.npy", fixture.npy({ IMAGES, D }, "<f4", fixture.bytes("float32", IMAGES, 1, D),
      { version = version }))
    local ds <close> = data(options_of(self, { file = "f.npy", normalise = "none" }))
    check_rows(ds, 1, number_of)
  end
end

-- ── joining ─────────────────────────────────────────────────────────────────────────────
function T:test_the_ids_of_the_file_join_a_table_in_another_order()
  write_set(self, "safetensors", "float16", N, backwards)
  local ds <close> = data(options_of(self, { normalise = "none" }))
  check_rows(ds, N, number_of)
end

function T:test_ids_in_a_text_file_a_tensor_and_a_column_of_rows()
  write_set(self, "npy", "float32", N, backwards)
  self.layout:write("ids.txt", fixture.ids(IMAGES):gsub("\n", "\r\n") .. "\r\n")
  for _, by in ipairs { { ids = "ids.txt" }, { row = "index" } } do
    by.file, by.normalise = "f.npy", "none"
    local ds <close> = data(options_of(self, by))
    check_rows(ds, N, number_of)
  end
  local ids = {}
  for i = 0, IMAGES - 1 do ids[i + 1] = string.pack("<i8", i) end
  self.layout:write("f.safetensors", fixture.safetensors {
    { "features", "F32", { IMAGES, N, D }, fixture.bytes("float32", IMAGES, N, D) },
    { "ids", "I64", { IMAGES }, table.concat(ids) } })
  local ds <close> = data(options_of(self, { id = "index", normalise = "none" }))
  check_rows(ds, N, number_of)
end

function T:test_without_ids_rows_join_by_their_order()
  self.layout:write("f.safetensors", fixture.file("safetensors", "float32", IMAGES, 0, D))
  self.layout:write("t.csv", fixture.table(IMAGES):gsub("id,", "name,", 1))
  local ds <close> = data(options_of(self, { normalise = "none" }))
  lu.assertEquals(#ds:keys "train"[1], 2) -- "07": numbered
  check_rows(ds, 1, number_of)
  self.layout:write("t.csv", fixture.table(IMAGES - 1))
  refuses(self, nil, "has 60 rows and ", "has 59", "ids = FILE")
end

function T:test_unmatched_rows_are_refused_or_left_out()
  write_set(self, "safetensors", "float32", 0)
  self.layout:write("t.csv", fixture.table(IMAGES):gsub("im05%d", "other%0"))
  refuses(self, nil,
    "10 images of the table have no features (otherim050, otherim051, otherim052 and 7 more)",
    "10 rows of features are not in the table (im050,", 'unmatched = "leave_out"')
  local ds <close> = data(options_of(self, { unmatched = "leave_out", normalise = "none" }))
  lu.assertEquals(ds:n "train" + ds:n "val" + ds:n "test", 50)
  lu.assertEquals(ds.facts.features.unmatched, 20)
  for _, key in ipairs(ds:keys "train") do lu.assertStrMatches(key, "im0[0-4]%d") end
  self.layout:write("t.csv", fixture.table(IMAGES):gsub("im0", "other"))
  refuses(self, { unmatched = "leave_out" }, "no image is in both; the table has other00,",
    "the features have im000")
end

function T:test_faults_of_ids()
  self.layout:write("t.csv", fixture.table(IMAGES))
  self.layout:write("f.npy", fixture.file("npy", "float32", IMAGES, 0, D))
  local by_text = { file = "f.npy", ids = "ids.txt" }
  refuses(self, by_text, "ids.txt: no such file of ids")
  self.layout:write("ids.txt", fixture.ids(IMAGES - 1))
  refuses(self, by_text, "59 ids for 60 rows")
  self.layout:write("ids.txt", (fixture.ids(IMAGES):gsub("im007", "im003")))
  refuses(self, by_text, "the id 'im003' is that of row 3 and of row 7")
  self.layout:write("ids.txt", (fixture.ids(IMAGES):gsub("im007", "")))
  refuses(self, by_text, "the id of row 7 is empty")
  self.layout:write("t.csv", fixture.table(IMAGES):gsub("im007,", "im003,", 1))
  self.layout:write("ids.txt", fixture.ids(IMAGES))
  refuses(self, { file = "f.npy", ids = "ids.txt", unmatched = "leave_out" }, "im003")
  self.layout:write("t.csv", fixture.table(IMAGES):gsub(",7\n", ",8\n", 1))
  refuses(self, { file = "f.npy", row = "index" }, "lines 9 and 10: both have row 8")
  self.layout:write("t.csv", fixture.table(IMAGES):gsub(",7\n", ",60\n", 1))
  refuses(self, { file = "f.npy", row = "index" }, "line 9: index is '60'", "0 to 59")
  self.layout:write("f.safetensors", fixture.safetensors({
    { "features", "F32", { IMAGES, D }, fixture.bytes("float32", IMAGES, 1, D) },
    { "ids", "F32", { IMAGES }, ("\0"):rep(4 * IMAGES) } }))
  refuses(self, nil, "the tensor ids is not 60 whole numbers")
end

return { features = T }
