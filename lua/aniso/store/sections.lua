-- The stored rows of one run by section, in the columns and the order in which `aniso show` prints them:
--   sections.rows(db, "classes", run) → rows by column name, list of column names
-- run: a row of db:find().
local must = require("aniso.store.db_error").must

local sections = {}

-- name → query; ?1 is the run_id.
local QUERIES = {
  facts = [[
    SELECT v.uid, v.study, v.label, v.seed, $FOLD, v.attempt, v.status, v.error, v.dataset, $CONTENT v.split,
           v.started_at, v.ended_at, round(v.wall_s, 1) AS wall_s, v.resumes, v.hostname, v.threads,
           v.tool_version, v.git_commit, v.git_dirty, s.path AS recipe
      FROM v_run v JOIN run r USING(run_id) LEFT JOIN source s ON s.source_id = r.recipe_id
     WHERE v.run_id = ?1]],
  evaluations = [[
    SELECT part, sampler, sample_steps AS steps, draws, weights, step, is_primary, n, acc, bacc, macro_f1,
           kappa, many, medium, few, worst_class
      FROM v_eval WHERE run_id = ?1 ORDER BY part, is_primary DESC, eval_id]],
  calibration = [[
    SELECT part, sampler, calibration ->> '$.rule.metric' AS metric,
           calibration ->> '$.uncalibrated' AS before, calibration ->> '$.value' AS after,
           calibration ->> '$.tau' AS tau, calibration ->> '$.rule.where' AS "where",
           calibration ->> '$.temperature' AS temperature, calibration ->> '$.level' AS level
      FROM evaluation WHERE run_id = ?1 AND calibration IS NOT NULL ORDER BY part, is_primary DESC, eval_id]],
  search = [[
    SELECT r.key + 1 AS rung, r.value ->> '$.seeds' AS seeds, c.value ->> '$.name' AS candidate,
           l.message ->> '$.search.metric' AS metric, c.value ->> '$.mean' AS mean,
           c.value ->> '$.delta' AS delta, c.value ->> '$.se' AS se, c.value ->> '$.state' AS state
      FROM log l, json_each(l.message, '$.search.rungs') r, json_each(r.value, '$.candidates') c
     WHERE l.run_id = ?1 AND l.level = 'debug' AND l.message LIKE '{"search":%' ORDER BY r.key, c.key]],
  classes = [[
    SELECT c.class, c.n_train, c.shot, l.value AS lambda, c.support, c.predicted, c.precision, c.recall, c.f1
      FROM v_class c LEFT JOIN lambda l USING(run_id, class_idx)
     WHERE c.run_id = ?1 AND c.is_primary = 1 AND c.part = 'test' ORDER BY c.class_idx]],
  config = [[
    SELECT key, txt AS value FROM config_param JOIN run USING(config_id)
     WHERE run_id = ?1 ORDER BY key]],
  curve = [[
    SELECT m.name AS metric, v.part, v.step, coalesce(v.value, v.kind) AS value
      FROM metric_value v JOIN metric m USING(metric_id)
     WHERE v.run_id = ?1 ORDER BY m.name, v.part, v.step]],
  log = [[
    SELECT at, level, message FROM log
     WHERE run_id = ?1 AND NOT (level = 'debug'
       AND (message LIKE '{"search":%' OR message LIKE '{"pruned":%')) ORDER BY seq]],
  confusion = [[
    SELECT f.true_idx, f.pred_idx, f.n FROM confusion f JOIN evaluation e USING(eval_id)
     WHERE e.run_id = ?1 AND e.is_primary = 1 AND e.part = 'test']],
}

-- The version of the file since which a section exists.
local SINCE = { calibration = 6 }

-- Files older than version 6 have neither folds nor the content of a data set.
function sections.rows(db, name, run)
  if SINCE[name] and db.core:version() < SINCE[name] then return {}, {} end
  local new = db.core:version() >= 6
  local column = { ["$CONTENT"] = new and "v.content," or "", ["$FOLD"] = new and "v.fold" or "NULL AS fold" }
  return must(db:query((QUERIES[name]:gsub("%$%u+", column)), run.run_id))
end

return sections
