-- The metrics of evaluations, for lists, tables, curves and exports: those that the view v_eval derives
-- from counts, and those that are stored in `result`. An evaluation counts if it is the primary one of
-- its part, or the prior's own predictions of the same run.
local catalog = require "aniso.stats.metric.catalog"
local in_list = require "aniso.store.in_list"
local complete = require "aniso.store.member_metrics"

local score = {}

local DERIVED = { "acc", "bacc", "macro_f1", "worst_class", "many", "medium", "few", "kappa" }

score.aliases = catalog.aliases

-- metrics() → name → {name =, higher =} of all that a database can hold as one number.
function score.metrics(db)
  local rows, message, code = db.core:query "SELECT name, higher_is_better AS higher FROM metric"
  if not rows then return nil, message, code end
  local known = {}
  for _, row in ipairs(rows) do known[row.name] = { name = row.name, higher = row.higher == 1 } end
  for _, entry in ipairs(catalog.metrics) do
    known[entry.name] = { name = entry.name, higher = entry.higher }
  end
  for _, name in ipairs(DERIVED) do known[name] = known[name] or { name = name, higher = true } end
  return known
end

-- The evaluations that count, as SQL on v_eval and evaluation alike; ?1 is the part.
local PRIMARY = "e.part = ?1 AND e.is_primary = 1"
local PRIOR = "e.part = ?1 AND e.is_primary = 0 AND e.sampler = 'prior'"
local OF_BEST = "e.part = ?1 AND e.weights = 'best'"

-- The values of `sampler` if no chain was sampled: the prior, and the kinds of post_hoc.
local WITHOUT_CHAIN = { prior = true, logit_adjustment = true, tau_norm = true, crt = true, lws = true }

local function with_metrics(db, row)
  local metrics = {}
  for _, name in ipairs(DERIVED) do metrics[name] = row[name] end
  local kind = row.sampler:match "^%S+" -- without " + calibrated"
  local by = WITHOUT_CHAIN[kind] and kind or "chain"
  return complete(db, { run_id = row.run_id, eval_id = row.eval_id, by = by,
    prior = row.is_primary ~= 1 and kind == "prior", n = row.n, metrics = metrics, sampler = row.sampler,
    steps = row.sample_steps, draws = row.draws })
end

-- ids: from ids_of()
local function among(kind, ids)
  return ids and ("%s AND e.run_id IN (%s)"):format(kind, ids) or kind
end

local function of_kind(db, kind, part, ids, list, by_eval)
  kind = among(kind, ids)
  local rows, message, code = db.core:query("SELECT * FROM v_eval e WHERE " .. kind
    .. " ORDER BY e.run_id, e.eval_id", part)
  if not rows then return nil, message, code end
  for _, row in ipairs(rows) do
    local one = with_metrics(db, row)
    list[#list + 1], by_eval[row.eval_id] = one, one.metrics
  end
  rows, message, code = db.core:query([[
    SELECT x.eval_id, m.name, x.value FROM evaluation e JOIN result x USING(eval_id)
      JOIN metric m USING(metric_id) WHERE x.value IS NOT NULL AND ]] .. kind, part)
  if not rows then return nil, message, code end
  for _, row in ipairs(rows) do
    local metrics = by_eval[row.eval_id]
    if metrics and rawget(metrics, row.name) == nil then metrics[row.name] = row.value end
  end
  return true
end

-- Up to this many runs are listed in the SQL, so that SQLite counts only these instead of every evaluation.
local LISTED = 10000

-- The run_ids of a list of rows, as SQL; nil for all runs.
local function ids_of(runs)
  if not runs or #runs > LISTED then return nil end
  return in_list.numbers(runs, "run_id")
end

-- scores{part = "test", prior = false, runs = rows of runs()} → list of {run_id, eval_id, prior, by, n,
-- sampler, steps, draws, metrics = {name = value}}, whose metrics include those of stats/derived.lua; primary
-- evaluations come first, then the prior's if requested. `runs` only speeds up the query: the result may
-- contain other runs.
function score.scores(db, options)
  options = options or {}
  local part, list, by_eval, runs = options.part or "test", {}, {}, ids_of(options.runs)
  local done, message, code = of_kind(db, PRIMARY, part, runs, list, by_eval)
  if done and options.prior then done, message, code = of_kind(db, PRIOR, part, runs, list, by_eval) end
  if not done then return nil, message, code end
  return list
end

-- Whether any of these runs (rows of runs()) has several test evaluations of its best weights by chains. This
-- is fast, whereas evaluations_of_best() counts every one.
function score.has_several_chains(db, runs)
  local passes = db.core:version() >= 7 and "coalesce(e.passes, e.sample_steps * e.draws)"
    or "e.sample_steps * e.draws"
  local rows, message, code = db.core:query(([[
    SELECT 1 FROM evaluation e WHERE %s AND %s > 0 GROUP BY e.run_id HAVING count(*) > 1 LIMIT 1]]):format(
    among(OF_BEST, ids_of(runs)), passes), "test")
  if not rows then return nil, message, code end
  return rows[1] ~= nil
end

-- All test evaluations of the best weights, primary and further ones, in the form of scores(), each with
-- noise = the seed of its chains, passes, image_s or nil, and primary = whether tables count it. `runs`: as
-- for scores().
function score.evaluations_of_best(db, runs)
  local list, by_eval, ids, new = {}, {}, ids_of(runs), db.core:version() >= 7
  local done, message, code = of_kind(db, OF_BEST, "test", ids, list, by_eval)
  if not done then return nil, message, code end
  local rows
  rows, message, code = db.core:query(([[
    SELECT e.eval_id, e.seed AS noise, e.is_primary, %s AS passes, %s AS image_s
      FROM evaluation e WHERE %s]]):format(
    new and "coalesce(e.passes, e.sample_steps * e.draws)" or "e.sample_steps * e.draws",
    new and "e.image_s" or "NULL", among(OF_BEST, ids)), "test")
  if not rows then return nil, message, code end
  local cost = {}
  for _, row in ipairs(rows) do cost[row.eval_id] = row end
  for _, one in ipairs(list) do
    local of = cost[one.eval_id]
    one.noise, one.passes, one.image_s, one.primary = of.noise, of.passes, of.image_s, of.is_primary == 1
  end
  return list
end

return score
