-- Rows of runs with the columns of v_run. Their status comes from the writer's lock, which is exact; the view
-- has only the heartbeat.
--   run_rows.read(db, removed, columns, condition, value…) → rows | nil, message, code
--   run_rows.complete(db, removed, rows) → the whole rows of these run_ids, in their order
local in_list = require "aniso.store.in_list"

local run_rows = {}

local function with_status(db, rows)
  for _, row in ipairs(rows) do
    if row.ended_at == nil then row.status = db.core:writer(row.pid) and "running" or "crashed" end
  end
  return rows
end

local function view_of(removed)
  return removed and "(SELECT * FROM v_any_run WHERE removed_at IS NOT NULL)" or "v_run"
end

-- removed: reads removed runs instead, which files older than version 3 lack. columns: as in SQL; status
-- also requires ended_at and pid. condition: SQL from WHERE on.
function run_rows.read(db, removed, columns, condition, ...)
  if removed and db.core:version() < 3 then return {} end
  local rows, message, code = db.core:query(("SELECT %s FROM %s %s"):format(columns, view_of(removed),
    condition), ...)
  if not rows then return nil, message, code end
  return with_status(db, rows)
end

function run_rows.complete(db, removed, rows)
  local by_id, out = {}, {}
  local sql = ("SELECT * FROM %s WHERE run_id"):format(view_of(removed))
  local found, message, code = in_list.query(db, sql, rows, "run_id")
  if not found then return nil, message, code end
  for _, row in ipairs(with_status(db, found)) do by_id[row.run_id] = row end
  for _, row in ipairs(rows) do out[#out + 1] = by_id[row.run_id] end
  return out
end

return run_rows
