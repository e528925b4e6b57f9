-- aniso table STUDY: a row per configuration, mean ± sd over seeds, the best in bold: the
-- paper's table. Counts the last finished attempt of each seed, as the view v_group does.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local keys = require "aniso.store.keys"
local rows_of = require "aniso.show.group_rows"
local tables = require "aniso.show.table"

local command = { summary = "a study as a table: mean ± sd over seeds" }

local function list(text)
  local out = {}
  for name in text:gmatch "[^,%s]+" do out[#out + 1] = name end
  return out
end

function command.arguments(parser)
  parser:argument("study", "the study's name")
  parser:option("--rows", "what names a row: label, or keys such as schedule.lambda.gamma")
    :argname "KEY,…":convert(list):default "label"
  parser:option("--cols", "metrics: all, head, medium, tail, macro_f1, nll …"):argname "METRIC,…"
    :convert(list):default "all,head,medium,tail"
  parser:flag("--prior", "the prior's own predictions too")
  parser:flag("--percent", "71.2 instead of 0.712")
  common.db(parser)
  common.format(parser)
end

-- Rows that no head distinguishes get the options that do.
local function heads_of(groups, names, catalog)
  local runs, seen, heads, given, same = {}, {}, {}, {}, false
  for i, group in ipairs(groups) do runs[i] = group.run end
  local function add(name)
    local key = catalog:key(name)
    if key.metric then error(("--rows takes no metric: %s belongs into --cols"):format(name), 0) end
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

local function metrics_of(names, catalog)
  local out = {}
  for i, name in ipairs(names) do
    local key = catalog:key(name)
    if not key.metric then error(("--cols takes metrics, and %s is not a metric"):format(name), 0) end
    out[i] = { name = name, metric = key.metric, higher = key.higher }
  end
  return out
end

function command.run(args)
  local db = common.open(args)
  local groups = common.counted_groups(db, args.study, { prior = args.prior })
  local catalog = keys.new(db)
  local heads = cli.usage(heads_of, groups, args.rows, catalog)
  local metrics = cli.usage(metrics_of, args.cols, catalog)
  local chains = true
  for _, group in ipairs(groups) do chains = chains and group.by == "chain" end
  if not chains then heads[#heads + 1] = rows_of.heads.by end
  heads[#heads + 1] = rows_of.heads.seeds
  local columns, rows = rows_of.rows(groups, heads, metrics,
    { percent = args.percent, separate = args.format == "csv" or args.format == "json" })
  tables.print(columns, rows, args.format)
end

return command
