-- aniso predictions RUN: the stored predictions of a run's test or validation images, with the names of the
-- images, if the data still exist, and a probability per class.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local errors = require "aniso.recipe.errors"
local tables = require "aniso.show.table"

local command = { summary = "print the stored predictions of a run, one image per row" }

function command.arguments(parser)
  parser:argument("run", common.TEXT.run)
  parser:option("--part", "part of the data"):choices { "test", "val" }:default "test"
  parser:option("--format", common.TEXT.jsonl):default "csv"
    :choices { "table", "csv", "jsonl" }
  parser:flag("--no-names", "number the images instead of naming them, without opening the data")
  common.db(parser)
end

-- The primary evaluation of a part.
local function evaluation_of(db, run, part)
  for _, row in ipairs(common.call(db, "evaluations", run)) do
    if row.part == part and row.is_primary == 1 then return row end
  end
  cli.fail(cli.NO_MATCH, ("run %s has no %s evaluation (it is %s)"):format(run.uid, part, run.status))
end

-- The names of a part's images, in the order of the stored predictions; nil if the data no longer exist or
-- have changed.
local function names_of(db, run, part)
  local ok, names = pcall(require("aniso.inference.stored_run").keys, db, run, part)
  if ok then return names end
  errors.pass_interrupts(names)
  console.note("note: images are numbered, since their names are not known: ", cli.sentence(names))
end

function command.run(args)
  local db = common.open(args)
  local run = common.find(db, args.run)
  local evaluation = evaluation_of(db, run, args.part)
  local of = common.call(db, "predictions", evaluation)
  local names = not args.no_names and names_of(db, run, args.part)
  local classes = cli.need(db:split_of(run)).classes
  local columns = { "image", "true", "label", { name = "confidence", digits = 3 } }
  for k, class in ipairs(of.probs and classes or {}) do
    columns[4 + k] = { name = "p_" .. class.name, digits = 3 }
  end
  tables.print_each(columns, #of.true_idx, function(i)
    local row = { names and names[i] or i - 1, classes[of.true_idx[i] + 1].name,
      classes[of.pred_idx[i] + 1].name, of.conf[i] }
    for k, p in ipairs(of.probs and of.probs[i] or {}) do row[4 + k] = p end
    return row
  end, args.format)
end

return command
