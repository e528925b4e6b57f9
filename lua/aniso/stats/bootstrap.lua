-- bootstrap: percentile intervals from resampled images. An image is drawn with everything
-- that was predicted for it, so that two configurations share the same resample (paired). Images that
-- belong together (of one lesion or patient) are drawn together: a resample then draws as many clusters
-- as there are. Draw i of resample r is the random number at (seed, stream "bootstrap" r, index i),
-- whatever else was drawn. The engine counts how often a resample calls class i class j: integers, exact
-- in float32 up to 2^24.
local core = require "aniso.core"
local quantile = require "aniso.stats.quantile"
local resampler = require "aniso.stats.resampler"

local bootstrap = {}

local BLOCK = 4e6 -- numbers of one block of resamples

-- The metrics of a resample. `many`, `medium` and `few` are the mean recalls of the classes of shot[j].
bootstrap.metrics = { "acc", "bacc", "macro_f1", "many", "medium", "few" }

-- The number, 1 …, of the unit that contains each image, and how many units there are.
local function units_of(n, clusters)
  local unit, known, count = {}, {}, 0
  for i = 1, n do
    local key = clusters and clusters[i] or i
    if not known[key] then known[key], count = count + 1, count + 1 end
    unit[i] = known[key]
  end
  return unit, count
end

-- Appends `metrics` (nil: all) of each prediction to out[p][metric], one entry per row of the tensor `sums`;
-- false if undefined. groups: list of K, "many", "medium", "few" or false.
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

-- The set of `metrics` if all of them are recalls of groups, else nil.
local function only_groups(metrics)
  local out = metrics and {}
  for _, name in ipairs(metrics or {}) do
    if not GROUPS[name] then return nil end
    out[name] = true
  end
  return out
end

-- Keeps only the images, predictions and groups of the classes in `groups`, which become 0, 1, …: the recalls
-- of these groups depend on nothing else. Calls of other classes become one further class without images.
local function restricted(true_, predictions, unit, shot, groups)
  local number, own_shot, k = {}, {}, 0
  for j, group in ipairs(shot) do
    if groups[group] then number[j - 1], own_shot[k + 1], k = k, group, k + 1 end
  end
  local kept, own_true, own_unit, out = {}, {}, {}, {}
  for i, class in ipairs(true_) do
    if number[class] then kept[#kept + 1] = i end
  end
  for n, i in ipairs(kept) do own_true[n], own_unit[n] = number[true_[i]], unit[i] end
  for p, pred in ipairs(predictions) do
    local own = {}
    for n, i in ipairs(kept) do own[n] = number[pred[i]] or k end
    out[p] = own
  end
  own_shot[k + 1] = false
  return own_true, out, own_unit, own_shot
end

-- samples(true_, {pred, …}, K [, options]) → per prediction {whole = {[metric] = {value}}, drawn =
-- {[metric] = {value per resample}}}; false where undefined. options: {draws = 1000, seed = 0, shot = list,
-- clusters = list, metrics = those of bootstrap.metrics, all if left out, resampler = one that several calls
-- share}.
-- Resample r has the same images for all predictions, and in every call with the same number of images or
-- equal clusters.
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
  local function add_to(out, occurrences)
    local sums <close> = core.bootstrap.counted(occurrences, true_, predictions, K, unit)
    append(out, sums, K, groups, options.metrics)
  end
  local whole, drawn = empty(#predictions), empty(#predictions)
  add_to(whole, core.tensor.full({ 1, units }, 1))
  local draw = options.resampler or resampler.latest
  local block = math.max(1, math.min(draws, math.floor(BLOCK / units)))
  for first = 1, draws, block do
    local count = math.min(block, draws - first + 1)
    add_to(drawn, draw(seed, first, count, units))
  end
  local out = {}
  for p in ipairs(predictions) do out[p] = { whole = whole[p], drawn = drawn[p] } end
  return out
end

-- How often each seed, 1 … S of `seeds.of`, is in each resample, which draws S seeds with replacement at
-- (seed, stream "bootstrap seeds" r): a tensor; nil for one seed.
local function seed_counts(seeds)
  local S = 0
  for _, s in ipairs(seeds and seeds.of or {}) do S = math.max(S, s) end
  return S > 1 and core.rng.resamples(seeds.seed, "bootstrap seeds", 1, seeds.draws, S) or nil
end

-- Intervals of Σ_p weights[p] · metric of prediction p, from samples(). → {[metric] = {value, lo, hi}}; a
-- metric that is undefined on the whole set is left out, a resample in which it is undefined does
-- not count for it. seeds [opt]: {of = number of each prediction's seed, draws, seed}: seeds are
-- resampled with the images, and a prediction counts as often as its seed. metrics [opt]: names, all if
-- left out.
function bootstrap.combined(samples, weights, level, seeds, metrics)
  local out, counts = {}, seed_counts(seeds)
  for _, name in ipairs(metrics or bootstrap.metrics) do
    local whole, drawn = {}, {}
    for p, one in ipairs(samples) do whole[p], drawn[p] = one.whole[name], one.drawn[name] end
    local value = core.bootstrap.combined(whole, weights)[1]
    local sorted = value and core.bootstrap.combined(drawn, weights, counts, counts and seeds.of) or {}
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
