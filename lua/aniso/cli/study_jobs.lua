-- The runs of a recipe as `aniso run` and `aniso plan` carry them out: the arguments that choose them, the
-- checked configurations, and which of them the database contains.
--   study_jobs.arguments(parser)      study_jobs.part_argument(parser): --part
--   study_jobs.shards_argument(parser): --shards     study_jobs.of_submission(list, its folder, name_of)
--   study_jobs.read(args) → study, recipe
--   study_jobs.expand(study, args) → the jobs chosen, all      study_jobs.check_parts(study, args)
--   study_jobs.load(args) → {study, recipe, jobs = those chosen, all = those of the whole recipe, baseline,
--     one_by_one, prune = {rule, seeds} of train/pruning.lua}, or nil if the recipe returns no study
--   study_jobs.match(db, of, after, planned) → how many were finished before; they get `uid`, and each job
--     `number`. after [opt]: a run_id, only later runs count; planned [opt]: only for the jobs of the plan
--   study_jobs.list(jobs)      prints them
local attempts = require "aniso.store.attempts"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local data_paths = require "aniso.recipe.data_paths"
local folds = require "aniso.recipe.folds"
local pruning = require "aniso.train.pruning"
local renamed = require "aniso.recipe.renamed"
local shards = require "aniso.cluster.shards"
local study_of = require "aniso.recipe.study"
local tables = require "aniso.show.table"
local trial_label = require "aniso.recipe.trial_label"
local trials = require "aniso.train.trials"

local study_jobs = {}

-- "2/8" → {2, 8}
local function part(text)
  local number, of = text:match "^(%d+)/(%d+)$"
  number, of = math.tointeger(tonumber(number)), math.tointeger(tonumber(of))
  if number and of and number >= 1 and number <= of and of <= 1000000 then return { number, of } end
  return nil, ("--part needs I/N, part I from 1 to N, got %s"):format(text)
end

function study_jobs.arguments(parser)
  parser:argument("recipe", common.TEXT.recipe)
  common.set(parser)
  parser:option("--seeds", common.TEXT.seeds):argname "LIST"
  parser:option("--fold", "folds, counted from 0: 0,2 or 0..2 (default: all)"):argname "LIST"
  common.db(parser)
  parser:option("--name", "name of the study (default: the recipe's)"):argname "NAME"
  common.only(parser)
  parser:flag("--allow-equal", common.TEXT.allow_equal)
  parser:flag("--no-prune", "also run the variants that the study's option prune would leave out")
  parser:flag("--one-by-one", common.TEXT.one_by_one)
  parser:flag("--old-names", "accept option names of earlier versions")
end

function study_jobs.part_argument(parser)
  parser:option("--part", "only part I of N, counted from 1, for a machine with its own database")
    :argname "I/N":convert(part)
end

-- `--shards FOLDER`, for the tasks of a submitted study.
function study_jobs.shards_argument(parser)
  parser:option("--shards", "skip runs that had finished when the study in this folder was submitted")
    :argname "FOLDER"
end

-- Option names of earlier versions: accepted with --old-names, otherwise an error that lists them all.
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
function study_jobs.expand(study, args)
  local jobs = study_of.expand(study, args.set, args.seeds, args.fold,
    require "aniso.method.official_folds"(study, args.set))
  local config = require "aniso.method.config"
  check_names(jobs, args)
  require("aniso.recipe.variant_labels").check(study, jobs, args.set)
  trial_label.check(jobs)
  for _, job in ipairs(jobs) do
    data_paths.in_config(job.config, study.folder)
    job.config = config.complete(job.config)
    local conflict = config.conflicts(job.config)[1]
    if conflict then error(("%s: %s"):format(job.label, conflict), 0) end
  end
  if not args.allow_equal then require("aniso.recipe.equal_variants").check(jobs) end
  local known, seen = table.move(jobs, 1, #jobs, 1, {}), {}
  for _, label in ipairs(args.only) do
    local labelled = seen[label] and {} or trials.labelled(jobs, label)
    seen[label] = true
    table.move(labelled, 1, #labelled, #known + 1, known)
  end
  local chosen = common.with_labels(known, args.only, function(job) return job.label end)
  study_of.check_overrides(chosen, args.set)
  return chosen, jobs
end

-- Gives stored runs the current labels of the recipe, and prints which changed.
local function follow_labels(db, study, jobs)
  for _, change in ipairs(common.guarded(require("aniso.store.labels").follow, db, study.name, jobs)) do
    console.note(("%d %s of %s: the label is now %s"):format(change.runs,
      change.runs == 1 and "run" or "runs", change.from, change.to))
    if change.others > 0 then
      console.note(("aniso: warning: %d earlier %s called %s with other options: tables show what differs "
        .. "(another label for the variant, or aniso rm RUN, distinguishes them)"):format(change.others,
        change.others == 1 and "run is" or "runs are", change.to))
    end
  end
end

function study_jobs.list(jobs)
  local columns, rows = { "label", "seed" }, {}
  for i, job in ipairs(jobs) do
    rows[i] = { job.label, job.seed, job.cross and job.cross.fold }
    columns[3] = job.cross and "fold"
  end
  tables.print(columns, rows)
  local most = #trials.most(jobs)
  if most > 0 then
    console.note(("and up to %d trials of the searches, before the runs whose levels they choose")
      :format(most))
  end
end

-- Gives finished jobs their uid → how many there are. after, planned [opt]: as for match().
function study_jobs.find_finished(db, study, jobs, after, planned)
  local finished, count, in_plan = attempts.finished, 0, {}
  for _, row in ipairs(planned and cli.need(db:planned_runs(study.name)) or {}) do
    in_plan[attempts.key_of_row(row)] = row.unit ~= nil
  end
  for i, job in ipairs(jobs) do
    job.number = i
    local from = (not planned or in_plan[attempts.key(job)]) and after or nil
    job.uid = common.guarded(finished, db, study.name, job, from)
    if job.uid then count = count + 1 end
  end
  return count
end

-- Ends the command if the runs of a study depend on all others.
function study_jobs.check_parts(study, args)
  if study.prune and not args.no_prune then
    cli.fail(cli.USAGE, ("study %s prunes, which compares all variants after each seed, so it has no parts: "
      .. "add --no-prune, or run it on one machine"):format(study.name))
  end
end

local function of_part(jobs, given)
  local parts = require "aniso.train.parts"
  local most = #parts.units(jobs)
  if given[1] > most then
    console.note(("part %d of %d has no runs: the study has no more than %d parts"):format(given[1], given[2],
      most))
  end
  return parts.split(jobs, given[2])[given[1]]
end

-- The runs of a list that a submitted study's tasks train; all of them without a folder.
function study_jobs.of_submission(list, folder, name_of)
  if not folder then return list end
  local submission, why = shards.read(folder)
  if not submission then
    cli.fail(cli.FAILED, why or folder .. " is not the folder of a submitted study")
  end
  local finished, out = shards.finished(submission), {}
  for _, one in ipairs(list) do
    if not finished[name_of(one)] then out[#out + 1] = one end
  end
  return out
end

-- The name of a job's run, as in tables and logs.
function study_jobs.name(job)
  return folds.name(job.label, job.seed, job.cross and job.cross.fold)
end

-- → the study under the name given by the command, and the recipe's path and text; nil without a study
function study_jobs.read(args)
  local study, recipe = cli.usage(require("aniso.recipe.load").load, args.recipe)
  if study then study.name = args.name or study.name end
  return study, recipe
end

function study_jobs.load(args)
  local study, recipe = study_jobs.read(args)
  if not study then return nil end
  local jobs, all = cli.usage(study_jobs.expand, study, args)
  local rule = not args.no_prune and cli.usage(pruning.rule, study, all) or nil
  if args.part then
    study_jobs.check_parts(study, args)
    jobs = of_part(jobs, args.part)
  end
  jobs = study_jobs.of_submission(jobs, args.shards, study_jobs.name)
  local configs = {}
  for i, job in ipairs(jobs) do configs[i] = job.config end
  if not args.worker then common.warn_unused(configs) end -- its command has printed them
  return { study = study, recipe = recipe, jobs = jobs, all = all, baseline = study_of.baseline_label(study),
    one_by_one = args.one_by_one or study.one_by_one,
    prune = rule and { rule = rule, seeds = study_of.seeds(study.seeds) } }
end

function study_jobs.match(db, of, after, planned)
  for _, some in ipairs { of.jobs, of.all } do
    common.guarded(attempts.keep_former, db, of.study.name, some, of.study.former_paths, of.study.folder)
  end
  follow_labels(db, of.study, of.all)
  local finished = study_jobs.find_finished(db, of.study, of.jobs, after, planned)
  if of.prune then cli.usage(pruning.check_validation, of.jobs) end
  return finished
end

return study_jobs
