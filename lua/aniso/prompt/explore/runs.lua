-- A run database as the prompt shows it: a table of its studies, and calls to continue with.
local tables = require "aniso.show.table"
local visible = require("aniso.core").sys.visible

local function count(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

-- One row per study in the order of its first run.
local function studies(db)
  local out, by_name = {}, {}
  for _, run in ipairs(assert(db:runs { metrics = true })) do
    local one = by_name[run.study]
    if not one then
      one = { name = run.study, runs = 0, finished = 0, labels = {}, seeds = {} }
      by_name[run.study], out[#out + 1] = one, one
    end
    local value = run.metrics.macro_f1
    if value and (not one.best or value > one.best) then one.best = value end
    one.runs, one.started = one.runs + 1, run.started_at:sub(1, 16)
    if run.status == "finished" then one.finished = one.finished + 1 end
    one.labels[run.label or run.name], one.seeds[run.seed] = true, true
  end
  return out
end

return function(db)
  local rows, runs = {}, 0
  for i, one in ipairs(studies(db)) do
    rows[i] = { one.name, one.runs, one.finished, count(one.labels), count(one.seeds), one.best, one.started }
    runs = runs + one.runs
  end
  local head = ("%s: %d %s%s"):format(visible(db.path), runs, runs == 1 and "run" or "runs",
    db.readonly and ", opened for reading" or "")
  if runs == 0 then return head end
  local columns = { "study", "runs", "finished", "variants", "seeds",
    { name = "best macro_f1", digits = 3 }, "last started" }
  return head .. "\n" .. tables.format(columns, rows)
    .. 'runs:runs{ status = "finished" }   runs:find "@last"   runs:sql "SELECT …"   help(runs)'
end
