-- aniso resume [RUN|--all]: resumes runs that were killed, interrupted or failed; the results have the same
-- bits as without the interruption. Without a name: the latest of them. With --all, runs that trained in
-- lock-step do so again. A run keeps its memory budget unless --memory gives another.
local byte_size = require "aniso.recipe.byte_size"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local folds = require "aniso.recipe.folds"
local own_parts = require "aniso.cli.own_parts"
local tables = require "aniso.show.table"
local train_group = require "aniso.cli.train_group"
local trial_label = require "aniso.recipe.trial_label"

local resume = { summary = "resume runs that were killed, interrupted or failed" }

function resume.arguments(parser)
  parser:argument("run", "a run (default: the latest that can be resumed)"):args "?"
  parser:flag("--all", "resume every run that can be resumed")
  require("aniso.cli.study_jobs").shards_argument(parser)
  parser:flag("--one-by-one", common.TEXT.one_by_one)
  parser:option("--memory", common.TEXT.memory):argname "SIZE"
  own_parts.arguments(parser)
  common.db(parser)
  common.alone(parser)
  common.threads(parser)
  train_group.arguments(parser)
end

-- The runs that a submitted study's tasks train.
local function of_submission(rows, folder)
  return require("aniso.cli.study_jobs").of_submission(rows, folder, function(row)
    return folds.name(row.label or row.name, row.seed, row.fold)
  end)
end

local function chosen(db, args)
  if args.run then
    local row = common.find(db, args.run)
    if row.status == "finished" then
      cli.fail(cli.NO_MATCH, ("run %s is finished: there is nothing to resume"):format(row.uid))
    end
    return { row }
  end
  local rows = common.guarded(require("aniso.store.attempts").resumable, db)
  if #rows == 0 then cli.fail(cli.NO_MATCH, "there is no run to resume") end
  return args.all and of_submission(rows, args.shards) or { rows[#rows] }
end

local function resume_group(jobs, board, keep_last)
  for _, job in ipairs(jobs) do
    job.board = board
    if not board.terminal then
      board:print(("resuming %s: %s, seed %d%s"):format(job.run.uid, job.run.name, job.seed,
        job.cross and (", fold %d"):format(job.cross.fold) or ""))
    end
  end
  local carry_out = require("aniso.train.run").resume_together
  for i, outcome in ipairs(train_group.train(carry_out, jobs, board, keep_last)) do
    jobs[i].problem = outcome.problem
  end
end

-- The jobs of the runs that can be resumed here → the jobs, and how many lack a part of their recipe.
local function jobs_of(db, args)
  local jobs, lacking = {}, 0
  for _, row in ipairs(chosen(db, args)) do
    local job = require("aniso.train.run").stored_job(db, row)
    if args.memory then
      job.config.train.memory = cli.usage(byte_size.option.check, args.memory, "--memory")
    end
    local missing = own_parts.missing(db, row, job.config, "resume", args)
    if missing and not args.all then cli.fail(cli.FAILED, missing) end
    if missing then console.note("aniso: ", missing) end
    lacking = lacking + (missing and 1 or 0)
    jobs[#jobs + 1] = not missing and job or nil
  end
  return jobs, lacking
end

local function has_trials(jobs)
  for _, job in ipairs(jobs) do
    if trial_label.is(job.run.label) then return true end
  end
  return false
end

function resume.run(args)
  common.use_threads(args)
  own_parts.load(args)
  local db = common.open_to_train(args)
  core.sys.interrupt_mode "poll"
  core.sys.outlive_output()
  local done = {}
  local jobs, failed = jobs_of(db, args)
  local all = #jobs + failed
  if #jobs > 0 then
    local board <close> = require("aniso.show.progress").board { runs = #jobs }
    for _, group in ipairs(require("aniso.train.lockstep").groups(jobs, args.one_by_one)) do
      resume_group(group, board, args.keep_last)
    end
    board:print(board:summary())
  end
  for _, job in ipairs(jobs) do
    if job.problem then
      failed = failed + 1
    else
      done[#done + 1] = { label = job.label, uid = job.run.uid }
    end
  end
  if has_trials(jobs) then
    console.note("trials of a search are among these runs: ", require("aniso.store.hint").command(args.db,
      "run", "RECIPE"), " continues the search")
  end
  if #done > 0 then tables.print(require("aniso.show.group_rows").finished(db, done)) end
  if failed > 0 then cli.fail(cli.FAILED, ("%d of %d runs failed"):format(failed, all)) end
end

return resume
