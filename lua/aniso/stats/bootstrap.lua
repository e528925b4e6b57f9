-- bootstrap: percentile intervals from resampled images. An image is drawn with everything
-- that was predicted for it, so that two configurations see the same resample (paired). Images that
-- belong together (of one lesion or patient) are drawn together: with clusters, as many clusters as
-- there are. Draw i of resample r is the random number at (seed, stream "bootstrap" r, index i),
-- whatever else was drawn. How often a resample calls class i class j is a matrix product: the
-- resamples' counts of each image or cluster times what it adds; whole numbers, exact in float32 up
-- to 2^24.
local core = require "aniso.core"
local quantile = require "aniso.stats.quantile"
local resampler = require "aniso.stats.resampler"

local bootstrap = {}

local BLOCK = 4e6 -- numbers of one block of resamples

-- What is measured on a resample. Groups are the mean recalls of shot[j].
bootstrap.metrics = { "acc", "bacc", "macro_f1", "many", "medium", "few" }

-- The unit that each image is drawn with, 1 …, and their number.
local function units_of(n, clusters)
  local unit, known, count = {}, {}, 0
  for i = 1, n do
    local key = clusters and clusters[i] or i
    if not known[key] then known[key], count = count + 1, count + 1 end
    unit[i] = known[key]
  end
  return unit, count
end

-- Appends `metrics`, all for nil, of each prediction to out[p][metric], one entry per row of the tensor
-- `sums`; false where undefined. groups: list of K, "many", "medium", "few" or false.
local function append(out, sums, K, groups, metrics)
  for p, of in ipairs(out) do
    for name, values in pairs(core.bootstrap.rates(sums, K, K * (2 * p - 1), groups, metrics)) do
      of[name] = of[name] and table.move(values, 1, #values, #of[name] + 1, of[name]) or values
    end
  end
end

local function empty(count)
  local out = {}
  for p = 1, count do out[p] = {} end
  return out
end

local GROUPS = { many = true, medium = true, few = true }

-- The groups, as a set, if all `metrics` are recalls of groups; nil if one is not.
local function only_groups(metrics)
  local out = metrics and {}
  for _, name in ipairs(metrics or {}) do
    if not GROUPS[name] then return nil end
    out[name] = true
  end
  return out
end

-- The images, predictions and groups of the classes in `groups` alone, which become 0, 1, …: no other counts
-- in their recalls. A call of another class becomes one class more, which has no images.
local function restricted(true_, predictions, unit, shot, groups)
  local number, own_shot, k = {}, {}, 0
  for j, group in ipairs(shot) do
    if groups[group] then number[j - 1], own_shot[k + 1], k = k, group, k + 1 end
  end
  local out, own_unit, n = { {} }, {}, 0
  for p in ipairs(predictions) do out[1 + p] = {} end
  for i, class in ipairs(true_) do
    if number[class] then
      n = n + 1
      out[1][n], own_unit[n] = number[class], unit[i]
      for p, pred in ipairs(predictions) do out[1 + p][n] = number[pred[i]] or k end
    end
  end
  own_shot[k + 1] = false
  return out[1], table.move(out, 2, #out, 1, {}), own_unit, own_shot
end

-- samples(true_, {pred, …}, K [, options]) → per prediction {whole = {[metric] = {value}}, drawn =
-- {[metric] = {value per resample}}}; false where undefined. options: {draws = 1000, seed = 0, shot = list,
-- clusters = list, metrics = those of bootstrap.metrics, all if left out, resampler = one that several calls
-- share}.
-- Resample r has the same images for all predictions, and in every call with as many images or equal
-- clusters.
function bootstrap.samples(true_, predictions, K, options)
  options = options or {}
  local draws, seed, shot, groups = options.draws or 1000, options.seed or 0, options.shot, {}
  local unit, units = units_of(#true_, options.clusters)
  for j = 1, K do groups[j] = shot and shot[j] or false end
  local only = only_groups(options.metrics)
  if only then
    true_, predictions, unit, groups = restricted(true_, predictions, unit, groups, only)
    K = #groups
  end
  local of = core.bootstrap.additions(true_, predictions, K, unit, units)
  local whole, drawn = empty(#predictions), empty(#predictions)
  append(whole, of:sum(1):reshape(1, K * (1 + 2 * #predictions)), K, groups, options.metrics)
  local draw = options.resampler or resampler.latest
  local block = math.max(1, math.min(draws, math.floor(BLOCK / units)))
  for first = 1, draws, block do
    local count = math.min(block, draws - first + 1)
    append(drawn, draw(seed, first, count, units):matmul(of), K, groups, options.metrics)
  end
  local out = {}
  for p in ipairs(predictions) do out[p] = { whole = whole[p], drawn = drawn[p] } end
  return out
end

-- Σ_p factor · values[p][r] for each r; false where one with a factor is undefined. The factor is weights[p],
-- or factors[p][r] where these are given.
local function combine(samples, which, name, weights, factors)
  local out = {}
  for r = 1, #samples[1][which][name] do out[r] = 0 end
  for p, weight in ipairs(weights) do
    local own = factors and factors[p]
    for r, value in ipairs(samples[p][which][name]) do
      local sum, factor = out[r], own and own[r] or weight
      out[r] = factor == 0 and sum or sum and value and sum + factor * value
    end
  end
  return out
end

-- The factors of predictions of several seeds, `seed_of[p]` = 1 … S: a resample draws S seeds with
-- replacement too, at (seed, stream "bootstrap seeds" r), and a prediction counts as often as its seed. nil
-- for one seed.
local function seed_factors(weights, seed_of, draws, seed)
  local S, out = 0, {}
  for _, s in ipairs(seed_of or {}) do S = math.max(S, s) end
  if S < 2 then return nil end
  local counts = core.rng.resamples(seed, "bootstrap seeds", 1, draws, S):list()
  for p, s in ipairs(seed_of) do
    local own = {}
    for r = 1, draws do own[r] = counts[(r - 1) * S + s] * weights[p] end
    out[p] = own
  end
  return out
end

-- Intervals of Σ_p weights[p] · metric of prediction p, from samples(). → {[metric] = {value, lo, hi}}; a
-- metric that is undefined on the whole set is left out, a resample in which it is undefined does
-- not count for it. seeds [opt]: {of = number of each prediction's seed, draws, seed}: seeds are
-- resampled with the images. metrics [opt]: their names, else all.
function bootstrap.combined(samples, weights, level, seeds, metrics)
  local out, factors = {}, seeds and seed_factors(weights, seeds.of, seeds.draws, seeds.seed)
  for _, name in ipairs(metrics or bootstrap.metrics) do
    local value, sorted = combine(samples, "whole", name, weights)[1], {}
    for _, sum in ipairs(value and combine(samples, "drawn", name, weights, factors) or {}) do
      if sum then sorted[#sorted + 1] = sum end
    end
    table.sort(sorted)
    out[name] = #sorted > 0 and { value = value, lo = quantile(sorted, (1 - level) / 2),
      hi = quantile(sorted, (1 + level) / 2) } or nil
  end
  return out
end

-- The same in one call. true_, predictions[p]: lists of 0-based classes of the same images. options
-- {draws = 1000, level = 0.95, seed = 0, shot = list} → {[metric] = {value, lo, hi}, draws, level, seed}
function bootstrap.weighted(true_, predictions, weights, K, options)
  options = options or {}
  local level = options.level or 0.95
  local out = bootstrap.combined(bootstrap.samples(true_, predictions, K, options), weights, level)
  out.draws, out.level, out.seed = options.draws or 1000, level, options.seed or 0
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
