-- Removed runs: hidden from every view, kept until gc (collect.lua) deletes them.
-- db:remove{run, …} and db:restore{run, …} → how many changed | nil, message, code. A run is a row
-- of find() or runs(). A run in progress is an error.
local must = require("aniso.store.db_error").must

local removal = {}

local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

-- Such runs exist only next to another writer: opening for writing ends all others.
local function refuse_running(db, run)
  local rows = must(db.core:query("SELECT 1 FROM run WHERE run_id = ?1 AND ended_at IS NULL", run.run_id))
  if #rows > 0 then
    error(("run %s is in progress: interrupt its study (Ctrl-C) first"):format(run.uid), 0)
  end
end

local function change(db, runs, sql)
  return db:transaction(function()
    for _, run in ipairs(db.shared and runs or {}) do refuse_running(db, run) end
    local changed = 0
    for _, run in ipairs(runs) do changed = changed + must(db.core:exec(sql, run.run_id)) end
    return changed
  end)
end

function removal.remove(db, runs)
  return change(db, runs,
    "UPDATE run SET removed_at = " .. NOW .. " WHERE run_id = ?1 AND removed_at IS NULL")
end

function removal.restore(db, runs)
  return change(db, runs, "UPDATE run SET removed_at = NULL WHERE run_id = ?1 AND removed_at IS NOT NULL")
end

return removal
