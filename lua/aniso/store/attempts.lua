-- Which runs of a configuration have finished, and which can be resumed.
local config_hash = require "aniso.store.config_hash"
local must = require("aniso.store.db_error").must

local attempts = {}

-- The uid of the latest finished run of a study as a job describes it, or nil. job: {label, config =
-- complete, seed, cross = {folds, fold [, official]} or nil}.
function attempts.finished(db, study, job)
  local cross = job.cross or {}
  local rows = must(db:query([[
    SELECT r.uid FROM run r JOIN config c USING(config_id) JOIN study s USING(study_id)
      JOIN data_split p USING(split_id)
     WHERE c.sha256 = ?1 AND r.seed = ?2 AND s.name = ?3 AND r.fold IS ?4 AND p.folds IS ?5
       AND (p.name LIKE 'official fold %') = ?6 AND r.label = ?7 AND r.status = 'finished'
       AND r.removed_at IS NULL ORDER BY r.run_id DESC LIMIT 1]],
    config_hash(job.config), job.seed, study, cross.fold, cross.folds,
    cross.official and 1 or 0, job.label))
  return rows[1] and rows[1].uid
end

-- The runs that did not finish, as rows of db:find(), oldest first.
function attempts.resumable(db)
  local out = {}
  for i, row in ipairs(must(db:query [[
    SELECT uid FROM v_run WHERE status IN ('crashed', 'interrupted', 'failed') ORDER BY run_id]])) do
    out[i] = must(db:find(row.uid))
  end
  return out
end

return attempts
