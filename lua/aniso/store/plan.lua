-- The runs that `aniso run` plans, stored so that other processes can show those that have not begun:
--   db:set_plan(study, jobs [, baseline])      db:plan_of(study)      db:baseline_of(study)
-- A file older than version 4 has no plans. A failure of the database is nil, message, code.
local config_hash = require "aniso.store.config_hash"
local core = require "aniso.core"
local shared_rows = require "aniso.store.shared_rows"
local must = require("aniso.store.db_error").must

local plan = {}

local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

local function replace(connection, study, jobs, baseline)
  local study_id = shared_rows.study(connection, study, "single")
  must(connection:exec("UPDATE study SET baseline = ?2 WHERE study_id = ?1", study_id, baseline))
  must(connection:exec("DELETE FROM plan WHERE study_id = ?1", study_id))
  must(connection:exec("INSERT INTO plan(study_id, at, pid, after_run) SELECT ?1, " .. NOW
    .. ", ?2, coalesce(max(run_id), 0) FROM run", study_id, core.sys.pid()))
  for seq, job in ipairs(jobs) do
    must(connection:exec("INSERT INTO plan_run(study_id, seq, label, seed, config, uid, fold) "
      .. "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", study_id, seq, job.label, job.seed,
      config_hash(job.config), job.uid, job.cross and job.cross.fold))
  end
end

-- Replaces the study's plan by jobs {label, seed, cross, config = complete, uid = of a run that was
-- finished before and is not done again}, in their order; `baseline`: the label others are compared with.
function plan.set_plan(db, study, jobs, baseline)
  return db:transaction(replace, db.core, study, jobs, baseline)
end

-- The study's plan: {at, age = seconds since, pid, after_run, {label, seed, fold, config_id, uid} …};
-- config_id is nil before a run of it begins. → false where the study has none.
function plan.plan_of(db, study)
  if db.core:version() < 4 then return false end
  local plans, message, code = db.core:query([[
    SELECT p.*, (julianday('now') - julianday(p.at)) * 86400 AS age
      FROM plan p JOIN study USING(study_id) WHERE name = ?1]], study)
  if not plans then return nil, message, code end
  local found = plans[1]
  if not found then return false end
  local rows
  rows, message, code = db.core:query([[
    SELECT p.*, c.config_id FROM plan_run p LEFT JOIN config c ON c.sha256 = p.config
     WHERE study_id = ?1 ORDER BY seq]], found.study_id)
  if not rows then return nil, message, code end
  return table.move(rows, 1, #rows, 1, found)
end

-- The label of the study's baseline; false where none is stored.
function plan.baseline_of(db, study)
  if db.core:version() < 4 then return false end
  local rows, message, code = db.core:query("SELECT baseline FROM study WHERE name = ?1", study)
  if not rows then return nil, message, code end
  return rows[1] and rows[1].baseline or false
end

return plan
