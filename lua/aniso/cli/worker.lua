-- Carries out a plan: takes the next unit that no other worker has taken, until all have ended. What a killed
-- worker had begun is resumed by another, with the same bits.
--   worker.find_plan(db, study) → the plan for workers of a study, or of the latest plan if nil
--   worker.run { db = joined, plan =, argv =, keep_last =, again = whether the plan repeats what was finished
--     before it, all = jobs of the whole recipe [opt], memory = the option train.memory [opt],
--     board = where it shows them [opt],
--     share = {jobs =, threads =} of a worker alongside others (cli/jobs.lua) [opt] }
--   worker.check_clock(plan)      prints a warning
--   worker.failed(db, plan) → how many of its runs failed, of how many
local attempts = require "aniso.store.attempts"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local config = require "aniso.method.config"
local core = require "aniso.core"
local db_error = require "aniso.store.db_error"
local own_part = require "aniso.recipe.own_part"
local paths = require "aniso.recipe.paths"
local rounds = require "aniso.cli.rounds"
local stored_limits = require "aniso.train.stored_limits"

local worker = {}

local PAUSE = 0.2       -- seconds between polls of units that other workers have taken
local CLOCKS_AGREE = 60 -- seconds that a plan may be newer than now

function worker.find_plan(db, study)
  local plan, message, code = db:plan_for_workers(study)
  if plan == nil then cli.need(nil, message, code) end
  if not plan then
    cli.fail(cli.NO_MATCH, ("%s has no plan%s; aniso plan RECIPE writes one"):format(db.path,
      study and " for study " .. study or ""))
  end
  if plan.tool_version ~= core.sys.version then
    cli.fail(cli.FAILED, ("the plan of %s was made by aniso %s, and this is %s: plan it again (aniso plan), "
      .. "or use that version"):format(plan.study, plan.tool_version, core.sys.version))
  end
  return plan
end

-- The memory budgets of a recipe's jobs, by budget_key(): a plan stores none (recipe/identity.lua).
local function budget_key(one)
  return one.label .. "\0" .. one.seed
end

local function budgets_of(jobs)
  local out = {}
  for _, job in ipairs(jobs or {}) do out[budget_key(job)] = job.config.train and job.config.train.memory end
  return out
end

-- The jobs of rows of the plan.
local function jobs_of(plan, rows)
  local jobs = {}
  for i, row in ipairs(rows) do
    jobs[i] = { label = row.label, seed = row.seed, number = row.seq, folder = plan.folder, row = row,
      config = config.of_stored(assert(core.json.decode(row.json))), cross = row.folds and
        { folds = row.folds, fold = row.fold, official = row.official == 1 or nil } or nil }
    jobs[i].config.train.memory = plan.memory or plan.budgets[budget_key(row)]
    stored_limits.check(row.label or ("%d of the plan"):format(row.seq), jobs[i].config)
  end
  return jobs
end

-- The option of a job whose own part is missing in this process.
local function lacking(job)
  for _, name in ipairs { "schedule.lambda", "sampler", "loss.prior", "loss.class_weight" } do
    local part = paths.get(job.config, name)
    if own_part.is(part) and not own_part.find(part) then
      return ("needs its %s %s: name the recipe with --recipe"):format(name, own_part.describe(part))
    end
  end
end

-- Whether a job ended since it was planned, but its worker was killed before the plan recorded it.
local function settled(db, plan, job)
  local latest = common.guarded(attempts.latest, db, plan.study, job)
  if not latest or latest.run_id <= plan.after_run and latest.uid ~= job.row.begun then return false end
  if latest.status == "finished" then
    db:end_planned(plan.study, job.row.seq, "finished")
  elseif latest.status == "failed" then
    db:end_planned(plan.study, job.row.seq, "failed", latest.error)
  else
    return false
  end
  return true
end

-- The runs of the plan that ended before a search begins: they may be its trials.
local function ended_jobs(db, plan, rows)
  local out = {}
  for _, job in ipairs(jobs_of(plan, rows)) do
    local row = job.row
    if row.ended == "finished" then
      job.uid = row.uid or common.guarded(attempts.finished, db, plan.study, job)
    elseif row.ended and row.round == 1 then
      job.problem = row.problem or "it failed"
    end
    if job.uid or job.problem then out[#out + 1] = job end
  end
  return out
end

-- Stores how a job ended. A run that ended because its database was removed or replaced has reported that;
-- its end cannot be stored there, and the other runs cannot begin.
local function end_planned(of, job)
  local stored, problem = pcall(of.db.end_planned, of.db, of.plan.study, job.row.seq,
    job.uid and "finished" or "failed", job.problem)
  if stored then return end
  if db_error.is(problem) and job.problem and tostring(job.problem):find(problem.message, 1, true) then
    of.board:clear()
    cli.fail(cli.FAILED, "the study ends with this run")
  end
  error(problem, 0)
end

local function carry_out(of, rows, planned)
  local db, plan, jobs = of.db, of.plan, {}
  if rows[1].round == 1 then of.board:expect(-#rows) end -- rounds() adds the runs that it trains
  for _, job in ipairs(jobs_of(plan, rows)) do
    local missing = lacking(job)
    if missing then
      cli.fail(cli.FAILED, ("run %d of the plan (%s) %s"):format(job.number, job.label, missing))
    end
    if not settled(db, plan, job) then jobs[#jobs + 1] = job end
  end
  if #jobs == 0 then return 0 end
  local all, is_whole = jobs, rows[1].round > 1
  if is_whole then
    all = ended_jobs(db, plan, cli.need(db:planned_runs(plan.study)))
    table.move(jobs, 1, #jobs, #all + 1, all)
    table.sort(all, function(a, b) return a.row.seq < b.row.seq end)
  end
  local trained = rounds { db = db, plan = plan, unit = rows[1].unit, jobs = all, all = of.all or all,
    after = of.again and plan.after_run or nil, argv = of.argv, keep_last = of.keep_last, board = of.board,
    planned = not is_whole and planned or nil }
  for _, job in ipairs(jobs) do
    local seq = job.row.seq
    if job.pruned and not job.uid then
      common.guarded(db.drop_planned, db, plan.study, seq)
    else
      end_planned(of, job)
    end
  end
  return trained
end

local function wait(of)
  local signal = core.sys.interrupted()
  if signal then
    of.board:clear()
    cli.fail(cli.EXIT_OF[signal], "interrupted; repeat the command to continue")
  end
  if not of.waits and not of.share then of.board:print "waiting for the runs that other workers have" end
  of.waits = true
  core.sys.sleep(PAUSE)
end

function worker.check_clock(plan)
  if plan.age < -CLOCKS_AGREE then
    require("aniso.show.console").note(("aniso: warning: the clock was ahead when the plan of %s was "
      .. "written; the times shown are wrong, the runs are not"):format(plan.study))
  end
end

-- Workers share the processors only with those that still have units to carry out.
local function use_share(of, open)
  local share = of.share
  if share then core.sys.threads(math.max(1, share.threads // math.min(share.jobs, open))) end
end

function worker.run(of)
  local db, study = of.db, of.plan.study
  of.plan.memory, of.plan.budgets = of.memory, budgets_of(of.all)
  local left = common.guarded(db.left_of_plan, db, study)
  local board <close> = of.board or require("aniso.show.progress").board { runs = left.plain }
  of.board = board
  local trained = 0
  while true do
    local rows, units = common.guarded(db.take_unit, db, study)
    if rows then
      use_share(of, units)
      trained, of.waits = trained + common.guarded(carry_out, of, rows, left.planned), false
    elseif units == "done" then
      break
    else
      wait(of)
    end
  end
  board:conclude(trained)
end

function worker.failed(db, plan)
  local failed, rows = 0, cli.need(db:planned_runs(plan.study))
  for _, row in ipairs(rows) do
    if row.ended == "failed" then failed = failed + 1 end
  end
  return failed, #rows
end

return worker
