-- aniso ls [FILTER…]: the runs, newest first. A filter is a text that the run's id, study,
-- label, status or data set contains; all filters must fit.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local duration = require("aniso.progress").duration
local tables = require "aniso.table"

local ls = { summary = "list the runs" }

function ls.arguments(parser)
  parser:argument("filter", "text in the id, study, label, status or data set"):args "*"
  parser:option("-n --number", "at most so many runs"):convert(tonumber):default "50"
  common.db(parser)
  common.format(parser)
end

local columns = { "run", "study", "label", "data", "seed", "status",
  { name = "acc", digits = 3 }, { name = "bacc", digits = 3 }, { name = "macro_f1", digits = 3 },
  "started", "wall" }

local query = [[
  SELECT v.uid, v.study, v.label, v.dataset, v.seed, v.status, e.acc, e.bacc, e.macro_f1,
         substr(v.started_at, 1, 16) AS started, v.wall_s
    FROM v_run v LEFT JOIN v_eval e
      ON e.run_id = v.run_id AND e.is_primary = 1 AND e.part = 'test'
   ORDER BY v.run_id DESC]]

local function fits(row, filters)
  local text = table.concat({ row.uid, row.study, row.label or "", row.dataset, row.status }, "\n"):lower()
  for _, filter in ipairs(filters) do
    if not text:find(filter:lower(), 1, true) then return false end
  end
  return true
end

-- The shortest beginnings, of at least eight letters, that name each run alone.
local function short_ids(found)
  local out, sorted = {}, {}
  for i, row in ipairs(found) do sorted[i] = row.uid end
  table.sort(sorted)
  for i, uid in ipairs(sorted) do
    local length = 8
    for _, other in ipairs { sorted[i - 1] or "", sorted[i + 1] or "" } do
      while other ~= uid and other:sub(1, length) == uid:sub(1, length) do length = length + 1 end
    end
    out[uid] = uid:sub(1, length)
  end
  return out
end

function ls.run(args)
  local db = common.open(args)
  local found = cli.need(db:query(query))
  local short, rows = short_ids(found), {}
  for _, row in ipairs(found) do
    if #rows < args.number and fits(row, args.filter) then
      rows[#rows + 1] = { { text = short[row.uid], value = row.uid }, row.study, row.label, row.dataset,
        row.seed, row.status, row.acc, row.bacc, row.macro_f1, row.started,
        { text = duration(row.wall_s), value = row.wall_s } }
    end
  end
  if #rows == 0 and #args.filter > 0 then
    cli.fail(cli.NO_MATCH, ("no run fits %s"):format(table.concat(args.filter, " ")))
  end
  tables.print(columns, rows, args.format)
end

return ls
