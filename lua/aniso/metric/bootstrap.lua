-- bootstrap: percentile intervals from resampled images. An image is drawn with everything
-- that was predicted for it, so that two configurations see the same resample (paired).
-- 1,000 resamples of 3,000 images take about a second. Draw i of resample r is the random
-- number at (seed, stream "bootstrap" r, index i), whatever else was drawn.

local rng = require "aniso.core".rng

local bootstrap = {}

-- acc and macro_f1 of the predictions `pred` over the images `index` (1-based), by the
-- conventions of metric/confusion; spelt out because it runs thousands of times.
local function scores(true_, pred, K, index)
  local support, predicted, tp = {}, {}, {}
  for j = 1, K do support[j], predicted[j], tp[j] = 0, 0, 0 end
  for k = 1, #index do
    local i = index[k]
    local t, p = true_[i] + 1, pred[i] + 1
    support[t] = support[t] + 1
    predicted[p] = predicted[p] + 1
    if t == p then tp[t] = tp[t] + 1 end
  end
  local correct, f1_sum, defined = 0, 0, 0
  for j = 1, K do
    local both = support[j] + predicted[j]
    correct = correct + tp[j]
    if both > 0 then f1_sum, defined = f1_sum + 2 * tp[j] / both, defined + 1 end
  end
  return correct / #index, f1_sum / defined
end

-- The value at `share` of a sorted list, linear between neighbours.
local function quantile(sorted, share)
  local position = 1 + (#sorted - 1) * share
  local below = math.floor(position)
  local above = math.min(below + 1, #sorted)
  return sorted[below] + (position - below) * (sorted[above] - sorted[below])
end

local function interval(value, samples, level)
  table.sort(samples)
  return {
    value = value,
    lo = quantile(samples, (1 - level) / 2),
    hi = quantile(samples, (1 + level) / 2),
  }
end

-- statistic(index) → acc, macro_f1. Its values on the whole set and their intervals.
local function resample(n, options, statistic)
  local draws, level, seed = options.draws or 1000, options.level or 0.95, options.seed or 0
  local whole = {}
  for i = 1, n do whole[i] = i end
  local acc, f1 = {}, {}
  for r = 1, draws do
    acc[r], f1[r] = statistic(rng.below(seed, "bootstrap", r, n, n))
  end
  local acc_value, f1_value = statistic(whole)
  return { acc = interval(acc_value, acc, level), macro_f1 = interval(f1_value, f1, level),
    draws = draws, level = level, seed = seed }
end

-- true_, pred: lists of 0-based classes; options {draws = 1000, level = 0.95, seed = 0}.
-- → {acc = {value, lo, hi}, macro_f1 = {value, lo, hi}, draws, level, seed}
function bootstrap.interval(true_, pred, K, options)
  return resample(#true_, options or {}, function(index)
    return scores(true_, pred, K, index)
  end)
end

-- The same for the difference second − first on the same images.
function bootstrap.difference(true_, first, second, K, options)
  return resample(#true_, options or {}, function(index)
    local acc_1, f1_1 = scores(true_, first, K, index)
    local acc_2, f1_2 = scores(true_, second, K, index)
    return acc_2 - acc_1, f1_2 - f1_1
  end)
end

return bootstrap
