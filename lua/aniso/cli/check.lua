-- aniso check RECIPE: finds every mistake in the options, the data and the shapes before a long run, and
-- estimates the cost of the runs. It trains and stores nothing. If the database exists, it counts the runs
-- that are finished there and that aniso run would not repeat.
local byte_size = require "aniso.recipe.byte_size"
local attempts = require "aniso.store.attempts"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local duration = require("aniso.show.progress").duration
local lazy = require "aniso.cli.lazy"
local pruning = lazy "aniso.train.pruning"
local step_memory = lazy "aniso.train.step_memory"
local tables = require "aniso.show.table"
local trials = lazy "aniso.train.trials"

local check = { summary = "check a recipe and estimate its cost before a long run" }

function check.arguments(parser)
  parser:argument("recipe", common.TEXT.recipe)
  common.set(parser)
  parser:option("--seeds", common.TEXT.seeds):argname "LIST"
  common.only(parser)
  common.db(parser)
  common.threads(parser)
  parser:flag("--allow-equal", common.TEXT.allow_equal)
end

local function fail_with(recipe, mistakes)
  if #mistakes == 0 then return end
  if #mistakes == 1 then cli.fail(cli.USAGE, mistakes[1]) end
  local lines = {}
  for i, mistake in ipairs(mistakes) do lines[i] = "  " .. core.sys.visible(mistake) end
  cli.fail(cli.USAGE, ("%s has %d mistakes"):format(recipe, #mistakes), table.concat(lines, "\n"))
end

-- 1234567 → "1,234,567"
local function grouped(n)
  local text = tostring(n):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

local function megabytes(bytes)
  return ("%.1f MB"):format(bytes / 1e6)
end

local function print_data(dataset)
  console.print_text(dataset:info())
  local split = dataset.split
  if split.copy_leaks > 0 then
    console.print(("warning: %d validation and test images have a copy in training"):format(split.copy_leaks))
  end
  for k, n in ipairs(split.n_val) do
    if n == 0 then
      console.print(("warning: class %s has no validation image"):format(dataset.classes[k]))
    end
  end
end

local function print_row(name, format, ...)
  console.print(("%-11s"):format(name) .. format:format(...))
end

local function print_report(report)
  console.print()
  print_row("runs", "%d of %s", report.runs, table.concat(report.labels, ", "))
  local rest = report.parameters - report.net
  print_row("parameters", "%s: backbone and prior %s, %s", grouped(report.parameters), grouped(report.net),
    report.den and "denoiser " .. grouped(report.den)
      or rest > 0 and "classifier " .. grouped(rest) or "no denoiser")
  for i, shape in ipairs(report.shapes) do
    print_row(i == 1 and "shapes" or "", "%-18s %s", shape[1], shape[2])
  end
  for i, stage in ipairs(report.stages) do
    local format = "%s: %.3g s per epoch (%d steps of %.3g s, validation %.3g s), %d epochs"
    print_row(i == 1 and "time" or "", format,
      stage.name, stage.epoch, stage.steps, stage.step, stage.validation, stage.epochs)
  end
  print_row("", "evaluation %.3g s, a run about %s", report.evaluation, duration(report.run))
  for i, stage in ipairs(report.stages) do
    print_row(i == 1 and "memory" or "", "%s: %s", stage.name, stage.chosen and step_memory.text(stage.chosen)
      or ("a step needs about %s"):format(byte_size.text(stage.bytes)))
  end
  print_row("disk", "%s per finished run, %s while it is trained", megabytes(report.kept),
    megabytes(report.most))
end

local function print_totals(reports)
  local runs, run_seconds, kept, training = 0, 0, 0, 0
  for _, report in ipairs(reports) do
    runs = runs + report.runs
    local first = report.stages[1] -- of a staged run: trained once for all runs that share it
    run_seconds = run_seconds + report.runs * report.run - report.repeats * first.epochs * first.epoch
    kept = kept + report.runs * report.kept
    training = math.max(training, report.most - report.kept)
  end
  console.print()
  local threads = core.sys.threads()
  print_row("all", "%d %s: about %s with %d %s, %s of disk, %s of memory", runs,
    runs == 1 and "run" or "runs", duration(run_seconds), threads,
    threads == 1 and "thread" or "threads", megabytes(kept + training), megabytes(core.sys.peak_rss()))
  console.print "Times are rough: one step and one small evaluation were timed, and multiplied."
end

-- What the method of each variant resolves to, one row for those that are alike.
local function print_methods(jobs)
  local rows, row_of, seen = {}, {}, {}
  for _, job in ipairs(jobs) do
    local method, became = job.config.method, require("aniso.recipe.baseline").describe(job.config)
    local key = became and method .. "\n" .. became
    if key and not row_of[key] then
      row_of[key] = { method, 0, became }
      rows[#rows + 1] = row_of[key]
    end
    if key and not seen[job.label] then row_of[key][2], seen[job.label] = row_of[key][2] + 1, true end
  end
  if #rows == 0 then return end
  console.print()
  tables.print({ "method", "variants", "options that it sets, as they are" }, rows)
end

-- A missing database is not an error: aniso run creates it.
local function print_finished(args, study, jobs)
  if not core.sys.exists(args.db) then return end
  local db <close> = common.open(args)
  local n = 0
  common.guarded(attempts.keep_former, db, study.name, jobs, study.former_paths, study.folder)
  for _, job in ipairs(jobs) do
    if common.guarded(attempts.finished, db, study.name, job) then n = n + 1 end
  end
  if n > 0 then print_row("finished", "%d of %d in %s: aniso run does not repeat them", n, #jobs, args.db) end
end

function check.run(args)
  common.use_threads(args)
  local library = require "aniso.train.recipe_check"
  local study = cli.usage(require("aniso.recipe.load").load, args.recipe)
  if not study then
    console.print "This recipe does its own work: there is no study to check."
    return cli.DONE
  end
  local official = cli.usage(require "aniso.method.official_folds", study, args.set)
  local jobs, mistakes = cli.usage(library.options, study, args.set, args.seeds, official)
  fail_with(args.recipe, mistakes)
  cli.usage(require("aniso.recipe.trial_label").check, jobs)
  if not args.allow_equal then cli.usage(require("aniso.recipe.equal_variants").check, jobs) end
  local rule = cli.usage(pruning.rule, study, jobs)
  jobs = cli.usage(common.with_labels, jobs, args.only, function(job) return job.label end)
  if rule then cli.usage(pruning.check_validation, jobs) end
  local reports
  reports, mistakes = library.runs(trials.checked(jobs))
  fail_with(args.recipe, mistakes)
  local configs = {}
  for i, job in ipairs(jobs) do configs[i] = job.config end
  common.warn_unused(configs)
  tables.print({ "study", "runs" }, { { study.name, #jobs } })
  local most = #trials.most(jobs)
  if most > 0 then
    console.print(("and up to %d trials of the searches, which choose levels on the validation part")
      :format(most))
  end
  if rule then
    console.print(("variants may get no further seeds after %d, by %s on the validation part"):format(
      rule.min_seeds, require("aniso.stats.metric.catalog").printed(rule.metric)))
  end
  local shown
  for _, report in ipairs(reports) do
    if report.dataset ~= shown then
      shown = report.dataset
      console.print()
      print_data(shown)
    end
    print_report(report)
  end
  print_methods(jobs)
  print_totals(reports)
  print_finished(args, study, jobs)
end

return check
