-- aniso run RECIPE: every run of a study, one after the other or, where a staged study varies
-- the denoiser only, the points of a seed and fold in lock-step; then a table over seeds. A run that
-- fails does not stop the others. A run that is already finished in the database,
-- with the same configuration, seed and fold, is not repeated unless --again is given.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local core = require "aniso.core"
local renamed = require "aniso.recipe.renamed"
local tables = require "aniso.show.table"

local run = { summary = "train and evaluate what a recipe describes" }

function run.arguments(parser)
  parser:argument("recipe", "a Lua file that returns aniso.study{…}")
  common.set(parser)
  parser:option("--seeds", "seeds instead of the recipe's: 0..4, 1,5 or 7")
  parser:option("--fold", "folds of a study with folds, from 0: 0,2 or 0..2; all if left out")
  common.db(parser)
  common.threads(parser)
  parser:option("--name", "the study's name instead of the recipe's")
  common.only(parser)
  parser:flag("--allow-equal", "keep variants that have the same options")
  parser:flag("--again", "run again what is already finished")
  parser:flag("--one-by-one", "no lock-step of a staged study's points: the same bits, later")
  parser:flag("--dry-run", "only list the runs")
  parser:flag("--old-names", "accept the names that options had in earlier versions")
end

-- The names of options that earlier versions had: accepted with --old-names, else all of them are an error.
local function check_names(jobs, args)
  local configs = {}
  for i, job in ipairs(jobs) do configs[i] = job.config end
  local old = renamed.in_configs(configs)
  if args.old_names then
    for _, one in ipairs(configs) do renamed.update(one) end
  elseif #old > 0 then
    error(("options have new names: %s; change them, or repeat the command with --old-names")
      :format(renamed.describe(old)), 0)
  end
end

-- Every configuration is checked before the first run starts. → the jobs chosen, all of the recipe's
local function expand(study, args)
  local jobs = require("aniso.recipe.study").expand(study, args.set, args.seeds, args.fold,
    require "aniso.method.official_folds"(study, args.set))
  local config = require "aniso.method.config"
  check_names(jobs, args)
  for _, job in ipairs(jobs) do
    job.config = config.complete(job.config)
    local conflict = config.conflicts(job.config)[1]
    if conflict then error(("%s: %s"):format(job.label, conflict), 0) end
  end
  if not args.allow_equal then require("aniso.recipe.equal_variants").check(jobs) end
  return common.with_labels(jobs, args.only, function(job) return job.label end), jobs
end

-- Gives stored runs the labels that the recipe has now, and prints which changed.
local function follow_labels(db, study, jobs)
  for _, change in ipairs(common.guarded(require("aniso.store.labels").follow, db, study.name, jobs)) do
    io.stderr:write(("%d %s of %s: the label is now %s\n"):format(change.runs,
      change.runs == 1 and "run" or "runs", change.from, change.to))
  end
end

-- Runs that go together; gives each job its uid if it ends well. An interruption ends the command.
local function train(jobs, study, shared)
  local board = shared.board
  for _, job in ipairs(jobs) do
    job.study, job.db, job.board, job.recipe = study.name, shared.db, board, shared.recipe
    job.argv = { table.unpack(shared.argv) }
    if not board.terminal then
      local fold = job.cross and (", fold %d"):format(job.cross.fold) or ""
      board:print(("run %d/%d: %s, seed %d%s%s"):format(job.number, shared.of, job.label, job.seed, fold,
        #jobs > 1 and (", in lock-step with %d more"):format(#jobs - 1) or ""))
    end
  end
  local ok, results = pcall(require("aniso.train.run").run_together, jobs)
  if not ok and type(results) == "table" and results.interrupted then
    cli.fail(results.interrupted == "SIGTERM" and 143 or 130, tostring(results))
  end
  if not ok then board:fail_all(cli.sentence(results)) end
  for i, job in ipairs(jobs) do job.uid = ok and not results[i].problem and results[i].uid or nil end
end

local function list(jobs)
  local columns, rows = { "label", "seed" }, {}
  for i, job in ipairs(jobs) do
    rows[i] = { job.label, job.seed, job.cross and job.cross.fold }
    columns[3] = job.cross and "fold"
  end
  tables.print(columns, rows)
end

function run.run(args, argv)
  common.use_threads(args)
  local study, recipe = cli.usage(require("aniso.recipe.load").load, args.recipe)
  if not study then return cli.DONE end
  study.name = args.name or study.name
  local jobs, all = cli.usage(expand, study, args)
  if args.dry_run then return list(jobs) end

  local db = common.need_db(require("aniso.store").open(args.db))
  core.sys.interrupt_mode "poll"
  follow_labels(db, study, all)
  local finished = require("aniso.store.attempts").finished
  local waiting, done, failed = {}, {}, 0
  for i, job in ipairs(jobs) do
    job.uid = not args.again and common.guarded(finished, db, study.name, job) or nil
    if not job.uid then
      job.number = i
      waiting[#waiting + 1] = job
    end
  end
  cli.need(db:set_plan(study.name, jobs, require("aniso.recipe.study").baseline_label(study)))
  if #waiting > 0 then
    local board <close> = require("aniso.show.progress").board { runs = #waiting }
    local shared = { db = db, board = board, recipe = recipe, argv = argv, of = #jobs }
    local one_by_one = args.one_by_one or study.one_by_one
    for _, group in ipairs(require("aniso.train.lockstep").groups(waiting, one_by_one)) do
      train(group, study, shared)
    end
    board:print(board:summary())
  end
  for _, job in ipairs(jobs) do
    if job.uid then done[#done + 1] = { label = job.label, uid = job.uid } else failed = failed + 1 end
  end
  local skipped = #jobs - #waiting
  if skipped > 0 then
    io.stderr:write(("%d of %d runs were finished before and are not run again (--again does)\n")
      :format(skipped, #jobs))
  end
  if #done > 0 then tables.print(require("aniso.show.group_rows").finished(db, done)) end
  if failed > 0 then cli.fail(cli.FAILED, ("%d of %d runs failed"):format(failed, #jobs)) end
end

return run
