-- Finds the runs of a configuration that have finished, and those that can be resumed. A job is {config =
-- complete, seed, cross = {folds, fold [, official]} or nil, label, moved_from = hash of a stored
-- configuration that differs only in the paths of its data, or nil}.
local config_hash = require "aniso.store.config_hash"
local data_paths = require "aniso.recipe.data_paths"
local must = require("aniso.store.db_error").must

local attempts = {}

-- The newest finished run of a study with the configuration and fold of a job, or nil. after [opt]: a run_id;
-- only later runs count.
local function newest(db, study, job, after, seed, label)
  local cross = job.cross or {}
  local rows = must(db:query([[
    SELECT r.uid FROM run r JOIN config c USING(config_id) JOIN study s USING(study_id)
      JOIN data_split p USING(split_id)
     WHERE c.sha256 IN (?1, ?8) AND (?2 IS NULL OR r.seed = ?2) AND s.name = ?3 AND r.fold IS ?4
       AND p.folds IS ?5 AND (p.name LIKE 'official fold %') = ?6 AND (?7 IS NULL OR r.label = ?7)
       AND r.status = 'finished' AND r.removed_at IS NULL AND r.run_id > ?9
     ORDER BY r.run_id DESC LIMIT 1]],
    config_hash(job.config), seed, study, cross.fold, cross.folds, cross.official and 1 or 0, label,
    job.moved_from, after or 0))
  return rows[1] and rows[1].uid
end

local function with_data(config, data)
  local out = {}
  for key, value in pairs(config) do out[key] = value end
  out.data = data
  return out
end

-- The configurations of a study's runs, whatever their status: a list of {sha256 =, paths = those of the data
-- options `keys`} in the order in which they were stored, which also maps each hash to true.
local function stored_paths(db, study, keys)
  local out = {}
  for _, row in ipairs(must(db:query([[
    SELECT DISTINCT c.sha256, c.config_id FROM run JOIN config c USING(config_id) JOIN study s USING(study_id)
     WHERE s.name = ?1 AND removed_at IS NULL ORDER BY c.config_id]], study))) do
    local paths = {}
    for key in pairs(keys) do
      local found = must(db:query("SELECT txt FROM config_param WHERE config_id = ?1 AND key = 'data.' || ?2",
        row.config_id, key))[1]
      paths[key] = found and found.txt
    end
    out[#out + 1], out[row.sha256] = { sha256 = row.sha256, paths = paths }, true
  end
  return out
end

-- The hash of a stored configuration that differs from `config` only in the paths of its data, because the
-- recipe's folder was moved or its runs came from another machine; nil if there is none.
local function moved_from(config, former_paths, stored)
  for _, one in ipairs(stored) do
    local data = data_paths.with_stored(config.data, former_paths, one.paths)
    if data and config_hash(with_data(config, data)) == one.sha256 then return one.sha256 end
  end
end

-- A job whose configuration is stored with the relative paths of its recipe, as earlier versions wrote them,
-- keeps that configuration, so that those runs still count. A job whose configuration is stored with other
-- paths receives `moved_from`. folder: the recipe's.
function attempts.keep_former(db, study, jobs, former_paths, folder)
  if not former_paths then return end
  local stored, moved = stored_paths(db, study, former_paths), {}
  for _, job in ipairs(jobs) do
    local given = data_paths.with_former(job.config.data, former_paths)
    local former, own = given and with_data(job.config, given), config_hash(job.config)
    if former and stored[config_hash(former)] then
      job.config, job.folder = former, folder
    elseif former and not stored[own] then
      if moved[own] == nil then moved[own] = moved_from(job.config, former_paths, stored) or false end
      job.moved_from = moved[own] or nil
    end
  end
end

-- The uid of the latest finished run of a job in a study, or nil. A job without a label matches any label.
-- after [opt]: a run_id; only later runs count.
function attempts.finished(db, study, job, after)
  return newest(db, study, job, after, job.seed, job.label)
end

-- The same for any seed and label.
function attempts.finished_with_any_seed(db, study, job, after)
  return newest(db, study, job, after)
end

-- The last run_id before the runs of an unfinished plan that `aniso run --again` wrote for a study; nil if it
-- has no such plan. The plan has begun runs, or repeats one that had finished when the plan was written.
function attempts.begun_again(db, study)
  local begun = must(db:query([[
    WITH p AS (SELECT plan.* FROM plan JOIN study s USING(study_id) WHERE s.name = ?1),
         due AS (SELECT q.* FROM plan_run q JOIN p USING(study_id)
                  WHERE trial = 0 AND ended IS NULL AND unit IS NOT NULL)
    SELECT p.after_run FROM p WHERE EXISTS (SELECT 1 FROM due)
       AND (EXISTS (SELECT 1 FROM run r, json_each(r.argv) a WHERE r.study_id = p.study_id
                     AND r.run_id > p.after_run AND a.value = '--again')
         OR EXISTS (SELECT 1 FROM due JOIN config c ON c.sha256 = due.config JOIN run r USING(config_id)
                     WHERE r.study_id = p.study_id AND r.seed = due.seed AND r.fold IS due.fold
                       AND r.label = due.label AND r.status = 'finished' AND r.removed_at IS NULL
                       AND r.run_id <= p.after_run))]], study))[1]
  return begun and begun.after_run
end

-- The last run_id before the runs that `aniso run --again` trains for a study: the newest one now, or at the
-- time when the plan that the command continues was written.
function attempts.newest_before_again(db, study)
  return attempts.begun_again(db, study)
    or must(db:query "SELECT coalesce(max(run_id), 0) AS n FROM run")[1].n
end

-- A unique key of a run within its plan: from a row of db:planned_runs(), or below from a job.
function attempts.key_of_row(row)
  return ("%s %d %s %s"):format(row.config, row.seed, row.fold, row.label)
end

function attempts.key(job)
  return attempts.key_of_row { config = config_hash(job.config), seed = job.seed,
    fold = job.cross and job.cross.fold, label = job.label }
end

-- The latest run of a job in a study, whatever its status: {run_id, uid, status, error}, or nil. The status
-- of a run without an end is "crashed".
function attempts.latest(db, study, job)
  local cross = job.cross or {}
  return must(db:query([[
    SELECT r.run_id, r.uid, r.status, r.error FROM run r JOIN config c USING(config_id)
      JOIN study s USING(study_id) JOIN data_split p USING(split_id)
     WHERE c.sha256 = ?1 AND r.seed = ?2 AND s.name = ?3 AND r.fold IS ?4 AND p.folds IS ?5
       AND (p.name LIKE 'official fold %') = ?6 AND r.label = ?7 AND r.removed_at IS NULL
     ORDER BY r.run_id DESC LIMIT 1]], config_hash(job.config), job.seed, study, cross.fold, cross.folds,
    cross.official and 1 or 0, job.label))[1]
end

-- The run that a job resumes, a row of db:find(): the latest one, if it was killed or interrupted. A failed
-- run is not resumed but started again.
function attempts.begun(db, study, job)
  local latest = attempts.latest(db, study, job)
  if not latest or latest.status ~= "crashed" and latest.status ~= "interrupted" then return nil end
  return must(db:find(latest.uid))
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
