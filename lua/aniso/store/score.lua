-- The numbers of evaluations, for lists, tables, curves and exports alike: what the view
-- v_eval derives from counts, beside what is stored in `result`. An evaluation counts if it is
-- the primary one of its part, or the prior's own predictions beside it.
local metric = require "aniso.metric"

local score = {}

local DERIVED = { "acc", "bacc", "macro_f1", "worst_class", "many", "medium", "few", "kappa" }

-- What papers call them.
score.aliases = { all = "acc", head = "many", tail = "few" }

-- metrics() → name → {name =, higher =} of all that a database can hold as one number.
function score.metrics(db)
  local rows, message, code = db.core:query "SELECT name, higher_is_better AS higher FROM metric"
  if not rows then return nil, message, code end
  local known = {}
  for _, row in ipairs(rows) do known[row.name] = { name = row.name, higher = row.higher == 1 } end
  for _, entry in ipairs(metric.catalog) do
    known[entry.name] = { name = entry.name, higher = entry.higher }
  end
  for _, name in ipairs(DERIVED) do known[name] = known[name] or { name = name, higher = true } end
  return known
end

local COUNTED = "e.part = ?1 AND (?2 IS NULL OR r.study_id = ?2) AND (e.is_primary = 1 OR e.sampler = 'prior')"

local function with_metrics(row)
  local metrics = {}
  for _, name in ipairs(DERIVED) do metrics[name] = row[name] end
  return { run_id = row.run_id, eval_id = row.eval_id, prior = row.is_primary ~= 1, n = row.n,
    metrics = metrics }
end

-- scores{part = "test", study_id = any} → list of {run_id, eval_id, prior, n, metrics = {name = value}}
function score.scores(db, options)
  options = options or {}
  local part = options.part or "test"
  local rows, message, code = db.core:query("SELECT e.* FROM v_eval e JOIN run r USING(run_id) WHERE "
    .. COUNTED .. " ORDER BY e.run_id, e.is_primary DESC, e.eval_id", part, options.study_id)
  if not rows then return nil, message, code end
  local list, by_eval = {}, {}
  for i, row in ipairs(rows) do
    list[i] = with_metrics(row)
    by_eval[row.eval_id] = list[i].metrics
  end
  rows, message, code = db.core:query([[
    SELECT x.eval_id, m.name, x.value FROM evaluation e JOIN run r USING(run_id)
      JOIN result x USING(eval_id) JOIN metric m USING(metric_id)
     WHERE x.value IS NOT NULL AND ]] .. COUNTED, part, options.study_id)
  if not rows then return nil, message, code end
  for _, row in ipairs(rows) do
    local metrics = by_eval[row.eval_id]
    if metrics and metrics[row.name] == nil then metrics[row.name] = row.value end
  end
  return list
end

return score
