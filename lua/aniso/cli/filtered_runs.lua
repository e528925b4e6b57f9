-- The runs that a command works on, by name or by the filters of aniso ls.
--   filtered_runs.where(parser)                       adds --where FILTER
--   filtered_runs.of(db, args, names [, removed])     → rows, each once; those that match, oldest first
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local hint = require "aniso.store.hint"

local filtered_runs = {}

function filtered_runs.where(parser)
  parser:option("--where", "runs that match a filter of aniso ls (repeatable: all filters must match)")
    :argname "FILTER":count "*"
end

-- names: of single runs; args.where: the filters. removed [opt]: among the removed runs.
function filtered_runs.of(db, args, names, removed)
  if #names == 0 and #args.where == 0 then
    cli.fail(cli.USAGE, ("name a run, or give --where FILTER (%s lists runs and takes the same filters)")
      :format(hint.command(args.db, "ls", removed and "--removed" or nil)))
  end
  local runs, seen = {}, {}
  local function add(run)
    if not seen[run.uid] then seen[run.uid], runs[#runs + 1] = true, run end
  end
  for _, reference in ipairs(names) do add(cli.need(db:find(reference, { removed = removed }))) end
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

-- The runs of a command whose first word is a run unless --where is given → rows, the other words, at least
-- one of which is needed; `what` names them.
function filtered_runs.first_word(db, args, words, what)
  local rest = table.move(words, 1, #words, 1, {})
  local names = #args.where == 0 and { table.remove(rest, 1) } or {}
  if #rest == 0 then
    cli.fail(cli.USAGE, ("give a run and %s, or --where FILTER and %s"):format(what, what))
  end
  return filtered_runs.of(db, args, names), rest
end

return filtered_runs
