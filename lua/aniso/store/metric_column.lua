-- One metric of the primary test evaluation of every run, for filters, orders and @best. The rates follow
-- from class_count by the expressions of the view v_eval, but without its three joins per class, which take
-- most of its time; tests/lua/test_metric_column.lua compares the two.
--   sql(name) → SQL that gives run_id, eval_id and value, in no order; ?1 is the name
--   read(db, name) → function(run_id) → the metric or nil
local derived = require "aniso.stats.derived"
local complete = require "aniso.store.member_metrics"
local must = require("aniso.store.db_error").must

local metric_column = {}

local ACC = "1.0 * sum(c.tp) / sum(c.support)"
local CHANCE = "sum(1.0 * c.support * c.predicted) / (1.0 * sum(c.support) * sum(c.support))"
local RECALL = "CASE WHEN c.support > 0 THEN 1.0 * c.tp / c.support END"
local F1 = "CASE WHEN c.support + c.predicted > 0 THEN 2.0 * c.tp / (c.support + c.predicted) END"

-- Over the rows of class_count of an evaluation.
local RATES = {
  acc = ACC, bacc = ("avg(%s)"):format(RECALL), macro_f1 = ("avg(%s)"):format(F1),
  worst_class = ("min(%s)"):format(RECALL),
  kappa = ("CASE WHEN %s < 1 THEN (%s - %s) / (1 - %s) END"):format(CHANCE, ACC, CHANCE, CHANCE),
}

local SHOT = { many = true, medium = true, few = true }

local OF_RATE = "SELECT %s FROM class_count c WHERE c.eval_id = e.eval_id"
local OF_GROUP = [[
  SELECT avg(%s) FROM split_class s JOIN class_count c ON c.eval_id = e.eval_id AND c.class_idx = s.class_idx
   WHERE s.split_id = (SELECT split_id FROM run r WHERE r.run_id = e.run_id) AND s.shot = ?1]]
local OF_RESULT = [[
  SELECT x.value FROM result x
   WHERE x.eval_id = e.eval_id AND x.metric_id = (SELECT metric_id FROM metric WHERE name = ?1)]]

-- Whether a metric is a rate, which follows from the counts.
function metric_column.is_rate(name)
  return RATES[name] ~= nil or SHOT[name] ~= nil
end

function metric_column.sql(name)
  local value = SHOT[name] and OF_GROUP:format(RECALL) or OF_RESULT
  if RATES[name] then value = OF_RATE:format(RATES[name]) end
  return ([[SELECT e.run_id, e.eval_id, (%s) AS value FROM evaluation e
     WHERE e.is_primary = 1 AND e.part = 'test' AND ?1 IS NOT NULL]]):format(value)
end

-- A metric of stored predictions (stats/derived.lua) is computed when the function is called, unless it is
-- stored.
function metric_column.read(db, name)
  local out, computed = {}, derived.parse(name)
  for _, row in ipairs(must(db:query(metric_column.sql(name), name))) do
    out[row.run_id] = computed and complete(db, { run_id = row.run_id, eval_id = row.eval_id,
      metrics = { [name] = row.value } }) or row.value
  end
  if not computed then return function(run_id) return out[run_id] end end
  return function(run_id) return out[run_id] and out[run_id].metrics[name] end
end

return metric_column
