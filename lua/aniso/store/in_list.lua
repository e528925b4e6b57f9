-- Queries of the rows that a list of numbers selects: … WHERE run_id IN (3, 7, 12). The numbers are part of
-- the statement, so that SQLite looks each up in an index and pushes them down into a view.
--   in_list.numbers(rows, column) → "3, 7, 12", each once
--   in_list.query(db, sql, rows, column) → rows | nil, message, code; sql ends before IN, without an order
local in_list = {}

local AT_ONCE = 10000 -- numbers in one statement, whose text is limited to a megabyte

function in_list.numbers(rows, column)
  local out, seen = {}, {}
  for _, row in ipairs(rows) do
    local number = row[column]
    if not seen[number] then seen[number], out[#out + 1] = true, ("%d"):format(number) end
  end
  return table.concat(out, ", ")
end

function in_list.query(db, sql, rows, column)
  local out = {}
  for first = 1, #rows, AT_ONCE do
    local part = table.move(rows, first, math.min(first + AT_ONCE - 1, #rows), 1, {})
    local found, message, code = db.core:query(("%s IN (%s)"):format(sql, in_list.numbers(part, column)))
    if not found then return nil, message, code end
    table.move(found, 1, #found, #out + 1, out)
  end
  return out
end

return in_list
