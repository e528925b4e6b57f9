-- The finished runs that a command works on: one RUN, or the runs of a study that --only, --seeds and --fold
-- select. If a run was repeated, the last attempt counts, as in every table.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local contents = require "aniso.store.contents"
local folds = require "aniso.recipe.folds"
local groups = require "aniso.store.groups"

local selected_runs = {}

function selected_runs.arguments(parser)
  parser:argument("run", "a run, or a study for all of its finished runs")
  selected_runs.choices(parser)
end

-- The options that select runs of a study.
function selected_runs.choices(parser)
  common.only(parser)
  parser:option("--seeds", "only these seeds of a study: 0..4, 1,5 or 7"):argname "LIST"
  parser:option("--fold", "only these folds of a study, counted from 0: 0,2 or 0..2"):argname "LIST"
end

local function set_of(list)
  local out = {}
  for _, value in ipairs(list) do out[value] = true end
  return out
end

-- {1, 5} for a list; "3" is a seed here, not the number of seeds.
local function seeds_of(text)
  return text and set_of(require("aniso.recipe.study").seeds(text))
end

local function folds_of(text, runs, study)
  if not text then return nil end
  local count
  for _, run in ipairs(runs) do count = count or run.folds end
  if not count then error(("--fold selects folds, and %s has none"):format(study), 0) end
  return set_of(folds.chosen(text, count))
end

-- The finished runs of a study that the options of the command line select.
local function of_study(db, args)
  local runs, out = common.guarded(groups.counted, db, args.run), {}
  if #runs == 0 then
    cli.fail(cli.NO_MATCH, ("study %s has no finished run (%s lists its runs)"):format(args.run,
      require("aniso.store.hint").command(args.db, "ls", "study=" .. args.run)))
  end
  runs = cli.usage(common.with_labels, runs, args.only, function(run) return run.label or run.name end)
  local seeds = cli.usage(seeds_of, args.seeds)
  local chosen = cli.usage(folds_of, args.fold, runs, args.run)
  for _, run in ipairs(runs) do
    if (not seeds or seeds[run.seed]) and (not chosen or chosen[run.fold]) then out[#out + 1] = run end
  end
  if #out == 0 then
    cli.fail(cli.NO_MATCH, ("no finished run of %s has these labels, seeds and folds"):format(args.run))
  end
  return out
end

-- of(db, args) → rows of db:runs(), whether args.run is a study. A number, an id and @last are runs.
function selected_runs.of(db, args)
  local name = args.run
  if not name:find "^@" and not name:find "^%d+$" and common.guarded(contents.has_runs, db, name) then
    return of_study(db, args), true
  end
  local run = common.find(db, name)
  for _, option in ipairs { "seeds", "fold", #args.only > 0 and "only" or nil } do
    if args[option] then
      cli.fail(cli.USAGE, ("--%s selects runs of a study, and %s is a run"):format(option, name))
    end
  end
  if run.status == "running" then
    cli.fail(cli.DATABASE, ("run %s is in progress; repeat this when it has finished"):format(run.uid))
  end
  return { run }, false
end

return selected_runs
