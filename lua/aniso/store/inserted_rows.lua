-- Rows of another file as INSERT statements. Their columns are that file's, and all of them must be known
-- here. They are quoted, since the file is not trusted.
--   inserted_rows.one(connection, name, row, columns) → the new id; columns that are NULL are left out
--   inserted_rows.all(connection, name, rows, columns, texts): many rows a statement, whose composition and
--     start take most of a merge otherwise; texts: a table that keeps the statements of a file
local must = require("aniso.store.db_error").must

local inserted_rows = {}

local function statement(name, columns, count)
  local names, places, rows = {}, {}, {}
  for i, column in ipairs(columns) do
    names[i] = ('"%s"'):format((column:gsub('"', '""')))
    places[i] = column == "probs" and "CAST(? AS BLOB)" or "?"
  end
  local one = ("(%s)"):format(table.concat(places, ", "))
  for i = 1, count do rows[i] = one end
  return ("INSERT INTO %s(%s) VALUES %s"):format(name, table.concat(names, ", "), table.concat(rows, ", "))
end

function inserted_rows.one(connection, name, row, columns)
  local present, values = {}, {}
  for _, column in ipairs(columns) do
    if row[column] ~= nil then
      present[#present + 1], values[#values + 1] = column, row[column]
    end
  end
  local _, id = must(connection:exec(statement(name, present, 1), table.unpack(values)))
  return id
end

-- Rows in one statement: few numbers, since a connection keeps few prepared statements.
local function at_once(left)
  return left >= 60 and 60 or left >= 10 and 10 or 1
end

function inserted_rows.all(connection, name, rows, columns, texts)
  local first, values = 1, {}
  while first <= #rows do
    local count, n = at_once(#rows - first + 1), 0
    for i = first, first + count - 1 do
      local row = rows[i]
      for j = 1, #columns do values[n + j] = row[columns[j]] end
      n = n + #columns
    end
    local key = name .. " " .. count
    texts[key] = texts[key] or statement(name, columns, count)
    must(connection:exec(texts[key], table.unpack(values, 1, n)))
    first = first + count
  end
end

return inserted_rows
