-- aniso plan RECIPE: writes the runs of a study into the database, for `aniso work` to carry out. Planning
-- again keeps finished runs and retries failed ones. aniso plan STUDY --status, or with the recipe: the state
-- of each planned run.
local attempts = require "aniso.store.attempts"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local hint = require "aniso.store.hint"
local lazy = require "aniso.cli.lazy"
local study_jobs = lazy "aniso.cli.study_jobs"
local tables = require "aniso.show.table"
local units = lazy "aniso.train.units"
local worker = lazy "aniso.cli.worker"

local plan = { summary = "store the runs of a recipe as a plan for aniso work" }

function plan.arguments(parser)
  study_jobs.arguments(parser)
  study_jobs.part_argument(parser)
  parser:flag("--replace", "replace another, unfinished plan of the same name")
  parser:flag("--status", "show the state of a plan (of the recipe, or of a study named in its place)")
end

-- How many runs of the study's stored plan have not ended and are not among these jobs.
function plan.count_left_out(db, study, jobs)
  local planned, n = {}, 0
  for _, job in ipairs(jobs) do planned[attempts.key(job)] = true end
  for _, row in ipairs(cli.need(db:planned_runs(study))) do
    local is_open = row.unit and row.trial == 0 and not row.ended
    if is_open and not planned[attempts.key_of_row(row)] then n = n + 1 end
  end
  return n
end

-- Such a plan is replaced only with --replace.
local function check_former(db, study, jobs)
  local n = plan.count_left_out(db, study, jobs)
  if n > 0 then
    cli.fail(cli.FAILED, ("%s has another plan named %s, with %d run%s left that this one lacks: "
      .. "choose another name (--name), or repeat with --replace"):format(db.path, study, n,
      n == 1 and "" or "s"))
  end
end

-- Writes a study's plan for workers into a database that is open for writing. of: as study_jobs.load()
-- returns it, matched with the database. A variant that is planned again although it was pruned is no longer
-- shown as pruned. → the number of units
function plan.write(db, of)
  local n, labels = units.assign(of.jobs, of.one_by_one, of.prune ~= nil), {}
  for i, job in ipairs(of.jobs) do
    labels[i] = job.label
    local begun = not job.uid and common.guarded(attempts.begun, db, of.study.name, job)
    job.begun = begun and begun.uid or nil
  end
  cli.need(db:set_plan(of.study.name, of.jobs, of.baseline, { recipe = of.recipe, folder = of.study.folder,
    one_by_one = of.one_by_one, prune = of.prune, after_run = of.after }))
  if not of.prune then cli.need(db:clear_pruned(of.study.name, labels)) end
  return n
end

local function need_study(study, args)
  return study or cli.fail(cli.USAGE, args.recipe .. ": the recipe returns no study")
end

local function show(args)
  local db <close> = common.open(args)
  local study, failed, rows = args.recipe, false, {}
  if study:find "%.lua$" then study = need_study(study_jobs.read(args), args).name end
  worker.find_plan(db, study)
  for i, one in ipairs(require("aniso.store.status").of_study(db, study,
    require("aniso.method.config").complete).rows) do
    failed = failed or one.state == "failed"
    rows[i] = { one.label, one.seed, one.fold, one.state, one.run and one.run.uid,
      one.problem or one.run and one.run.error }
  end
  tables.print({ "label", "seed", "fold", "state", "run", "problem" }, rows)
  return failed and cli.FAILED or cli.DONE
end

function plan.run(args)
  if args.status then return show(args) end
  local of = need_study(study_jobs.load(args), args)
  local db <close> = common.need_db(require("aniso.store").open(args.db,
    { wait = require("aniso.store.lock_wait").of_command() }))
  local finished = study_jobs.match(db, of)
  if not args.replace then check_former(db, of.study.name, of.jobs) end
  local n = plan.write(db, of)
  console.note(("planned %d run%s of %s in %d unit%s%s; carry them out with: %s"):format(#of.jobs,
    #of.jobs == 1 and "" or "s", of.study.name, n, n == 1 and "" or "s",
    finished > 0 and (", %d finished before"):format(finished) or "",
    hint.command(db, "work", { of.study.name })))
end

return plan
