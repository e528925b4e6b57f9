-- Contents and maintenance of a database file: counts of rows, names of studies, ids of runs, free space.
local in_list = require "aniso.store.in_list"
local must = require("aniso.store.db_error").must

local contents = {}

-- What is counted, by the name that `aniso db info` prints, in alphabetical order.
local COUNTED = {
  { "checkpoints", "checkpoint" }, { "evaluations", "evaluation" }, { "log lines", "log" },
  { "points of curves", "metric_value" }, { "predictions", "prediction" }, { "runs", "v_run" },
  { "studies", "study" },
}

-- → {{name, number of rows}, …}
function contents.counts(db)
  local out = {}
  for i, one in ipairs(COUNTED) do
    out[i] = { one[1], must(db:query("SELECT count(*) AS n FROM " .. one[2]))[1].n }
  end
  return out
end

-- The number of runs, removed ones included.
function contents.run_count(db)
  return must(db:query "SELECT count(*) AS n FROM run")[1].n
end

-- uid → its shortest prefix, of at least eight characters, that no other run has, removed runs included.
function contents.short_ids(db, runs)
  local out = {}
  for _, row in ipairs(must(in_list.query(db, [[
    SELECT uid, (SELECT max(uid) FROM run b WHERE b.uid < r.uid) AS before,
           (SELECT min(uid) FROM run a WHERE a.uid > r.uid) AS after FROM run r WHERE run_id]], runs,
    "run_id"))) do
    local length = 8
    for _, other in ipairs { row.before or "", row.after or "" } do
      while other:sub(1, length) == row.uid:sub(1, length) do length = length + 1 end
    end
    out[row.uid] = row.uid:sub(1, length)
  end
  return out
end

-- The names of the studies that have runs, in the order of their first runs.
function contents.studies(db)
  local out = {}
  for i, row in ipairs(must(db:query "SELECT study FROM v_run GROUP BY study ORDER BY min(run_id)")) do
    out[i] = row.study
  end
  return out
end

-- Whether a study has runs.
function contents.has_runs(db, study)
  return must(db:query("SELECT 1 FROM v_run WHERE study = ?1 LIMIT 1", study))[1] ~= nil
end

-- Whether a study exists: it has runs, or a plan.
function contents.has_study(db, study)
  return must(db:query("SELECT 1 FROM study WHERE name = ?1", study))[1] ~= nil
end

-- Bytes inside the file that no row uses; vacuum() returns them to the file system.
function contents.free_bytes(db)
  return must(db:query [[
    SELECT freelist_count * page_size AS n FROM pragma_freelist_count, pragma_page_size]])[1].n
end

-- Rewrites the file without free space and empties its write-ahead log.
function contents.vacuum(db)
  must(db:exec "VACUUM")
  must(db:query "PRAGMA wal_checkpoint(TRUNCATE)")
end

return contents
