-- The runs that `aniso run` plans, stored so that other processes can show those that have not begun:
--   db:set_plan(study, jobs [, baseline [, of]])      db:plan_of(study)      db:baseline_of(study)
--   db:plan_for_workers(study)      db:planned_runs(study)
-- A file older than version 4 has no plans. The functions return nil, message, code when the database fails.
local core = require "aniso.core"
local planned_row = require "aniso.store.planned_row"
local shared_rows = require "aniso.store.shared_rows"
local must = require("aniso.store.db_error").must

local plan = {}

local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

local function replace(connection, study, jobs, baseline, of)
  local study_id = shared_rows.study(connection, study, "single")
  must(connection:exec("UPDATE study SET baseline = ?2 WHERE study_id = ?1", study_id, baseline))
  must(connection:exec("DELETE FROM plan WHERE study_id = ?1", study_id))
  must(connection:exec("INSERT INTO plan(study_id, at, pid, after_run, recipe_id, folder, tool_version, "
    .. "one_by_one, prune) SELECT ?1, " .. NOW .. ", ?2, coalesce(?8, max(run_id), 0), ?3, ?4, ?5, ?6, ?7 "
    .. "FROM run",
    study_id, core.sys.pid(), shared_rows.source(connection, of.recipe), of.folder,
    of.recipe and core.sys.version, of.one_by_one or false,
    of.prune and core.json.encode(of.prune), of.after_run))
  local first = must(connection:query "SELECT coalesce(max(unit), 0) AS n FROM plan_run")[1].n
  for seq, job in ipairs(jobs) do
    planned_row.add(connection, study_id, seq, job, { unit = job.unit and first + job.unit })
  end
end

-- Replaces the study's plan by jobs {label, seed, cross, config = complete, uid = of a run that had finished
-- before and is not repeated, begun = of one that is resumed; unit, stage, round: of a plan for workers
-- (train/units.lua)}, in their order; `baseline`: the label that others are compared with. of [opt]: of a
-- plan for workers, {recipe = {path, text}, folder, one_by_one, prune = {rule, seeds} of train/pruning.lua,
-- after_run = the newest run before those of the plan; the newest of all if left out}.
function plan.set_plan(db, study, jobs, baseline, of)
  return db:transaction(replace, db.core, study, jobs, baseline, of or {})
end

-- The plan for workers of a study, by default the latest in the file: a row of the table with `study`, `age`
-- in seconds, `recipe_sha256`, `recipe_path` and `recipe_text`; false if there is no such plan.
function plan.plan_for_workers(db, study)
  if db.core:version() < 9 then return false end
  local rows, message, code = db.core:query([[
    SELECT p.*, s.name AS study, r.sha256 AS recipe_sha256, r.path AS recipe_path, r.content AS recipe_text,
           (julianday('now') - julianday(p.at)) * 86400 AS age
      FROM plan p JOIN study s USING(study_id) JOIN source r ON r.source_id = p.recipe_id
     WHERE (?1 IS NULL OR s.name = ?1) ORDER BY p.at DESC LIMIT 1]], study)
  if not rows then return nil, message, code end
  return rows[1] or false
end

-- The rows of a study's plan, with their configurations in `json`.
function plan.planned_runs(db, study)
  return db.core:query([[
    SELECT p.*, c.json FROM plan_run p JOIN study USING(study_id) JOIN config c ON c.sha256 = p.config
     WHERE name = ?1 ORDER BY seq]], study)
end

-- The study's plan: {at, age = seconds since, pid, after_run, {label, seed, fold, config_id, uid} …};
-- config_id is nil until a run with that configuration begins. → false if the study has no plan.
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
