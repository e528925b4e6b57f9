-- aniso curve STUDY -x OPTION -y METRIC: mean ± sd over seeds against one option, with a dot per seed, on the
-- terminal or as SVG, with the numbers below. Other options that differ give separate lines; a configuration
-- without the option (an isotropic baseline in a sweep of γ) is a horizontal line.
-- aniso curve STUDY --operating: tail recall against head recall as the stored predictions are tilted
-- (show/operating_curve.lua).
-- aniso curve STUDY --risk: the error among the most confidently labelled images (show/risk_curve.lua).
-- aniso curve STUDY --cost: a metric of all evaluations against network passes or seconds per image
-- (show/cost_curve.lua).
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local keys = require "aniso.store.keys"
local printed = require("aniso.stats.metric.catalog").printed
local group_rows = require "aniso.show.group_rows"
local stats = require "aniso.stats.groups"
local tables = require "aniso.show.table"

local curve = { summary = "plot a metric of a study against an option" }

function curve.arguments(parser)
  parser:argument("study", common.TEXT.study)
  parser:option("-x", "x axis: an option with numbers, such as schedule.lambda.gamma\n"
    .. "(with --cost: passes (default) or seconds)"):argname "OPTION"
  parser:flag("--operating", "plot tail recall against head recall as the tilt varies, instead of -x and -y")
  parser:flag("--risk", "plot the error among the labelled images against their share, most confident first")
  parser:flag("--cost", "plot the metric of every evaluation (aniso eval) against its cost per image")
  parser:option("-y --metric", "metric: all, head, medium, tail, macro_f1, nll … (default: macro_f1)")
    :argname "METRIC"
  common.only(parser)
  parser:option("-o --svg", common.TEXT.svg):argname "FILE"
  common.force(parser)
  common.db(parser)
  common.format(parser)
end

-- The name of a group's line: the other options that differ.
local function line_name(group, others)
  local parts = {}
  for i, key in ipairs(others) do
    parts[i] = ("%s=%s"):format(key.name, tostring(key:get(group.run)))
  end
  return table.concat(parts, ", ")
end

-- Groups in two lists: on the axis, sorted, with .x and .line; and without a position on it.
local function place(groups, x, catalog, study)
  local on, off, runs, others = {}, {}, {}, {}
  for _, group in ipairs(groups) do
    group.x = x:get(group.run)
    if group.x ~= nil and type(group.x) ~= "number" then
      error(("-x %s: %q in %s is not a number; aniso table --rows %s shows it"):format(x.name,
        tostring(group.x), group.label, x.name), 0)
    end
    table.insert(group.x and on or off, group)
    if group.x then runs[#runs + 1] = group.run end
  end
  if #on == 0 then error(("-x %s: no run of the study has a number there"):format(x.name), 0) end
  for _, name in ipairs(catalog:varying(runs)) do
    if name ~= x.name then others[#others + 1] = catalog:key(name) end
  end
  for i, group in ipairs(on) do group.line, group.place = line_name(group, others), i end
  table.sort(on, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    if a.x ~= b.x then return a.x < b.x end
    return a.place < b.place
  end)
  for _, group in ipairs(off) do group.line = group.label end
  if #off > 0 and #others == 0 then
    for _, group in ipairs(on) do group.line = study end
  end
  return on, off
end

local function add_point(series, x, moments)
  if not moments.mean then return end
  series.x[#series.x + 1], series.y[#series.y + 1] = x, moments.mean
  series.error[#series.error + 1] = moments.sd or false
  for _, value in ipairs(moments.values) do series.dots[#series.dots + 1] = { x, value } end
end

local function figure(study, on, off, x, y)
  local out, last = { x = x.name, y = y.name, series = {} }, nil
  out.title = ("%s: %s, mean ± sd over seeds, a dot per seed"):format(study, y.name)
  for _, group in ipairs(on) do
    if not last or last.name ~= group.line then
      last = { name = group.line, label = group.line ~= "" and group.line or nil, x = {}, y = {},
        error = {}, dots = {} }
      out.series[#out.series + 1] = last
    end
    add_point(last, group.x, stats.of(group, y.metric))
  end
  local left, right = math.huge, -math.huge
  for _, group in ipairs(on) do left, right = math.min(left, group.x), math.max(right, group.x) end
  for _, group in ipairs(off) do
    local level = { label = group.line, x = {}, y = {}, error = {}, dots = {} }
    local mean = stats.of(group, y.metric)
    add_point(level, left, mean)
    add_point(level, right, { mean = mean.mean, values = {} })
    out.series[#out.series + 1] = level
  end
  for i = #out.series, 1, -1 do
    if #out.series[i].x == 0 then table.remove(out.series, i) end
  end
  if #out.series == 0 then error(("-y %s: no run of the study has it"):format(y.name), 0) end
  return out
end

local function draw(args, shape)
  local plot = require "aniso.show.plot"
  if args.svg then
    local file, why, code = cli.usage(plot.draw, shape, { file = args.svg, force = args.force })
    cli.need(file, why, code)
    console.note("drawn in ", args.svg)
  elseif args.format == "table" then
    plot.draw(shape)
    console.print()
  end
end

-- Columns before the metric: the line's name if there are several lines, x, the number of seeds; and, for a
-- program, the value of each seed.
local function heads_of(rows, x, y, exact)
  local heads, seeds, seen, named = {}, {}, {}, false
  for _, group in ipairs(rows) do
    named = named or group.line ~= ""
    for _, seed in ipairs(stats.of(group, y.metric).seeds) do
      if not seen[seed] then seen[seed], seeds[#seeds + 1] = true, seed end
    end
  end
  if named then heads[1] = { name = "line", get = function(group) return group.line end } end
  heads[#heads + 1] = { name = x.name, get = function(group) return group.x end }
  for _, head in ipairs(group_rows.repetitions(rows)) do heads[#heads + 1] = head end
  table.sort(seeds)
  for _, seed in ipairs(exact and seeds or {}) do
    heads[#heads + 1] = { name = ("%s seed %d"):format(y.name, seed), get = function(group)
      local of = stats.of(group, y.metric)
      for i, own in ipairs(of.seeds) do
        if own == seed then return of.values[i] end
      end
    end }
  end
  return heads
end

local function label_of(group) return group.label end

-- The metric of -y, as catalog:key() gives it.
local function metric_of(catalog, args)
  local name = args.metric or "macro_f1"
  local y = cli.usage(catalog.key, catalog, name)
  if not y.metric then cli.fail(cli.USAGE, ("-y takes a metric, and %s is not a metric"):format(name)) end
  return y
end

-- Curves of stored predictions. kind: aniso.show.operating_curve or risk_curve; needed: what a run must have
-- stored.
local function run_predicted(args, db, groups, kind, needed)
  local drawn = kind.of_groups(db, groups)
  if #drawn == 0 then cli.fail(cli.NO_MATCH, ("no finished run of %s has %s"):format(args.study, needed)) end
  draw(args, kind.figure(args.study, drawn))
  tables.print(kind.rows(drawn, args.format))
end

local MOST_LINES = 26 -- as many as there are letters for the key on a terminal

local function run_cost(args, db)
  local cost, evaluation_rows = require "aniso.show.cost_curve", require "aniso.show.evaluation_rows"
  local x = cost.axes[args.x or "passes"]
  if not x then cli.fail(cli.USAGE, ("--cost takes -x passes or -x seconds, not %s"):format(args.x)) end
  local groups = cli.usage(common.with_labels, common.evaluated_groups(db, args.study), args.only, label_of)
  local y = metric_of(keys.new(db), args)
  local exact = tables.is_for_programs(args.format)
  local lines = cost.lines(groups, y.metric, x)
  if not cost.limits(lines) then
    cli.fail(cli.NO_MATCH, ("no evaluation of %s by chains has %s and its %s"):format(args.study, y.name,
      x.name))
  end
  if #lines > MOST_LINES and not exact then
    cli.fail(cli.USAGE, ("%d lines are too many for one figure (%d at most): choose labels with --only, or "
      .. "print the numbers with --format csv"):format(#lines, MOST_LINES))
  end
  draw(args, cost.figure(args.study, lines, x, exact and y.name or printed(y.name)))
  local heads = { { name = "label", get = label_of } }
  for _, head in ipairs(evaluation_rows.heads(groups, exact)) do heads[#heads + 1] = head end
  local columns, cells = group_rows.rows(groups, heads, { y }, { programs = exact })
  tables.print(columns, cells, args.format)
end

function curve.run(args)
  local kinds = args.x and not args.cost and 1 or 0
  for _, flag in ipairs { "operating", "cost", "risk" } do kinds = kinds + (args[flag] and 1 or 0) end
  if kinds ~= 1 then
    cli.fail(cli.USAGE, "curve takes one of -x OPTION, --operating, --risk and --cost")
  end
  for _, flag in ipairs { "operating", "risk" } do
    if args[flag] and args.metric then
      cli.fail(cli.USAGE, ("-y and --%s exclude each other: --%s draws no metric"):format(flag,
        flag))
    end
  end
  local db = common.open(args)
  if args.cost then return run_cost(args, db) end
  local groups = cli.usage(common.with_labels, common.counted_groups(db, args.study), args.only, label_of)
  if args.operating then
    return run_predicted(args, db, groups, require "aniso.show.operating_curve",
      "predictions of a head and a tail")
  elseif args.risk then
    return run_predicted(args, db, groups, require "aniso.show.risk_curve", "stored predictions")
  end
  local catalog = keys.new(db)
  local x, y = cli.usage(catalog.of_configuration, catalog, args.x, "-x"), metric_of(catalog, args)
  local exact = tables.is_for_programs(args.format)
  if not exact then y.name = printed(y.name) end
  local on, off = cli.usage(place, groups, x, catalog, args.study)
  draw(args, cli.usage(figure, args.study, on, off, x, y))
  local rows = table.move(off, 1, #off, #on + 1, table.move(on, 1, #on, 1, {}))
  local columns, cells = group_rows.rows(rows, heads_of(rows, x, y, exact),
    { { name = y.name, metric = y.metric, higher = y.higher } }, { programs = exact })
  tables.print(columns, cells, args.format)
end

return curve
