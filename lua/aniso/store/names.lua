-- Names for completion: those in a database that can be typed and begin with `start` [opt], each once and at
-- most MOST of a kind.
local must = require("aniso.store.db_error").must

local names = {}

local MOST = 500

-- sql returns a column x; ?1 is `start`, ?2 … are the values.
local function column(db, sql, start, ...)
  local out = {}
  local fitting = ("SELECT DISTINCT x FROM (%s) WHERE ?1 IS NULL OR substr(x, 1, length(?1)) = ?1 LIMIT %d")
    :format(sql, MOST)
  for i, row in ipairs(must(db:query(fitting, start, ...))) do out[i] = row.x end
  return out
end

function names.studies(db, _, start) return column(db, "SELECT study AS x FROM v_run", start) end

-- The labels of a study, or of all.
function names.labels(db, study, start)
  return column(db, "SELECT label AS x FROM v_run WHERE label IS NOT NULL AND (?2 IS NULL OR study = ?2)",
    start, study)
end

-- STUDY:LABEL
function names.labels_of_studies(db, _, start)
  return column(db, "SELECT study || ':' || label AS x FROM v_run WHERE label IS NOT NULL", start)
end

-- The ids of runs, the newest first.
function names.runs(db, _, start)
  return column(db, "SELECT uid AS x FROM v_run ORDER BY run_id DESC", start)
end

function names.tags(db, _, start) return column(db, "SELECT name AS x FROM tag", start) end

-- The options of stored configurations, and the values that one has there.
function names.options(db, _, start) return column(db, "SELECT key AS x FROM config_param", start) end

function names.values(db, key, start)
  return column(db, "SELECT coalesce(txt, num) AS x FROM config_param WHERE key = ?2", start, key)
end

return names
