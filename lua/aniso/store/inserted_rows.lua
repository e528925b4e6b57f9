-- Copies rows of another file by INSERT statements. Their columns are those of that file; all of them must
-- exist here. Their names are quoted, since the file is not trusted.
--   inserted_rows.one(connection, name, row, columns) → the new id; columns that are NULL are left out
--   inserted_rows.copier(from, to, name, key [, drop]) → function(old, new): copies the rows of a table whose
--     `key` is `old`, with `new` in its place and without the column `drop`
--   inserted_rows.map_metrics(to, numbers): maps the other file's metrics to their numbers here, for copies
local must = require("aniso.store.db_error").must

local inserted_rows = {}

local function quoted(column)
  return ('"%s"'):format((column:gsub('"', '""')))
end

-- "INSERT INTO name(columns)"
local function into(name, columns)
  local names = {}
  for i, column in ipairs(columns) do names[i] = quoted(column) end
  return ("INSERT INTO %s(%s)"):format(name, table.concat(names, ", "))
end

-- "(?, ?, ?)"
local function places(count)
  return ("(%s)"):format(("?, "):rep(count):sub(1, -3))
end

function inserted_rows.one(connection, name, row, columns)
  local present, values = {}, {}
  for _, column in ipairs(columns) do
    if row[column] ~= nil then
      present[#present + 1], values[#values + 1] = column, row[column]
    end
  end
  local sql = ("%s VALUES %s"):format(into(name, present), places(#present))
  local _, id = must(connection:exec(sql, table.unpack(values)))
  return id
end

-- Rows per statement: the start of one costs as much as several rows.
local AT_ONCE = 60

-- Values that are converted when copied; %d: the number of their column.
local CHANGED = { probs = "CAST(column%d AS BLOB)",
  metric_id = "(SELECT new FROM temp.merged_metric WHERE old = column%d)" }

function inserted_rows.map_metrics(to, numbers)
  must(to:exec "CREATE TEMP TABLE IF NOT EXISTS merged_metric(old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
  must(to:exec "DELETE FROM temp.merged_metric")
  for old, new in pairs(numbers) do
    must(to:exec("INSERT INTO temp.merged_metric VALUES (?, ?)", old, new))
  end
end

function inserted_rows.copier(from, to, name, key, drop)
  local _, all = must(from:query(("SELECT * FROM %s LIMIT 0"):format(name)))
  local columns, selected, inserted, there = {}, {}, {}, nil
  for _, column in ipairs(all) do
    if column ~= drop then
      local i = #columns + 1
      columns[i], selected[i] = column, column == key and "?2" or quoted(column)
      inserted[i] = (CHANGED[column] or "column%d"):format(i)
      there = column == key and i or there
    end
  end
  local select = ("SELECT %s FROM %s WHERE %s = ?1"):format(table.concat(selected, ", "), name, key)
  local rows = (places(#columns) .. ", "):rep(AT_ONCE):sub(1, -3)
  local insert = ("%s SELECT %s FROM (VALUES %s) WHERE column%d IS NOT NULL"):format(into(name, columns),
    table.concat(inserted, ", "), rows, there)
  return function(old, new) must(to:copy(insert, from, select, old, new)) end
end

return inserted_rows
