-- aniso run RECIPE: every run of a study, one after the other, then a table over seeds. A
-- run that fails does not stop the others. A run that is already finished in the database,
-- with the same configuration and seed, is not done again unless --again says so.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local core = require "aniso.core"
local tables = require "aniso.table"

local run = { summary = "train and evaluate what a recipe describes" }

function run.arguments(parser)
  parser:argument("recipe", "a Lua file that returns aniso.study{…}")
  common.set(parser)
  parser:option("--seeds", "seeds instead of the recipe's: 0..4, 1,5 or 7")
  common.db(parser)
  common.threads(parser)
  parser:option("--name", "the study's name instead of the recipe's")
  parser:option("--only", "the variant with this label alone"):argname "LABEL"
  parser:flag("--again", "run again what is already finished")
  parser:flag("--dry-run", "only list the runs")
end

local function say(...)
  io.stderr:write(string.format(...), "\n")
end

-- The jobs of one label; a label that the study lacks is a mistake.
local function only(jobs, label)
  local kept, labels, seen = {}, {}, {}
  for _, job in ipairs(jobs) do
    if job.label == label then kept[#kept + 1] = job end
    if not seen[job.label] then seen[job.label], labels[#labels + 1] = true, job.label end
  end
  if #kept == 0 then
    error(("no variant has the label %s (%s)"):format(label, table.concat(labels, ", ")), 0)
  end
  return kept
end

-- Every configuration is checked before the first run starts.
local function expand(study, args)
  local jobs = require("aniso.study").expand(study, args.set, args.seeds)
  if args.only then jobs = only(jobs, args.only) end
  local complete = require("aniso.config").complete
  for _, job in ipairs(jobs) do job.config = complete(job.config) end
  return jobs
end

local function finished(db, job, study)
  local rows = cli.need(db:query([[
    SELECT r.uid FROM run r JOIN config c USING(config_id) JOIN study s USING(study_id)
     WHERE c.sha256 = ?1 AND r.seed = ?2 AND s.name = ?3 AND r.status = 'finished'
     ORDER BY r.run_id DESC LIMIT 1]],
    core.sha256.text(core.json.encode(job.config)), job.seed, study.name))
  return rows[1] and rows[1].uid
end

-- One run; returns its uid, or nil when it failed. An interruption ends the command.
local function train(db, job, study, shared)
  local ok, result = pcall(require("aniso.trainer").run, {
    config = job.config, seed = job.seed, label = job.label, study = study.name, db = db,
    recipe = shared.recipe, argv = { table.unpack(shared.argv) },
  })
  if ok then return result.uid end
  if type(result) == "table" and result.interrupted then
    cli.fail(result.interrupted == "SIGTERM" and 143 or 130, tostring(result))
  end
  say("aniso: %s seed %d failed: %s", job.label, job.seed, cli.sentence(result))
end

local function list(jobs)
  local rows = {}
  for i, job in ipairs(jobs) do rows[i] = { job.label, job.seed } end
  tables.print({ "label", "seed" }, rows)
end

function run.run(args, argv)
  common.use_threads(args)
  local study, recipe = cli.usage(require("aniso.recipe").load, args.recipe)
  if not study then return cli.DONE end
  study.name = args.name or study.name
  local jobs = cli.usage(expand, study, args)
  if args.dry_run then return list(jobs) end

  local db = common.need_db(require("aniso.store").open(args.db))
  core.sys.interrupt_mode "poll"
  local done, skipped, failed = {}, 0, 0
  for i, job in ipairs(jobs) do
    local uid = not args.again and finished(db, job, study)
    if uid then
      skipped = skipped + 1
    else
      say("run %d/%d: %s, seed %d", i, #jobs, job.label, job.seed)
      uid = train(db, job, study, { recipe = recipe, argv = argv })
      failed = failed + (uid and 0 or 1)
    end
    if uid then done[#done + 1] = { label = job.label, uid = uid } end
  end
  if skipped > 0 then
    say("%d of %d runs were finished before and are not run again (--again does)", skipped, #jobs)
  end
  if #done > 0 then tables.print(require("aniso.summary").table(db, done)) end
  if failed > 0 then cli.fail(cli.FAILED, ("%d of %d runs failed"):format(failed, #jobs)) end
end

return run
