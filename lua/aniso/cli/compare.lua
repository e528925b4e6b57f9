-- aniso compare A B… and aniso compare STUDY: the differences from the first one, and whether they exceed
-- chance. A configuration (its label, or study:label) means its runs over all seeds.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local core = require "aniso.core"
local catalog = require "aniso.stats.metric.catalog"
local nearest = require "aniso.recipe.nearest"
local show = require "aniso.show.compare_text"

local compare = { summary = "compare runs or configurations, and tell differences from chance" }

function compare.arguments(parser)
  parser:argument("names", "runs, configurations (label or study:label), lists of runs (1,4,7) or filters\n"
    .. "('KEY=VALUE …'), the baseline first; or one study, to compare its configurations"):args "1+"
  common.baseline(parser)
  parser:option("--section", "show only this section"):choices(show.names)
  parser:option("--metrics", "only these metrics, in this order: acc,macro_f1,tail …"):argname "METRIC,..."
    :convert(common.names)
  parser:option("--draws", "resamples of the bootstrap (default: 1000)"):argname "N":convert(function(text)
    local n = math.tointeger(tonumber(text))
    if n and n >= 10 then return n end
    return nil, ("--draws needs a whole number of at least 10, got %s"):format(text)
  end)
  common.db(parser)
  common.format(parser)
end

-- The metrics of a comparison with the given names, in the order of the names.
local function chosen(metrics, names)
  local by_name, known, out = {}, {}, {}
  for i, one in ipairs(metrics) do by_name[one.name], known[i] = one, catalog.printed(one.name) end
  for i, name in ipairs(names) do
    local one = by_name[catalog.aliases[name] or name]
    if not one then
      local meant = nearest(name, known)
      error(("--metrics: the comparison has no %s (%s)"):format(name,
        meant and ("did you mean %s?"):format(meant) or "it has: " .. table.concat(known, ", ")), 0)
    end
    out[i] = one
  end
  return out
end

function compare.run(args)
  if args.baseline and #args.names > 1 then
    cli.fail(cli.USAGE, "--baseline is for a study; of several names the first is the baseline")
  end
  local db = common.open(args)
  local result = cli.need(db:compare(args.names, { baseline = args.baseline, draws = args.draws }))
  if args.metrics then result.metrics = cli.usage(chosen, result.metrics, args.metrics) end
  if args.format == "csv" or args.format == "json" then
    io.stdout:write(require("aniso.show.compare_records")[args.format](result, args.section))
  else
    io.stdout:write(show.text(result, args.format, args.section, core.sys.isatty "stdout",
      require("aniso.show.table").room()))
  end
end

return compare
