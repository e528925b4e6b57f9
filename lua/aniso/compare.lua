-- compare: what changed between runs, and whether it is more than luck. The first run is the
-- baseline. Δ of every metric from stored predictions, or from a stored confusion matrix
-- where predictions were not kept; on the same images also McNemar's test and paired
-- bootstrap intervals; over seeds a paired t test. Plain tables in, plain tables out.

local metric = require "aniso.metric"

local compare = {}

-- A run here is {label, K, and either
--   true = classes, pred = classes [, probs = N rows of K] [, sample = image numbers]
--   or confusion = K rows (true) of K counts
--   [, shot = "many" | "medium" | "few" per class] [, seed]}; classes are 0-based.
function compare.measure(run)
  if run["true"] and run.pred then
    return metric.evaluate { ["true"] = run["true"], pred = run.pred, probs = run.probs,
      K = run.K, shot = run.shot }
  end
  if run.confusion then return metric.from_confusion(run.confusion, run.shot) end
  error(("run %s has neither predictions nor a confusion matrix"):format(tostring(run.label)), 0)
end

local function same_list(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

-- nil if the two runs predicted the same images in the same order, else the reason.
local function why_unpaired(first, second)
  if not (first.pred and second.pred) then return "predictions were not stored" end
  if first.sample and second.sample and not same_list(first.sample, second.sample) then
    return "the runs evaluated different images"
  end
  if not same_list(first["true"], second["true"]) then
    return "the runs evaluated different images or classes"
  end
  return nil
end

-- second against first: {label, baseline, unpaired = reason} or {label, baseline, n,
-- mcnemar = {b, c, p, test}, acc = {value, lo, hi}, macro_f1 = {value, lo, hi}}.
local function pair(first, second, K, options)
  local result = { label = second.label, baseline = first.label,
    unpaired = why_unpaired(first, second) }
  if result.unpaired then return result end
  local interval = metric.difference(first["true"], first.pred, second.pred, K, options)
  result.n = #first["true"]
  result.mcnemar = metric.mcnemar(first["true"], first.pred, second.pred, K)
  result.acc, result.macro_f1 = interval.acc, interval.macro_f1
  result.level, result.draws = interval.level, interval.draws
  return result
end

-- options of the bootstrap: {draws = 1000, level = 0.95, seed = 0}.
-- → {metrics = {{name, label, higher, value = {one per run}, delta = {nil, one per run}}, …},
--    pairs = {[2 … n] = see pair()}, labels = {…}}. A metric that no run has is left out; n/a
--    of one run is `false` in value and delta.
function compare.runs(runs, options)
  if #runs < 2 then error("compare: give two runs or more", 2) end
  local measured, result = {}, { metrics = {}, pairs = {}, labels = {} }
  for k, run in ipairs(runs) do
    measured[k], result.labels[k] = compare.measure(run), run.label or ("run " .. k)
    if measured[k].K ~= measured[1].K then
      error(("%s has %d classes, %s has %d: they cannot be compared"):format(
        result.labels[k], measured[k].K, result.labels[1], measured[1].K), 0)
    end
  end
  for _, entry in ipairs(metric.catalog) do
    local value, delta, present = {}, {}, false
    for k, m in ipairs(measured) do
      value[k] = m[entry.name] or false
      delta[k] = value[k] and value[1] and value[k] - value[1]
      present = present or value[k] ~= false
    end
    if present then
      result.metrics[#result.metrics + 1] = { name = entry.name, label = entry.label,
        higher = entry.higher, value = value, delta = delta }
    end
  end
  for k = 2, #runs do
    result.pairs[k] = pair(runs[1], runs[k], measured[1].K, options)
  end
  return result
end

local function by_seed(runs, side)
  local index = {}
  for _, run in ipairs(runs) do
    if run.seed == nil then error(("compare: a run of the %s has no seed"):format(side), 0) end
    if index[run.seed] then
      error(("compare: the %s has two runs of seed %s"):format(side, run.seed), 0)
    end
    index[run.seed] = compare.measure(run)
  end
  return index
end

-- Two configurations, lists of runs over seeds: the runs are paired by seed, the others left
-- out. → {seeds = {…}, [metric name] = {first = {n, mean, sd}, second = {n, mean, sd},
-- mean (of the differences second − first), sd, n, t, df, p}}.
function compare.seeds(first, second)
  local left, right = by_seed(first, "first configuration"), by_seed(second, "second configuration")
  local result = { seeds = {} }
  for seed in pairs(left) do
    if right[seed] then table.insert(result.seeds, seed) end
  end
  table.sort(result.seeds)
  for _, entry in ipairs(metric.catalog) do
    local a, b = {}, {}
    for _, seed in ipairs(result.seeds) do
      local x, y = left[seed][entry.name], right[seed][entry.name]
      if x and y then a[#a + 1], b[#b + 1] = x, y end
    end
    if #a > 0 then
      local test = metric.paired_t(a, b)
      test.first, test.second = metric.mean_sd(a), metric.mean_sd(b)
      result[entry.name] = test
    end
  end
  return result
end

return compare
