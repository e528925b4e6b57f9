-- What several commands share: the database, a RUN on the command line, output formats.
local cli = require "aniso.cli"
local console = require "aniso.show.console"
local db_error = require "aniso.store.db_error"
local errors = require "aniso.recipe.errors"
local sys = require("aniso.core").sys
local tables = require "aniso.show.table"

local common = {}

function common.db(parser)
  parser:option "--db":description "run database (default: ANISO_DB, or runs.db)":argname "FILE"
    :default(sys.variable "ANISO_DB" or "runs.db"):show_default(false)
end

-- Warns about options of complete configurations that have no effect, once each. evaluation [opt]: only about
-- those of an evaluation.
function common.warn_unused(configs, evaluation)
  local unused, seen = require("aniso.method.config").unused, {}
  local note = not evaluation and require("aniso.train.precision").note or function() end
  for _, complete in ipairs(configs) do
    local sentences = unused(complete, evaluation)
    sentences[#sentences + 1] = note(complete)
    for _, sentence in ipairs(sentences) do
      if not seen[sentence] then console.note("aniso: warning: ", sentence) end
      seen[sentence] = true
    end
  end
end

function common.format(parser)
  parser:option "--format":description "output format":choices(tables.formats):default "table"
end

-- Help texts of arguments and options that several commands define.
common.TEXT = {
  run = "a run: its id or the start of it, its name, @last or @best:METRIC",
  runs = "runs: ids or the start of them, names, @last or @best:METRIC",
  study = "name of a study",
  recipe = "a Lua file that returns aniso.study{…}",
  allow_equal = "allow variants with the same options",
  jsonl = "output format; jsonl is one JSON object per line",
  level = "test level of the coupling sample: mixture, max, min or a number",
  memory = "memory budget of a training step, instead of train.memory: 512M, 2G or none",
  one_by_one = "train runs one at a time, not in lock-step (slower, but the same bits)",
  seeds = "seeds: 0..4, 1,5 or 7 (default: the recipe's)",
  svg = "write the plot to this SVG file",
}

-- `--output FILE`; the file's name must have the default's extension.
function common.output(parser, default)
  parser:option("-o --output", "output file, ending in " .. default:match "%.%w+$"):argname "FILE"
    :default(default)
end

-- `--force`, for a command that writes a file the user names (show/output_file.lua).
function common.force(parser)
  parser:flag("--force", "overwrite a file that aniso did not write, or follow a link")
end

-- "a, b" → {"a", "b"}: the value of an option that is a list of names.
function common.names(text)
  local out = {}
  for name in text:gmatch "[^,%s]+" do out[#out + 1] = name end
  return out
end

-- `--only LABEL`, which may be repeated; see with_labels().
function common.only(parser)
  parser:option("--only", "only the variant with this label (repeatable)"):argname "LABEL":count "*"
end

-- The entries of a list whose label_of(one) is among `labels`, in their order; all of them if `labels` is
-- empty. A label that no entry has is an error.
function common.with_labels(list, labels, label_of)
  local kept, known, seen, chosen = {}, {}, {}, {}
  for _, label in ipairs(labels) do chosen[label] = true end
  for _, one in ipairs(list) do
    local label = label_of(one)
    if #labels == 0 or chosen[label] then kept[#kept + 1] = one end
    if not seen[label] then seen[label], known[#known + 1] = true, label end
  end
  for _, label in ipairs(labels) do
    if not seen[label] then
      error(("no variant has the label %s (%s)"):format(label, table.concat(known, ", ")), 0)
    end
  end
  return kept
end

function common.baseline(parser)
  parser:option("--baseline", "label of the configuration that the others are compared with (default: "
    .. "that\nof the recipe, else the label baseline, the only isotropic one, or the first)"):argname "LABEL"
end

local MOST_THREADS = 4096 -- AN_THREADS_MOST of the engine

function common.threads(parser)
  parser:option "--threads":description "number of threads (default: OMP_NUM_THREADS, or one per core)"
    :argname "N":convert(function(text)
    local n = math.tointeger(tonumber(text))
    if n and n >= 1 and n <= MOST_THREADS then return n end
    return nil, ("--threads needs a whole number from 1 to %d, got %s"):format(MOST_THREADS, text)
  end)
end

-- The results are the same with any number of threads, so a limit on processes only costs time.
function common.use_threads(args)
  local wished = args.threads or sys.threads()
  local possible = sys.startable_threads(wished)
  if possible < wished then
    console.note(("aniso: the limit on processes (ulimit -u) leaves %d of %d threads; computing with %d")
      :format(possible, wished, possible))
  end
  if possible < wished or args.threads then sys.threads(possible) end
end

-- A cell of a table: "0.52 MB", or the bytes in formats for programs.
function common.megabytes(bytes)
  return { text = ("%.2f MB"):format(bytes / 1e6), value = bytes }
end

-- Makes a folder that must be new or empty, so that no file in it is replaced. who: what requires it.
function common.make_new_folder(folder, who)
  if sys.exists(folder) and #(sys.list(folder) or { "" }) > 0 then
    cli.fail(cli.FAILED, ("%s: %s needs a new or empty folder"):format(folder, who))
  end
  return cli.need(sys.mkdir_p(folder))
end

-- `--set a.b=VALUE` → {{"a.b", "VALUE"}, …} in args.set.
function common.set(parser)
  parser:option "--set":description "set an option to a Lua literal or a bare word (repeatable)"
    :argname "KEY=VALUE":count "*":convert(function(text)
      local key, value = text:match "^%s*([^=]-)%s*=(.*)$"
      if key and key ~= "" then return { key, value } end
      return nil, ("--set needs KEY=VALUE, got %s"):format(text)
    end)
end

-- Opens an existing database. A missing file gives exit code 3; it is not created.
local function open(args, how)
  if not sys.exists(args.db) then
    cli.fail(cli.NO_MATCH, ("%s: there is no such database; aniso run creates it"):format(args.db))
  end
  return (common.need_db(require("aniso.prompt.explore.database").open(args.db, how)))
end

-- Any failure to open a database gives exit code 4.
function common.need_db(db, message)
  if not db then cli.fail(cli.DATABASE, message) end
  return db
end

function common.open(args)
  return open(args, { readonly = true })
end

function common.open_to_write(args)
  return open(args, { readonly = false, alone = args.alone })
end

-- `--alone`, for a command that opens its database as the only writer.
function common.alone(parser)
  parser:flag("--alone", "assert that no other process opens the database (allows a network file system)")
end

-- Like open_to_write(), for a command that changes single rows of runs: a study in progress does not matter.
function common.open_to_annotate(args)
  return open(args, { shared = true })
end

-- Like open_to_write(), for a command that trains or evaluates: it waits for another program's lock.
function common.open_to_train(args)
  return open(args, { wait = require("aniso.store.lock_wait").of_command(), alone = args.alone })
end

-- Opens a database to train alongside other workers of a plan.
function common.open_to_join(args)
  if not sys.exists(args.db) then
    cli.fail(cli.NO_MATCH, ("%s: there is no such database; aniso plan creates it"):format(args.db))
  end
  return common.need_db(require("aniso.store").open(args.db,
    { wait = require("aniso.store.lock_wait").of_command(), join = true }))
end

function common.open_to_evaluate(args)
  return open(args, { wait = require("aniso.store.lock_wait").of_command(), shared = true })
end

-- Calls f(…): a wrong name or value is a usage error, any other error is the database's.
function common.checked(f, ...)
  local result = table.pack(pcall(f, ...))
  local problem = result[2]
  if not result[1] then errors.pass_interrupts(problem) end
  if not result[1] and db_error.is(problem) then cli.need(nil, problem.message, problem.code) end
  if not result[1] then cli.fail(cli.USAGE, cli.sentence(problem)) end
  cli.need(table.unpack(result, 2, result.n))
  return table.unpack(result, 2, result.n)
end

function common.call(db, method, ...)
  return common.checked(db[method], db, ...)
end

-- Calls f(…): an error of the database ends the command with its message and exit code.
function common.guarded(f, ...)
  local result = table.pack(pcall(f, ...))
  if result[1] then return table.unpack(result, 2, result.n) end
  if db_error.is(result[2]) then cli.need(nil, result[2].message, result[2].code) end
  error(result[2], 0)
end

-- make(db, study, options, runs) returns the groups (stats/groups.lua) of a study, which must exist and have
-- some. → groups, runs = all runs of the study
local function groups_by(make, db, study, options)
  local all = cli.need(db:runs { study = study })
  if #all == 0 then
    local names = common.guarded(require("aniso.store.contents").studies, db)
    cli.fail(cli.NO_MATCH, ("there is no study %s in %s (%s)"):format(study, db.path,
      #names > 0 and "it has: " .. table.concat(names, ", ") or "it has no runs"))
  end
  local groups = common.guarded(make, db, study, options, all)
  if #groups == 0 then
    cli.fail(cli.NO_MATCH, ("study %s has no finished %s with a test evaluation"):format(study,
      options and options.trials and "trial of a search" or "run"))
  end
  return groups, all
end

-- The groups of the runs that count in statistics over a study, and all its runs; options: those of of_study
-- in store/groups.lua.
function common.counted_groups(db, study, options)
  return groups_by(require("aniso.store.groups").of_study, db, study, options)
end

-- The groups of all test evaluations of these runs.
function common.evaluated_groups(db, study)
  local groups = require "aniso.store.groups"
  return groups_by(function(_, _, _, runs)
    return groups.of_evaluations(db, groups.counted(db, study, false, runs))
  end, db, study)
end

-- The row of one RUN: an id, a prefix, a name, @last, @best:METRIC.
function common.find(store, reference)
  return (cli.need(store:find(reference)))
end

return common
