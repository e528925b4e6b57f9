-- Removed runs: hidden from every view, kept until gc (collect.lua) deletes them.
-- db:remove{run, …} and db:restore{run, …} → how many changed | nil, message, code. A run is a row
-- of find() or runs(). None of them can be in progress: only one process writes to a file.
local must = require("aniso.store.db_error").must

local removal = {}

local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

local function change(db, runs, sql)
  return db:transaction(function()
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
