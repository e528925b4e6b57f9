-- aniso rm RUN… and aniso rm --where FILTER: hides runs from everything that lists and counts. They stay in
-- the file until aniso gc; aniso restore brings them back.
local filtered_runs = require "aniso.cli.filtered_runs"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local hint = require "aniso.store.hint"

local rm = { summary = "remove runs (restorable until aniso gc deletes them)" }

function rm.arguments(parser)
  parser:argument("runs", common.TEXT.runs):args "*"
  filtered_runs.where(parser)
  common.db(parser)
end

-- Removes or restores, and prints one line per run.
function rm.change(args, method, removed)
  local db <close> = common.open_to_annotate(args)
  local runs = filtered_runs.of(db, args, args.runs, removed)
  common.call(db, method, runs)
  for _, run in ipairs(runs) do
    console.print(("%s  %s, %s, seed %d%s"):format(run.uid, run.study, run.label or run.name, run.seed,
      run.fold and (", fold %d"):format(run.fold) or ""))
  end
  return #runs
end

function rm.run(args)
  local n = rm.change(args, "remove", false)
  console.note(("%d run%s removed; %s brings %s back, %s deletes permanently"):format(n, n == 1 and "" or "s",
    hint.command(args.db, "restore", "RUN"), n == 1 and "it" or "them", hint.command(args.db, "gc")))
end

return rm
