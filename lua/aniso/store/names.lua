-- The names in a database that can be typed, each once and at most MOST of a kind: for completion.
local must = require("aniso.store.db_error").must

local names = {}

local MOST = 500

local function column(db, sql, ...)
  local out = {}
  for i, row in ipairs(must(db:query(("SELECT DISTINCT x FROM (%s) LIMIT %d"):format(sql, MOST), ...))) do
    out[i] = row.x
  end
  return out
end

function names.studies(db) return column(db, "SELECT study AS x FROM v_run") end

-- The labels of a study, or of all.
function names.labels(db, study)
  return column(db, "SELECT label AS x FROM v_run WHERE label IS NOT NULL AND (?1 IS NULL OR study = ?1)",
    study)
end

-- STUDY:LABEL
function names.labels_of_studies(db)
  return column(db, "SELECT study || ':' || label AS x FROM v_run WHERE label IS NOT NULL")
end

-- The ids of runs, the newest first.
function names.runs(db) return column(db, "SELECT uid AS x FROM v_run ORDER BY run_id DESC") end

function names.tags(db) return column(db, "SELECT name AS x FROM tag") end

-- The options of stored configurations, and the values that one has there.
function names.options(db) return column(db, "SELECT key AS x FROM config_param") end

function names.values(db, key)
  return column(db, "SELECT coalesce(txt, num) AS x FROM config_param WHERE key = ?1", key)
end

return names
