-- bootstrap: percentile intervals from resampled images. An image is drawn with everything
-- that was predicted for it, so that two configurations see the same resample (paired). Draw i of
-- resample r is the random number at (seed, stream "bootstrap" r, index i), whatever else was
-- drawn. How often a resample calls class i class j is a matrix product: the resamples' counts of
-- each image times what each image adds; whole numbers, exact in float32 up to 2^24.
local core = require "aniso.core"

local bootstrap = {}

local BLOCK = 4e6 -- numbers of one block of resamples

-- What is measured on a resample. Groups are the mean recalls of shot[j].
bootstrap.metrics = { "acc", "bacc", "macro_f1", "many", "medium", "few" }

-- A tensor (N, K (1 + 2 P)) that says what an image adds: to the support of its class, then for
-- each of P predictions to the class it was called, and to the correct calls of that class.
local function additions(true_, predictions, K)
  local out = core.tensor.zeros { #true_, K * (1 + 2 * #predictions) }
  for i, class in ipairs(true_) do
    out:set(i, class + 1, 1)
    for p, pred in ipairs(predictions) do
      local first = K * (2 * p - 1)
      out:set(i, first + pred[i] + 1, 1)
      if pred[i] == class then out:set(i, first + K + class + 1, 1) end
    end
  end
  return out
end

-- The metrics of prediction p, by the conventions of metric/confusion, from a row of sums.
local function rates(row, p, K, shot, n)
  local first, correct = K * (2 * p - 1), 0
  local recalls, classes, f1, called = 0, 0, 0, 0
  local sum, count = { many = 0, medium = 0, few = 0 }, { many = 0, medium = 0, few = 0 }
  for j = 1, K do
    local support, predicted, tp = row[j], row[first + j], row[first + K + j]
    correct = correct + tp
    if support + predicted > 0 then f1, called = f1 + 2 * tp / (support + predicted), called + 1 end
    if support > 0 then
      local recall, group = tp / support, shot and shot[j]
      recalls, classes = recalls + recall, classes + 1
      if group then sum[group], count[group] = sum[group] + recall, count[group] + 1 end
    end
  end
  return { acc = correct / n, bacc = recalls / classes, macro_f1 = f1 / called,
    many = count.many > 0 and sum.many / count.many or nil,
    medium = count.medium > 0 and sum.medium / count.medium or nil,
    few = count.few > 0 and sum.few / count.few or nil }
end

-- Σ_p weight[p] · metric of prediction p; nil where one of them is undefined.
local function weighted(row, weights, K, shot, n)
  local out = {}
  for p, weight in ipairs(weights) do
    local of = rates(row, p, K, shot, n)
    for _, name in ipairs(bootstrap.metrics) do
      local before = p == 1 and 0 or out[name]
      out[name] = before and of[name] and before + weight * of[name] or nil
    end
  end
  return out
end

-- The value at `share` of a sorted list, linear between neighbours.
local function quantile(sorted, share)
  local position = 1 + (#sorted - 1) * share
  local below = math.floor(position)
  local above = math.min(below + 1, #sorted)
  return sorted[below] + (position - below) * (sorted[above] - sorted[below])
end

-- Calls visit(row of sums) for each resample.
local function resample(of, draws, seed, visit)
  local n = of:shape()[1]
  local block = math.max(1, math.min(draws, math.floor(BLOCK / n)))
  for first = 1, draws, block do
    local count = math.min(block, draws - first + 1)
    local sums = core.rng.resamples(seed, "bootstrap", first, count, n):matmul(of):totable()
    for _, row in ipairs(sums) do visit(row) end
  end
end

-- Intervals of Σ_p weights[p] · metric(predictions[p]). true_, predictions[p]: lists of 0-based
-- classes of the same images. options {draws = 1000, level = 0.95, seed = 0, shot = list}.
-- → {[metric] = {value, lo, hi}, draws, level, seed}; a metric that is undefined on the whole set is
-- left out, a resample in which it is undefined does not count for it.
function bootstrap.weighted(true_, predictions, weights, K, options)
  options = options or {}
  local draws, level, seed = options.draws or 1000, options.level or 0.95, options.seed or 0
  local of, n, shot = additions(true_, predictions, K), #true_, options.shot
  local whole = weighted(of:sum(1):list(), weights, K, shot, n)
  local samples, out = {}, { draws = draws, level = level, seed = seed }
  for name in pairs(whole) do samples[name] = {} end
  resample(of, draws, seed, function(row)
    for name, value in pairs(weighted(row, weights, K, shot, n)) do
      table.insert(samples[name], value)
    end
  end)
  for name, values in pairs(samples) do
    table.sort(values)
    out[name] = #values > 0 and { value = whole[name], lo = quantile(values, (1 - level) / 2),
      hi = quantile(values, (1 + level) / 2) } or nil
  end
  return out
end

-- Of one prediction.
function bootstrap.interval(true_, pred, K, options)
  return bootstrap.weighted(true_, { pred }, { 1 }, K, options)
end

-- Of the difference second − first on the same images.
function bootstrap.difference(true_, first, second, K, options)
  return bootstrap.weighted(true_, { first, second }, { -1, 1 }, K, options)
end

return bootstrap
