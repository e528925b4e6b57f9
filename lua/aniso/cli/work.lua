-- aniso work [STUDY]: carries out the runs of a plan that no other worker has taken, until all have ended.
-- Any number of workers on one machine can work on one database (cli/worker.lua).
local attempts = require "aniso.store.attempts"
local byte_size = require "aniso.recipe.byte_size"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local lazy = require "aniso.cli.lazy"
local jobs = lazy "aniso.cli.jobs"
local own_parts = require "aniso.cli.own_parts"
local worker = lazy "aniso.cli.worker"

local work = { summary = "carry out the runs of a plan that no other worker has taken" }

function work.arguments(parser)
  parser:argument("study", "name of a study (default: that of the latest plan)"):args "?"
  parser:option("--memory", common.TEXT.memory):argname "SIZE"
  own_parts.arguments(parser)
  common.db(parser)
  common.threads(parser)
  jobs.arguments(parser)
  require("aniso.cli.train_group").arguments(parser)
end

-- A recipe is read only if --recipe names it; it must be the one that was planned.
local function load_recipe(plan, args)
  if not args.recipe then return end
  if core.sys.exists(args.recipe) ~= "file" then
    cli.fail(cli.FAILED, ("%s: there is no such file; the plan of %s was made from %s"):format(args.recipe,
      plan.study, plan.recipe_path))
  end
  if core.sha256.file(args.recipe) ~= plan.recipe_sha256 then
    cli.fail(cli.FAILED, ("%s is not the recipe that was planned (%s), or has changed since: plan it again "
      .. "(aniso plan)"):format(args.recipe, plan.recipe_path))
  end
  own_parts.load(args)
end

function work.run(args, argv)
  local n = jobs.number(args)
  local threads = jobs.use_threads(args)
  local memory = args.memory and cli.usage(byte_size.option.check, args.memory, "--memory")
  local db <close> = common.open_to_join(args)
  local plan = worker.find_plan(db, args.study)
  load_recipe(plan, args)
  local of = { db = db, plan = plan, argv = argv, keep_last = args.keep_last, memory = memory,
    threads = threads, again = common.guarded(attempts.begun_again, db, plan.study) ~= nil }
  if args.worker then return jobs.work(args, argv, of) end
  core.sys.interrupt_mode "poll"
  core.sys.outlive_output()
  jobs.run(n, argv, of)
  local failed, planned = worker.failed(db, plan)
  if failed > 0 then
    cli.fail(cli.FAILED, ("%d of %d planned runs failed; plan them again (aniso plan) to retry")
      :format(failed, planned))
  end
  console.note(("all %d planned runs of %s are finished"):format(planned, plan.study))
end

return work
