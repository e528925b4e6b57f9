-- aniso verify RUN…: repeats stored runs in a temporary folder and compares every stored number with its
-- repetition: the epochs' metrics, the kept weights, the evaluations with their confusion matrices and
-- predictions. Bit for bit on the machine and version of the run, within stated bounds elsewhere. The exit
-- code is 5 if a number differs. The stored runs are not changed.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local core = require "aniso.core"
local folds = require "aniso.recipe.folds"
local own_parts = require "aniso.cli.own_parts"
local selected_runs = require "aniso.cli.selected_runs"
local tables = require "aniso.show.table"

local verify = { summary = "repeat stored runs, or only their evaluations, and compare every number" }

local function epochs(text)
  local n = math.tointeger(tonumber(text))
  if n and n >= 1 then return n end
  return nil, ("--epochs needs a whole number of at least 1, got %s"):format(text)
end

function verify.arguments(parser)
  parser:argument("runs", "runs, or studies for all of their finished runs"):args "+"
  parser:flag("--evaluation", "only repeat the evaluations, with the stored weights")
  parser:option("--epochs", "only repeat the first N epochs of each stage"):argname "N":convert(epochs)
  parser:flag("--first-stage", "use a first stage that is kept next to the database instead of training it")
  selected_runs.choices(parser)
  own_parts.arguments(parser)
  common.db(parser)
  common.threads(parser)
  common.format(parser)
end

local function name_of(run)
  return folds.name(run.label or run.name, run.seed, run.fold)
end

-- The runs that the arguments name, each once.
local function chosen(db, args)
  local out, seen = {}, {}
  for _, name in ipairs(args.runs) do
    local found = selected_runs.of(db, { run = name, only = args.only, seeds = args.seeds, fold = args.fold,
      db = args.db })
    for _, run in ipairs(found) do
      if run.status ~= "finished" then
        cli.fail(cli.FAILED, ("run %s is %s: only finished runs can be verified"):format(run.uid, run.status))
      end
      if not seen[run.uid] then seen[run.uid], out[#out + 1] = true, run end
    end
  end
  return out
end

local MODES = {
  bits = "bit for bit",
  training = "within the bounds of another machine's training, since %s",
  evaluation = "within the bounds of another machine's evaluation, since %s",
}

local COLUMNS = { "run", "label", "mode", "what", "values", "differ", "first difference", "stored",
  "repeated" }

-- Adds a run's rows → its first difference as a sentence, or nil.
local function add_rows(rows, run, result)
  local shown, first = require("aniso.train.verified_values").shown, nil
  for _, section in ipairs(result.sections) do
    local at = section.first
    local stored = at and shown(section.what, at.stored)
    local repeated = at and shown(section.what, at.repeated)
    if section.n > 0 then
      rows[#rows + 1] = { { text = run.uid:sub(1, 10), value = run.uid }, name_of(run),
        result.mode == "bits" and "bits" or "bounds", section.what,
        section.compared and section.n or { text = "not compared", value = 0 }, section.differ,
        at and at.name or "", stored or "", repeated or "" }
    end
    first = first or at and ("%s: %s was %s, now %s"):format(name_of(run), at.name, stored, repeated)
  end
  return first
end

-- If nothing differs, a printed table has no columns of differences.
local function print_rows(rows, format, equal)
  local columns = table.move(COLUMNS, 1, equal and format == "table" and 6 or #COLUMNS, 1, {})
  for i, row in ipairs(rows) do rows[i] = table.move(row, 1, #columns, 1, {}) end
  tables.print(columns, rows, format)
end

local function describe(board, run, result)
  board:print(("%s: compared %s"):format(name_of(run),
    MODES[result.mode]:format(table.concat(result.why, "; "))))
  if #result.left_out > 0 then
    board:print(("%s: not repeated, since the options cannot be read back from the name: %s"):format(
      name_of(run), table.concat(result.left_out, "; ")))
  end
end

local function interrupted(why, done, n)
  cli.fail(cli.EXIT_OF[why.interrupted], ("interrupted; %d of %d runs were verified, and nothing of the "
    .. "repetition is kept"):format(done, n))
end

-- Verifies the runs one after another → rows, sentences on first differences, sentences on failures.
local function carry_out(db, runs, args)
  local scratch <close> = common.guarded(require("aniso.store.scratch").new)
  local board <close> = require("aniso.show.progress").board { runs = #runs }
  local rows, differences, failures = {}, {}, {}
  for i, run in ipairs(runs) do
    local ok, result = pcall(require("aniso.train.verification").verify, db, run, scratch, { board = board,
      evaluation = args.evaluation, until_epoch = args.epochs, first_stage = args.first_stage })
    if not ok and type(result) == "table" and result.interrupted then interrupted(result, i - 1, #runs) end
    if ok then
      describe(board, run, result)
      differences[#differences + 1] = add_rows(rows, run, result)
    else
      local why = cli.sentence(result)
      failures[#failures + 1] = why
      if #runs > 1 then board:print(("aniso: %s: %s"):format(name_of(run), why)) end
    end
  end
  return rows, differences, failures
end

function verify.run(args)
  if args.evaluation and args.epochs then
    cli.fail(cli.USAGE, "--epochs does not go with --evaluation, which trains nothing")
  end
  common.use_threads(args)
  own_parts.load(args)
  local db = common.open(args)
  core.sys.interrupt_mode "poll"
  local runs = chosen(db, args)
  for _, run in ipairs(runs) do
    local config = require("aniso.method.config").complete(cli.need(db:config(run)))
    local missing = own_parts.missing(db, run, config, "verify", args)
    if missing then cli.fail(cli.FAILED, missing) end
  end
  local rows, differences, failures = carry_out(db, runs, args)
  if #rows > 0 then print_rows(rows, args.format, #differences == 0) end
  if #differences > 0 then
    cli.fail(cli.DIFFERS, #runs == 1 and differences[1]
      or ("%d of %d runs differ; %s"):format(#differences, #runs, differences[1]))
  elseif #failures > 0 then
    cli.fail(cli.FAILED, #runs == 1 and failures[1] or ("%d of %d runs could not be repeated"):format(
      #failures, #runs))
  end
end

return verify
