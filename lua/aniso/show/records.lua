-- A list of tables with the same kind of fields, such as rows of the run database, as a table: the
-- columns that fit the terminal, and the names of the others below. See pretty.lua.
local sys = require("aniso.core").sys
local tables = require "aniso.show.table"

local records = {}

local MAX_ROWS = 50 -- rows shown

-- Columns that come first, in this order; the others follow by name.
local first = { "run_id", "eval_id", "study", "label", "name", "seed", "status", "part", "sampler", "class",
  "class_idx", "step", "n", "acc", "bacc", "macro_f1", "many", "medium", "few", "started_at", "wall_s" }
local rank = {}
for i, name in ipairs(first) do rank[name] = i end

local function scalar(value)
  return type(value) == "string" or type(value) == "number" or type(value) == "boolean"
end

-- Whether a value is a list of plain tables with names as keys, at least one of which all have in common.
function records.are(list)
  if type(list) ~= "table" or getmetatable(list) or #list == 0 then return false end
  local shared = {}
  for key in pairs(list) do
    if math.type(key) ~= "integer" then return false end
  end
  for _, row in ipairs(list) do
    if type(row) ~= "table" or getmetatable(row) then return false end
    for key, value in pairs(row) do
      if type(key) ~= "string" then return false end
      if scalar(value) then shared[key] = (shared[key] or 0) + 1 end
    end
  end
  for _, count in pairs(shared) do
    if count == #list then return true end
  end
  return false
end

-- Whether a value is a list of names, such as the columns of a query.
function records.are_names(list)
  if type(list) ~= "table" or #list == 0 then return false end
  for _, name in ipairs(list) do
    if type(name) ~= "string" then return false end
  end
  return true
end

-- The names of scalar fields in order, and of the other fields.
local function fields_of(list)
  local kind, names, others = {}, {}, {}
  for _, row in ipairs(list) do
    for key, value in pairs(row) do kind[key] = kind[key] ~= false and scalar(value) end
  end
  for key, plain in pairs(kind) do table.insert(plain and names or others, key) end
  table.sort(names, function(a, b)
    local x, y = rank[a] or #first + 1, rank[b] or #first + 1
    if x ~= y then return x < y end
    return a < b
  end)
  table.sort(others)
  return names, others
end

local function rows_of(list, names)
  local rows = {}
  for i = 1, math.min(#list, MAX_ROWS) do
    rows[i] = {}
    for j, name in ipairs(names) do rows[i][j] = list[i][name] end
  end
  return rows
end

-- format(list [, columns]) → text. columns: their names in order, all of which are shown.
function records.format(list, columns)
  local names, others = columns, {}
  if not names then
    names, others = fields_of(list)
    local width = sys.width() or 100
    while #names > 1 and tables.width(tables.format(names, rows_of(list, names)):match "^[^\n]*\n([^\n]*)")
      > width do
      table.insert(others, 1, table.remove(names))
    end
  end
  local text = tables.format(names, rows_of(list, names)):gsub("\n$", "")
  if #list > MAX_ROWS then text = text .. ("\n… %d more"):format(#list - MAX_ROWS) end
  if #others > 0 then text = text .. "\nalso: " .. table.concat(others, ", ") end
  return text
end

return records
