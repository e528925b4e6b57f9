-- planned_row.add(connection, study_id, seq, job, of): stores a run of a plan (plan.lua) in a transaction.
-- job: {label, seed, cross, config = complete, uid, begun, problem,
-- stage, round}; of [opt]: {unit, round, trial, worker}.
local must = require("aniso.store.db_error").must
local shared_rows = require "aniso.store.shared_rows"

local planned_row = {}

function planned_row.add(connection, study_id, seq, job, of)
  local cross = job.cross or {}
  local config_id = shared_rows.config(connection, job.config)
  must(connection:exec([[
    INSERT INTO plan_run(study_id, seq, label, seed, config, uid, fold, folds, official, begun, unit, stage,
                         round, ended, trial, worker)
    SELECT ?1, ?2, ?3, ?4, sha256, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16
      FROM config WHERE config_id = ?5]],
    study_id, seq, job.label, job.seed, config_id, job.uid, cross.fold, cross.folds, cross.official or false,
    job.begun, of.unit, job.stage, of.round or job.round or 1,
    job.uid and (job.problem and "failed" or "finished"), of.trial or 0, of.worker))
end

return planned_row
