-- Workers of a plan: which unit each takes, and how its runs ended. Workers on one machine share the lock of
-- the database (io/lock.h), so that the kernel decides whether the worker that took a unit still exists. A
-- clock or a process number cannot decide this.
--   db:take_unit(study) → the unit's rows (plan.lua), how many units are left; or nil and "wait" or "done"
--   db:end_planned(study, seq, "finished" | "failed" [, problem])      db:end_lost_runs()
--   db:left_of_plan(study)      db:set_trials(study, unit, jobs)      db:drop_planned(study, seq)
local core = require "aniso.core"
local must = require("aniso.store.db_error").must
local raise = require("aniso.store.db_error").raise
local planned_row = require "aniso.store.planned_row"

local claims = {}

local MOST_BYTES = 2000 -- of a stored problem

-- Ends the runs of workers that are gone. This process is new, so a run with its number belongs to another.
function claims.end_lost_runs(db)
  local own = core.sys.pid()
  for _, row in ipairs(must(db.core:query "SELECT run_id, pid FROM run WHERE ended_at IS NULL")) do
    if row.pid == own or not db.core:writer(row.pid) then
      must(db.core:exec("UPDATE run SET ended_at = heartbeat_at WHERE run_id = ?1", row.run_id))
    end
  end
  must(db.core:exec("UPDATE plan_run SET worker = NULL WHERE worker = ?1", own))
end

local OPEN = [[
  SELECT unit, round, stage, max(worker) AS worker FROM plan_run JOIN study USING(study_id)
   WHERE name = ?1 AND unit IS NOT NULL AND trial = 0 AND ended IS NULL GROUP BY unit, round, stage
   ORDER BY round, min(seq)]]

-- The first free unit, if possible one whose first stage no other worker is training.
local function choose(db, open)
  local own, busy, free = core.sys.pid(), {}, {}
  for _, one in ipairs(open) do
    if one.round > open[1].round then break end
    if one.worker and one.worker ~= own and db.core:writer(one.worker) then
      busy[one.stage or -one.unit] = true
    else
      free[#free + 1] = one
    end
  end
  for _, one in ipairs(free) do
    if not busy[one.stage or -one.unit] then return one end
  end
  return free[1]
end

local function take(db, study)
  local open = must(db.core:query(OPEN, study))
  if not open[1] then return "done" end
  local unit = choose(db, open)
  if not unit then return "wait" end
  must(db.core:exec("UPDATE plan_run SET worker = ?2 WHERE unit = ?1", unit.unit, core.sys.pid()))
  local rows = must(db.core:query([[
    SELECT p.*, c.json FROM plan_run p JOIN config c ON c.sha256 = p.config
     WHERE unit = ?1 AND trial = 0 AND ended IS NULL ORDER BY seq]], unit.unit))
  if rows[1] then return rows, #open end
  raise(("%s: the plan of %s lacks configurations of its runs, since another program has changed it: plan it "
    .. "again (aniso plan)"):format(db.path, study), "EFORMAT") -- while workers had the file open
end

-- Takes the next free unit → its rows, and how many units have not ended. "wait": other workers have taken
-- all remaining units, or other units must end first; "done": every unit has ended.
function claims.take_unit(db, study)
  local rows, open = must(db:transaction(take, db, study))
  if type(rows) == "string" then return nil, rows end
  return rows, open
end

-- What is left of a study's plan: {planned = all its runs, trials included, left = its runs that have not
-- ended, without trials, units = the number of their units, plain = how many of them belong to no search}
function claims.left_of_plan(db, study)
  return must(db.core:query([[
    SELECT count(*) AS planned, coalesce(sum(open), 0) AS left, coalesce(sum(open AND round = 1), 0) AS plain,
           count(DISTINCT iif(open, unit, NULL)) AS units
      FROM (SELECT unit, round, ended IS NULL AND unit IS NOT NULL AND trial = 0 AS open
              FROM plan_run JOIN study USING(study_id) WHERE name = ?1)]], study))[1]
end

-- Replaces the trials planned for a unit of a search by those that it found. jobs: as for set_plan().
function claims.set_trials(db, study, unit, jobs)
  must(db:transaction(function()
    local plan = must(db.core:query([[
      SELECT study_id, (SELECT coalesce(max(seq), 0) FROM plan_run r WHERE r.study_id = s.study_id
        AND trial = 0) AS planned FROM study s WHERE name = ?1]], study))[1]
    must(db.core:exec("DELETE FROM plan_run WHERE unit = ?1 AND trial = 1", unit))
    for i, job in ipairs(jobs) do
      planned_row.add(db.core, plan.study_id, plan.planned + i, job, { unit = unit, round = 2, trial = 1,
        worker = core.sys.pid() })
    end
  end))
end

-- Removes a run that is not done from the plan, because it was pruned.
function claims.drop_planned(db, study, seq)
  must(db:transaction(function()
    must(db.core:exec("DELETE FROM plan_run WHERE seq = ?2 AND study_id = "
      .. "(SELECT study_id FROM study WHERE name = ?1)", study, seq))
  end))
end

function claims.end_planned(db, study, seq, ended, problem)
  must(db:transaction(function()
    must(db.core:exec("UPDATE plan_run SET ended = ?3, problem = ?4 WHERE seq = ?2 AND study_id = "
      .. "(SELECT study_id FROM study WHERE name = ?1)", study, seq, ended,
      problem and problem:sub(1, utf8.offset(problem, 0, math.min(#problem, MOST_BYTES) + 1) - 1)))
  end))
end

return claims
