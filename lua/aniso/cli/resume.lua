-- aniso resume [RUN|--all]: goes on with runs that were killed, interrupted or failed, to
-- the same bits as if they had not been. Without a name: the latest of them.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local core = require "aniso.core"
local tables = require "aniso.table"

local resume = { summary = "go on with a run that was killed or interrupted" }

function resume.arguments(parser)
  parser:argument("run", "the run; the latest resumable one if left out"):args "?"
  parser:flag("--all", "every run that can be resumed")
  common.db(parser)
  common.threads(parser)
end

local open_ended = [[
  SELECT uid FROM v_run WHERE status IN ('crashed', 'interrupted', 'failed') ORDER BY run_id]]

local function chosen(db, args)
  if args.run then
    local row = common.find(db, args.run)
    if row.status == "finished" then
      cli.fail(cli.NO_MATCH, ("run %s is finished: there is nothing to resume"):format(row.uid))
    end
    return { row }
  end
  local rows = {}
  for i, row in ipairs(cli.need(db:query(open_ended))) do rows[i] = common.find(db, row.uid) end
  if #rows == 0 then cli.fail(cli.NO_MATCH, "no run is waiting to be resumed") end
  return args.all and rows or { rows[#rows] }
end

function resume.run(args)
  common.use_threads(args)
  local db = common.open_to_write(args)
  core.sys.interrupt_mode "poll"
  local done, failed = {}, 0
  for _, row in ipairs(chosen(db, args)) do
    io.stderr:write(("resuming %s: %s, seed %d\n"):format(row.uid, row.name, row.seed))
    local ok, result = pcall(require("aniso.trainer").resume, db, row)
    if ok then
      done[#done + 1] = { label = row.label or row.name, uid = row.uid }
    elseif type(result) == "table" and result.interrupted then
      cli.fail(result.interrupted == "SIGTERM" and 143 or 130, tostring(result))
    else
      failed = failed + 1
      io.stderr:write(("aniso: %s failed: %s\n"):format(row.uid, cli.sentence(result)))
    end
  end
  if #done > 0 then tables.print(require("aniso.summary").table(db, done)) end
  if failed > 0 then cli.fail(cli.FAILED, ("%d runs failed"):format(failed)) end
end

return resume
