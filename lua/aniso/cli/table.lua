-- aniso table STUDY: one row per configuration, mean ± sd over seeds, the best in bold: a paper's table.
-- Counts the last finished attempt of each seed, like the view v_group. With --evaluations, one row per
-- configuration, sampler, steps and draws, with its cost. With --each, one row per seed and fold, from which
-- --from prints the same tables without the database.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local evaluation_rows = require "aniso.show.evaluation_rows"
local group_rows = require "aniso.show.group_rows"
local metric_catalog = require "aniso.stats.metric.catalog"
local stats = require "aniso.stats.groups"
local tables = require "aniso.show.table"
local table_source = require "aniso.cli.table_source"

local command = { summary = "show a study as a table: mean ± sd over seeds" }

function command.arguments(parser)
  parser:argument("study", common.TEXT.study)
  parser:option("--rows", "keys that name the rows, such as schedule.lambda.gamma")
    :argname "KEY,...":convert(common.names):default "label"
  parser:option("--cols", ("metrics to show: all, head, medium, tail, macro_f1, nll …\n(default: %s, or "
    .. "those of the --from files)"):format(table_source.COLUMNS)):argname "METRIC,...":convert(common.names)
  common.only(parser)
  parser:flag("--evaluations", "one row per evaluated sampler, steps and draws (aniso eval), with network "
    .. "passes and\nseconds per image; --delta compares with the baseline under the same sampler")
  parser:option("--delta", "metrics to show as differences from the baseline, or none (default: macro_f1)")
    :argname "METRIC,...":convert(common.names)
  common.baseline(parser)
  parser:flag("--prior", "add the prior's own predictions, in one row where configurations share them")
  parser:flag("--percent", "print 71.2 instead of 0.712")
  parser:flag("--trials", "show the trials of the study's searches instead of its runs")
  parser:flag("--each", "one row per seed and fold instead of means (with --format csv, a file for --from)")
  parser:option("--from", "read a CSV file of --each instead of the database\n(repeatable, for the seeds of "
    .. "several machines)"):argname "FILE":count "*"
  common.db(parser)
  common.format(parser)
end

-- Rows that no heading distinguishes get the options that do.
local function heads_of(groups, names, catalog)
  local runs, seen, heads, given, same = {}, {}, {}, {}, false
  for i, group in ipairs(groups) do runs[i] = group.run end
  local function add(name)
    local key = catalog:of_configuration(name, "--rows")
    if key.metric then error(("--rows takes no metric: %s belongs in --cols"):format(name), 0) end
    given[key.name] = true
    heads[#heads + 1] = { name = name, get = function(group) return key:get(group.run) end }
  end
  for _, name in ipairs(names) do add(name) end
  for _, group in ipairs(groups) do
    local parts = { tostring(group.prior) }
    for _, head in ipairs(heads) do parts[#parts + 1] = tostring(head.get(group)) end
    local text = table.concat(parts, "\n")
    same, seen[text] = same or seen[text], true
  end
  if same then
    for _, name in ipairs(catalog:varying(runs)) do
      if not given[name] then add(name) end
    end
  end
  return heads
end

local function metrics_of(names, catalog, flag)
  local out = {}
  for i, name in ipairs(names) do
    local key = catalog:key(name)
    if not key.metric then error(("%s takes metrics, and %s is not a metric"):format(flag, name), 0) end
    out[i] = { name = name, metric = key.metric, higher = key.higher }
  end
  return out
end

-- The arguments of delta_columns.lua; nil for a study of one configuration or with --delta none.
local function deltas_of(source, groups, args)
  local names = args.delta or source:deltas()
  local configurations = {}
  for _, group in ipairs(groups) do configurations[#configurations + 1] = not group.prior and group or nil end
  if #configurations < 2 or names[1] == "none" then return nil end
  return { baseline = source:baseline(configurations, args.baseline),
    metrics = metrics_of(names, source.catalog, "--delta") }
end

local function label_of(group) return group.label end

-- The same for groups of evaluations, if it is given (evaluation_rows.baselines).
local function evaluation_deltas(source, groups, args)
  local names = args.delta or args.baseline and { "macro_f1" }
  if not names or names[1] == "none" then return nil end
  local baseline = source:baseline(evaluation_rows.configurations(groups), args.baseline)
  return { metrics = metrics_of(names, source.catalog, "--delta"),
    of = evaluation_rows.baselines(groups, baseline) }
end

-- A label that no configuration has is an error even if no difference is shown.
local function check_baseline(source, configurations, label)
  if label then cli.usage(source.baseline, source, configurations, label) end
end

-- how: the arguments of the command line; all except `only` may be absent.
local function print_evaluations(source, how)
  local exact = tables.is_for_programs(how.format)
  local groups = cli.usage(common.with_labels, source:evaluations(), how.only, label_of)
  check_baseline(source, evaluation_rows.configurations(groups), how.baseline)
  local heads = cli.usage(heads_of, evaluation_rows.configurations(groups), how.rows or { "label" },
    source.catalog)
  for _, head in ipairs(evaluation_rows.heads(groups, exact)) do heads[#heads + 1] = head end
  local metrics = cli.usage(metrics_of, how.cols or source:columns(), source.catalog, "--cols")
  local columns, rows = group_rows.rows(groups, heads, metrics, { percent = how.percent, programs = exact,
    deltas = cli.usage(evaluation_deltas, source, groups, how) })
  tables.print(columns, rows, how.format)
end

-- Prints all evaluations of a study. labels: of the variants to show; empty for all.
function command.evaluations(db, study, labels)
  print_evaluations(table_source.of_database(db, study), { only = labels })
end

-- The columns of a row that only programs require.
local FOR_PROGRAMS = { study = true, images = true, baseline = true, primary = true, folds = true,
  n_train = true }

-- The columns and rows for reading: printed names, three digits.
local function for_person(columns, rows, metrics)
  local shown, out, first = {}, {}, #columns - #metrics
  for i in ipairs(rows) do out[i] = {} end
  for j, name in ipairs(columns) do
    if not FOR_PROGRAMS[name] or j > first then
      shown[#shown + 1] = j <= first and name or { name = metric_catalog.printed(name), digits = 3 }
      for i, row in ipairs(rows) do out[i][#shown] = row[j] end
    end
  end
  return shown, out
end

-- The identity of a group's configuration, shared by its other groups: those of the prior, of other samplers.
local function configuration_of(group)
  return ("%d %s %s"):format(group.config_id, stats.images_of(group.run), group.label)
end

-- Appends what differs to equal labels of configurations → group → its configuration.
local function distinguish(source, list)
  local first, one_each, of = {}, {}, {}
  for _, group in ipairs(list) do
    local name = configuration_of(group)
    if not first[name] then first[name], one_each[#one_each + 1] = group, group end
    of[group] = first[name]
  end
  source:distinguish(one_each)
  for _, group in ipairs(list) do group.label = of[group].label end
  return of
end

-- The rows of the seeds and folds themselves (stats/result_rows.lua).
local function print_each(source, args)
  local groups = args.evaluations and source:evaluations() or source:groups(args)
  groups = cli.usage(common.with_labels, groups, args.only, label_of)
  local baseline = cli.usage(source.baseline, source, groups, args.baseline)
  local configuration = distinguish(source, groups)
  local metrics = {}
  for i, metric in ipairs(cli.usage(metrics_of, args.cols or source:columns(), source.catalog, "--cols")) do
    metrics[i] = metric.metric
  end
  local columns, rows = require("aniso.stats.result_rows").rows(groups, metrics,
    function(group) return configuration[group] == configuration[baseline] end, args.evaluations)
  if not tables.is_for_programs(args.format) then columns, rows = for_person(columns, rows, metrics) end
  tables.print(columns, rows, args.format)
end

-- Rejects flags that do not go together.
local function check_flags(args)
  for _, flag in ipairs { "prior", "trials" } do
    if args.evaluations and args[flag] then
      cli.fail(cli.USAGE, ("--%s does not go with --evaluations: aniso table without it compares "
        .. "configurations"):format(flag))
    end
  end
  if args.trials and #args.from > 0 then
    cli.fail(cli.USAGE, "--trials does not go with --from: a file of results has no trials")
  end
end

function command.run(args)
  check_flags(args)
  local source = table_source.of(args)
  if args.each then return print_each(source, args) end
  if args.evaluations then return print_evaluations(source, args) end
  local groups = cli.usage(common.with_labels, source:groups(args), args.only, label_of)
  check_baseline(source, groups, args.baseline)
  local heads = cli.usage(heads_of, groups, args.rows, source.catalog)
  local metrics = cli.usage(metrics_of, args.cols or source:columns(), source.catalog, "--cols")
  local chains = true
  for _, group in ipairs(groups) do chains = chains and group.by == "chain" end
  if not chains then heads[#heads + 1] = group_rows.heads.by end
  for _, head in ipairs(group_rows.repetitions(groups)) do heads[#heads + 1] = head end
  local deltas = cli.usage(deltas_of, source, groups, args)
  local columns, rows = group_rows.rows(groups, heads, metrics,
    { percent = args.percent, programs = tables.is_for_programs(args.format), deltas = deltas })
  tables.print(columns, rows, args.format)
  if args.format ~= "table" then return end
  for _, line in ipairs(group_rows.why_pruned(groups)) do console.note(line) end
  for _, line in ipairs(source:notes()) do console.note(line) end
end

return command
