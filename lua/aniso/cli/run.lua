-- aniso run RECIPE: every run of a study, one after another or, if a staged study varies only the denoiser,
-- the points of a seed and fold in lock-step; then a table over seeds. A run that fails does not stop the
-- others. A run that is already finished in the database, with the same configuration, seed and fold, is not
-- repeated unless --again is given; one that was killed or interrupted is resumed and ends with the same
-- bits. A command with --again that was killed or interrupted is continued by the same command, with or
-- without the flag.
-- Variants whose levels are searched run last: their trials, which are also runs of the study, come first
-- (train/search.lua).
local attempts = require "aniso.store.attempts"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local hint = require "aniso.store.hint"
local lazy = require "aniso.cli.lazy"
local jobs = lazy "aniso.cli.jobs"
local plan = lazy "aniso.cli.plan"
local study_jobs = lazy "aniso.cli.study_jobs"
local tables = require "aniso.show.table"
local worker = lazy "aniso.cli.worker"

local run = { summary = "train and evaluate the runs of a recipe" }

function run.arguments(parser)
  study_jobs.arguments(parser)
  study_jobs.part_argument(parser)
  study_jobs.shards_argument(parser)
  common.alone(parser)
  common.threads(parser)
  jobs.arguments(parser)
  require("aniso.cli.train_group").arguments(parser)
  parser:flag("--again", "repeat runs that have finished")
  parser:flag("--dry-run", "only list the runs")
end

local function report(db, chosen, skipped, again)
  local done, failed = {}, 0
  for _, job in ipairs(chosen) do
    if job.uid then
      done[#done + 1] = { label = job.label, uid = job.uid }
    elseif not job.pruned then
      failed = failed + 1
    end
  end
  if skipped > 0 then
    console.note(("%d of %d runs were finished %s"):format(skipped, #chosen,
      again and "by the command that this one continues"
      or "before and are not run again (--again repeats them)"))
  end
  if #done > 0 then tables.print(require("aniso.show.group_rows").finished(db, done)) end
  if failed > 0 then cli.fail(cli.FAILED, ("%d of %d runs failed"):format(failed, #chosen)) end
end

-- Before any run is trained, reports the variants that cannot begin. The others are carried out nevertheless.
-- The first run reports its own problem immediately.
local function warn_early(chosen)
  local waiting = {}
  for _, job in ipairs(chosen) do
    if not job.uid then waiting[#waiting + 1] = job end
  end
  if #waiting < 2 then return end
  for _, one in ipairs(require("aniso.train.preparation").findings(waiting)) do
    if one.label ~= waiting[1].label then
      console.note("aniso: warning: ", one.label, " will fail: ", one.problem)
    end
  end
end

-- Gives jobs that have finished since they were planned their `uid`, and pruned ones `pruned`.
local function find_ended(db, of)
  local rows = {}
  for _, row in ipairs(cli.need(db:planned_runs(of.study.name))) do
    if row.trial == 0 then rows[row.seq] = row end
  end
  for seq, job in ipairs(of.jobs) do
    if rows[seq] and rows[seq].ended == "finished" and not job.uid then
      job.uid = common.guarded(attempts.finished, db, of.study.name, job)
    end
    job.pruned = rows[seq] == nil
  end
end

-- A worker of a command with --jobs, which has written the plan.
local function work(args, argv, of, threads)
  local db <close> = common.open_to_join(args)
  local planned = worker.find_plan(db, of.study.name)
  if planned.recipe_sha256 ~= core.sha256.text(of.recipe.text) then
    cli.fail(cli.FAILED, args.recipe .. " has changed since the command began; repeat it")
  end
  study_jobs.match(db, of, args.again and planned.after_run or nil)
  jobs.work(args, argv, { db = db, plan = planned, keep_last = args.keep_last, again = args.again,
    all = of.all, threads = threads })
end

-- Sets of.after if the command repeats finished runs, because of --again or because it continues such a
-- command → whether it does.
local function find_repetition(db, args, of)
  if args.again then
    of.after = common.guarded(attempts.newest_before_again, db, of.study.name)
    return true
  end
  of.after = common.guarded(attempts.begun_again, db, of.study.name)
  return of.after ~= nil
end

local function announce_repetition(db, args, of)
  console.note(("this continues the unfinished run --again of %s (to skip its repetitions, first "
    .. "run %s)"):format(of.study.name, hint.command(db, "plan", { args.recipe })))
end

-- Notes that the recipe was changed, or other options were given, before the runs of the former plan had
-- ended.
local function note_former_plan(db, of)
  local n = plan.count_left_out(db, of.study.name, of.jobs)
  if n == 0 then return end
  console.note(("%s had another plan named %s, with %d run%s left that this one lacks; what was stored "
    .. "is kept"):format(db.path, of.study.name, n, n == 1 and "" or "s"))
end

function run.run(args, argv)
  local n = jobs.number(args)
  local threads = jobs.use_threads(args)
  local of = study_jobs.load(args)
  if not of then return cli.DONE end
  if args.dry_run then return study_jobs.list(of.jobs) end
  if args.worker then return work(args, argv, of, threads) end
  local db = common.need_db(require("aniso.store").open(args.db,
    { wait = require("aniso.store.lock_wait").of_command(), alone = args.alone }))
  core.sys.interrupt_mode "poll"
  core.sys.outlive_output()
  local again = find_repetition(db, args, of)
  local skipped = study_jobs.match(db, of, of.after, not args.again)
  if again and not args.again and skipped < #of.jobs then announce_repetition(db, args, of) end
  note_former_plan(db, of)
  warn_early(of.jobs)
  plan.write(db, of)
  if not args.alone then
    db:close()
    db = common.open_to_join(args)
  end
  jobs.run(n, argv, { db = db, plan = worker.find_plan(db, of.study.name),
    argv = argv, keep_last = args.keep_last, again = again, flag = again and "--again" or nil, all = of.all })
  find_ended(db, of)
  report(db, of.jobs, skipped, again)
end

return run
