-- features: rows of numbers that another program computed from images, in one safetensors or .npy file, and
-- a table with a row per image. They are joined by the first of these: `row`, a column of the table with the
-- row's number; `ids`, a text file with an id per row; the ids in the file itself; otherwise row i of the
-- file is row i of the table.
local core = require "aniso.core"
local fault = require "aniso.method.data.fault"
local fields = require "aniso.method.data.fields"
local id_lines = require "aniso.method.data.id_lines"
local labelled_table = require "aniso.method.data.labelled_table"
local labels = require "aniso.method.data.labels"
local options = require "aniso.recipe.options"

local feature_rows = { kind = "features" }

local LARGEST = 1 << 28    -- bytes of an id file
local LONGEST = 1000       -- bytes of an id
local FIRST = 3            -- ids named in a message

-- true: a square; {height, width}; false or nil: tokens without positions.
local function check_grid(value, where)
  if type(value) == "boolean" then return value end
  local height, width = table.unpack(type(value) == "table" and value or {})
  if math.type(height) ~= "integer" or math.type(width) ~= "integer" or height < 1 or width < 1
    or #value ~= 2 then
    error(("option %s must be true for a square, or {height, width}"):format(where), 0)
  end
  return { height, width }
end

feature_rows.options = labels.options(fields.files(labelled_table.options {
  file = options.optional "string",
  id = options.optional "string",
  ids = options.optional "string",
  row = options.optional "string",
  unmatched = options.optional(options.one_of { "refuse", "leave_out" }),
  grid = options.optional(options.custom(check_grid)),
  normalise = options.optional(options.one_of { "standard", "none" }),
}))
for _, of_pixels in ipairs { "size", "aspect", "cache", "damaged" } do
  feature_rows.options[of_pixels] = nil
end

-- ── ids ─────────────────────────────────────────────────────────────────────────────────
local function check_ids(ids, n, where)
  if #ids ~= n then
    fault.raise("EFORMAT", "%s: %d ids for %d rows of features", where, #ids, n)
  end
  local row_of = {}
  for i, id in ipairs(ids) do
    if id == "" or #id > LONGEST or not utf8.len(id) then
      fault.raise("EFORMAT", "%s: the id of row %d is empty, longer than %d bytes or not UTF-8", where, i - 1,
        LONGEST)
    elseif row_of[id] then
      fault.raise("EFORMAT", "%s: the id '%s' is that of row %d and of row %d", where, id, row_of[id], i - 1)
    end
    row_of[id] = i - 1
  end
  return row_of
end

local function read_text(path)
  local kind = core.sys.exists(path)
  if kind ~= "file" then
    fault.raise("ENOTFOUND", "%s: no such file of ids%s", path, fields.relative_hint(path))
  end
  return fault.need(core.sys.read(path, LARGEST))
end

-- id → row of the file, from 0, and the source of the ids; nil if there are none.
local function rows_by_id(file, path, given, root)
  if given.ids then
    local where = fields.join(root, given.ids)
    return check_ids(id_lines(read_text(where)), file.n, where), where
  end
  return file.ids and check_ids(id_lines(file.ids), file.n, path) or nil, path
end

-- ── joining ─────────────────────────────────────────────────────────────────────────────
-- "a, b, c and 9 more"
local function some_of(list)
  local shown = table.concat(list, ", ", 1, math.min(#list, FIRST))
  return #list > FIRST and ("%s and %d more"):format(shown, #list - FIRST) or shown
end

-- Leaves out the rows of the table without features, if given.unmatched permits. rows.row is false for them.
-- absent: their names; unused: the ids or numbers of rows of the file that no row of the table names.
local function settle_unmatched(rows, absent, unused, given, path, origin)
  if #absent == 0 and #unused == 0 then return end
  if #absent == #rows.key then
    fault.raise("EFORMAT", "%s and %s: no image is in both; the table has %s, the features have %s", origin,
      path, some_of(absent), some_of(unused))
  elseif given.unmatched ~= "leave_out" then
    local parts = {}
    if #absent > 0 then
      parts[1] = ("%d images of the table have no features (%s)"):format(#absent, some_of(absent))
    end
    if #unused > 0 then
      parts[#parts + 1] = ("%d rows of features are not in the table (%s)"):format(#unused, some_of(unused))
    end
    fault.raise("EFORMAT", '%s and %s: %s; unmatched = "leave_out" takes the images that are in both', origin,
      path, table.concat(parts, ", and "))
  end
  local joined = rows.row
  for name, column in pairs(rows) do
    local kept = {}
    for i, value in ipairs(column) do
      if joined[i] then kept[#kept + 1] = value end
    end
    rows[name] = kept
  end
end

-- The names of the rows of the file, from 0 to n−1, that are not in `used`. name(row) → text.
local function unused_rows(used, n, name)
  local out = {}
  for row = 0, n - 1 do
    if not used[row] then out[#out + 1] = name(row) end
  end
  return out
end

local function join_by_id(rows, row_of, n)
  local used, absent, id_of = {}, {}, {}
  for id, row in pairs(row_of) do id_of[row] = id end
  rows.row = {}
  for i, key in ipairs(rows.key) do
    local row = row_of[key]
    rows.row[i] = row or false
    if row then used[row] = true else absent[#absent + 1] = key end
  end
  return absent, unused_rows(used, n, function(row) return id_of[row] end)
end

local function join_by_number(rows, t, name, n)
  local used = {}
  rows.row = {}
  for i, cell in ipairs(t:column(name)) do
    local row = math.tointeger(tonumber(cell))
    if not row or row < 0 or row >= n then
      fault.raise("EFORMAT", "%s line %d: %s is '%s', expected the number of a row of features, 0 to %d",
        t.path, t.lines[i], name, cell, n - 1)
    elseif used[row] then
      fault.raise("EFORMAT", "%s lines %d and %d: both have row %d of the features", t.path,
        t.lines[used[row]], t.lines[i], row)
    end
    rows.row[i], used[row] = row, i
  end
  return {}, unused_rows(used, n, tostring)
end

local function join_by_order(rows, t, path, n)
  if t.n ~= n then
    fault.raise("EFORMAT", "%s has %d rows and %s has %d: without ids, row i of one is row i of the other; "
      .. "ids = FILE, or row = COLUMN of the table, joins them otherwise", path, n, t.path, t.n)
  end
  rows.row = {}
  for i = 1, n do rows.row[i] = i - 1 end
  return {}, {}
end

-- The column that names the images; nil: they are numbered. needed: whether the features have ids.
local function key_column(t, given, needed)
  if given.id then return given.id end
  if t:has "id" then return "id" end
  if needed then
    fault.raise("ENOTFOUND", "%s: option data.id is needed: the column with the ids of the features; its "
      .. "columns are %s", t.path, table.concat(t.header, ", "))
  end
  return nil
end

-- ── the set ─────────────────────────────────────────────────────────────────────────────
local function shape_of(file, grid, path)
  local side = math.floor(file.tokens ^ 0.5 + 0.5)
  local height, width = 1, file.tokens
  if grid == true then height, width = side, side elseif grid then height, width = grid[1], grid[2] end
  if height * width ~= file.tokens then
    fault.raise("EFORMAT", "%s: %d tokens are no grid of %dx%d; option data.grid = {height, width}, or "
      .. "without it tokens without positions", path, file.tokens, height, width)
  end
  return height, width
end

function feature_rows.open(given, facts)
  local root = given.root
  local path = fields.join(root, fields.need(given, "file", "the features, a .safetensors or .npy file"))
  if core.sys.exists(path) == nil then
    fault.raise("ENOTFOUND", "%s: no such file of features%s", path, fields.relative_hint(path))
  end
  local file <close> = fault.need(core.data.features(path))
  local t <close> = labelled_table.read(root, given)
  local row_of, where
  if not given.row then row_of, where = rows_by_id(file, path, given, root) end
  local rows = labelled_table.rows(t, given, key_column(t, given, row_of ~= nil), facts)
  local absent, unused
  if given.row then
    absent, unused = join_by_number(rows, t, given.row, file.n)
  elseif row_of then
    absent, unused = join_by_id(rows, row_of, file.n)
  else
    absent, unused = join_by_order(rows, t, path, file.n)
  end
  settle_unmatched(rows, absent, unused, given, where or path, t.path)
  local height, width = shape_of(file, given.grid, path)
  facts.features = { file = path, unmatched = #absent + #unused }
  return { source = "features", container = path, origin = t.path, rows = rows, height = height,
    width = width, unordered = not given.grid, normalise = given.normalise ~= "none",
    name = fields.last_part(path):gsub("%.%w+$", ""),
    split_name = rows.part and "column " .. given.split or nil }
end

function feature_rows.columns(given)
  return { given.id or "id", given.label }
end

return feature_rows
