-- aniso rm RUN… and aniso rm --where FILTER: hides runs from everything that lists and counts. They
-- stay in the file until aniso gc; aniso restore brings them back.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"

local rm = { summary = "remove runs: hidden, restorable until gc" }

function rm.arguments(parser)
  parser:argument("runs", "the runs"):args "*"
  parser:option("--where", "all runs that match a filter of aniso ls; repeated: all filters must match")
    :argname "FILTER":count "*"
  common.db(parser)
end

-- The runs that the command line names, each once, by name or by filter.
local function chosen(db, args, removed)
  if #args.runs == 0 and #args.where == 0 then
    cli.fail(cli.USAGE, ("name a run, or give --where FILTER (aniso ls%s lists runs and takes the same "
      .. "filters)"):format(removed and " --removed" or ""))
  end
  local runs, seen = {}, {}
  local function add(run)
    if not seen[run.uid] then seen[run.uid], runs[#runs + 1] = true, run end
  end
  for _, reference in ipairs(args.runs) do add(cli.need(db:find(reference, { removed = removed }))) end
  if #args.where > 0 then
    local found = common.call(db, "select", args.where, { removed = removed })
    for i = #found, 1, -1 do add(found[i]) end
  end
  if #runs == 0 then
    cli.fail(cli.NO_MATCH, ("no %srun matches %s"):format(removed and "removed " or "",
      table.concat(args.where, " ")))
  end
  return runs
end

-- Removes or restores, and prints one line per run.
function rm.change(args, method, removed)
  local db <close> = common.open_to_annotate(args)
  local runs = chosen(db, args, removed)
  common.call(db, method, runs)
  for _, run in ipairs(runs) do
    console.print(("%s  %s, %s, seed %d%s"):format(run.uid, run.study, run.label or run.name, run.seed,
      run.fold and (", fold %d"):format(run.fold) or ""))
  end
  return #runs
end

function rm.run(args)
  local n = rm.change(args, "remove", false)
  console.note(("%d run%s removed; aniso restore brings %s back, aniso gc deletes permanently"):format(n,
    n == 1 and "" or "s", n == 1 and "it" or "them"))
end

return rm
