-- Which runs of a configuration have finished, and which can be resumed. A job is {config = complete, seed,
-- cross = {folds, fold [, official]} or nil, label}.
local config_hash = require "aniso.store.config_hash"
local data_paths = require "aniso.recipe.data_paths"
local must = require("aniso.store.db_error").must

local attempts = {}

-- The newest of a study's finished runs with a job's configuration and fold, or nil.
local function newest(db, study, job, seed, label)
  local cross = job.cross or {}
  local rows = must(db:query([[
    SELECT r.uid FROM run r JOIN config c USING(config_id) JOIN study s USING(study_id)
      JOIN data_split p USING(split_id)
     WHERE c.sha256 = ?1 AND (?2 IS NULL OR r.seed = ?2) AND s.name = ?3 AND r.fold IS ?4 AND p.folds IS ?5
       AND (p.name LIKE 'official fold %') = ?6 AND (?7 IS NULL OR r.label = ?7) AND r.status = 'finished'
       AND r.removed_at IS NULL ORDER BY r.run_id DESC LIMIT 1]],
    config_hash(job.config), seed, study, cross.fold, cross.folds, cross.official and 1 or 0, label))
  return rows[1] and rows[1].uid
end

-- Whether a study has a run, in whatever state, of a complete configuration.
function attempts.has_configuration(db, study, config)
  return must(db:query([[
    SELECT 1 FROM run JOIN config c USING(config_id) JOIN study s USING(study_id)
     WHERE c.sha256 = ?1 AND s.name = ?2 AND removed_at IS NULL LIMIT 1]], config_hash(config),
    study))[1] ~= nil
end

-- Jobs whose configuration the study has with the relative paths of its recipe, as earlier versions stored
-- them, keep that configuration: their runs are the same ones, and count together. folder: the recipe's.
function attempts.keep_former(db, study, jobs, former_paths, folder)
  for _, job in ipairs(former_paths and jobs or {}) do
    local former = {}
    for key, value in pairs(job.config) do former[key] = value end
    former.data = data_paths.with_former(job.config.data, former_paths)
    if former.data and attempts.has_configuration(db, study, former) then
      job.config, job.folder = former, folder
    end
  end
end

-- The uid of the latest finished run of a study as a job describes it, or nil; without a label of the job
-- that of any label.
function attempts.finished(db, study, job)
  return newest(db, study, job, job.seed, job.label)
end

-- The same for any seed and label.
function attempts.finished_with_any_seed(db, study, job)
  return newest(db, study, job)
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
