-- The source of the groups of `aniso table`: the database, or files of `aniso table --each` (--from).
--   source.of(args) → source, .study = the study's name
--   source:groups(args)            of the counted runs; args.prior, args.trials
--   source:evaluations()           of all evaluations
--   source:baseline(list, label)   the group with which the others are compared
--   source:distinguish(list)       appends what differs to equal labels
--   source:columns(), source:deltas()   the names of metrics that a table shows without --cols and --delta
--   source:notes()                 lines below a table
--   source.catalog                 names as keys: key(), of_configuration() and varying() of store/keys.lua
local cli = require "aniso.cli"
local common = require "aniso.cli.common"

local source = { COLUMNS = "all,head,medium,tail" }

local Database = {}
Database.__index = Database

function source.of_database(db, study)
  return setmetatable({ db = db, study = study, catalog = require("aniso.store.keys").new(db) }, Database)
end

function Database:groups(args)
  return common.counted_groups(self.db, self.study, { prior = args.prior, trials = args.trials })
end

function Database:evaluations()
  return common.evaluated_groups(self.db, self.study)
end

function Database:baseline(list, label)
  return require("aniso.store.groups").baseline(self.db, list, label)
end

function Database:distinguish(list)
  require("aniso.store.groups").distinguish(list, self.catalog)
end

function Database.notes() return {} end

function Database.columns() return common.names(source.COLUMNS) end

function Database.deltas() return { "macro_f1" } end

-- ── files ───────────────────────────────────────────────────────────────────────────────
local Files = {}
Files.__index = Files

local FileKeys = {}
FileKeys.__index = FileKeys

-- A metric of the files, which contain no options and facts of runs.
function FileKeys:key(name)
  local metrics = require "aniso.stats.metric.catalog"
  local derived = require("aniso.stats.derived").parse(name)
  local stored = derived and derived.name or metrics.aliases[name] or name
  if not self.metrics[stored] then
    local known = {}
    for one in pairs(self.metrics) do known[#known + 1] = metrics.printed(one) end
    table.sort(known)
    error(("no metric %s in %s (it has: %s)"):format(name, self.path, table.concat(known, ", ")), 0)
  end
  local higher = not derived or derived.higher
  for _, entry in ipairs(metrics.metrics) do
    if entry.name == stored then higher = entry.higher end
  end
  return { name = name, metric = stored, higher = higher }
end

function FileKeys.of_configuration(_, name)
  if name == "label" then return { name = name, get = function(_, run) return run.label end } end
  error(("--rows %s: a file of results has only labels, not the options"):format(name), 0)
end

function FileKeys.varying() return {} end

function Files:groups(args)
  local list = self.results:groups(args.prior)
  if #list == 0 then
    cli.fail(cli.NO_MATCH, ("%s: study %s has no evaluation that tables count"):format(self.path, self.study))
  end
  return list
end

function Files:evaluations()
  if not self.results.has_evaluations then
    cli.fail(cli.USAGE, ("%s has no column sampler: it was written without --evaluations"):format(self.path))
  end
  return self.results:evaluations()
end

function Files:baseline(list, label)
  return self.results:baseline(list, label)
end

function Files.distinguish() end

function Files:notes()
  if not self.results.unpooled then return {} end
  return { ("n/a: %s lacks the rows of all folds together, which aniso table --each writes from one "
    .. "database; aniso db merge makes one"):format(self.path) }
end

function Files:columns() return self.results.metric_order end

function Files:deltas() return { self.results.metrics.macro_f1 and "macro_f1" or "none" } end

function source.of(args)
  if #args.from == 0 then return source.of_database(common.open(args), args.study) end
  local results = common.guarded(require("aniso.store.result_file").read, args.from, args.study)
  return setmetatable({ study = args.study, path = table.concat(args.from, ", "), results = results,
    catalog = setmetatable({ metrics = results.metrics, path = args.from[1] }, FileKeys) }, Files)
end

return source
