-- Whether two groups of runs differ by more than the choice of the test images and of the seeds explains:
-- McNemar's test of each pair of runs, and paired bootstrap intervals of the mean difference over the
-- pairs, in which a resample draws the images, those of one lesion or patient together, and the seeds.
-- Both require the predictions of the same images in the same order; folds are pooled.
local bootstrap = require "aniso.stats.bootstrap"
local derived = require "aniso.stats.derived"
local paired = require "aniso.stats.paired"
local significance = require "aniso.stats.metric.significance"

local images = {}

local resamples = {}
for _, name in ipairs(bootstrap.metrics) do resamples[name] = true end
resamples[derived.TAIL] = true

-- Whether test() gives an interval of this metric.
function images.has_interval(metric)
  return resamples[metric] or false
end

local function same(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

-- nil if all pairs have predictions of the same images, else the reason why they cannot be compared.
local function why_not(first, second, pairs_of, lists)
  if not paired.same_images(first, second) then
    return "they were evaluated on different splits of the data"
  end
  if #pairs_of == 0 then
    return first.run.fold and "they share no seed with all of its folds" or "they share no seed"
  end
  for i, two in ipairs(pairs_of) do
    for side = 1, 2 do
      if not lists[i][side] then return ("run %s has no stored predictions"):format(two[side].uid) end
      if not same(lists[i][side].true_idx, lists[1][1].true_idx) then
        return "they were evaluated on different images"
      end
    end
  end
end

-- The metrics of a member's resamples. They are kept with its predictions, which several comparisons
-- may share.
local function resampled(one, shot, options)
  if not one.samples then
    local lists = { one.pred_idx, one.tilted }
    local samples = bootstrap.samples(one.true_idx, lists, #shot, { draws = options.draws,
      seed = options.seed, shot = shot, clusters = one.clusters })
    one.samples, one.tilted_samples = samples[1], samples[2]
  end
  return one.samples, one.tilted_samples
end

local function mcnemar_of(lists, seeds)
  local out = {}
  for i, two in ipairs(lists) do
    local test = significance.mcnemar(two[1].true_idx, two[1].pred_idx, two[2].pred_idx)
    test.first, test.second = seeds[i][1], seeds[i][2]
    out[i] = test
  end
  return out
end

-- Those of `metrics` that are resampled as they are; nil for nil, all.
local function wanted(metrics)
  if not metrics then return nil end
  local out, known = {}, {}
  for _, name in ipairs(bootstrap.metrics) do known[name] = true end
  for _, name in ipairs(metrics) do
    if known[name] then out[#out + 1] = name end
  end
  return out
end

-- Intervals of the mean over the pairs of second − first. Tail recall at equal head recall is the tail
-- recall of the tilted predictions, the tilt being that of the validation part.
local function intervals_of(lists, shot, options, level)
  local samples, tilted, weights, all_tilted = {}, {}, {}, true
  local seeds = { of = {}, draws = options.draws or 1000, seed = options.seed or 0 }
  for i, two in ipairs(lists) do
    for side = 1, 2 do
      local k = #samples + 1
      samples[k], tilted[k] = resampled(two[side], shot, options)
      all_tilted = all_tilted and tilted[k] ~= nil
      weights[k], seeds.of[k] = (side == 1 and -1 or 1) / #lists, i
    end
  end
  local out = bootstrap.combined(samples, weights, level, seeds, wanted(options.metrics))
  if all_tilted then
    out[derived.TAIL] = bootstrap.combined(tilted, weights, level, seeds, { "few" }).few
  end
  return out
end

-- test(first, second, pairs, predictions_of, shot [, options]): pairs are those of paired.members(),
-- predictions_of(member) → {true_idx, pred_idx, clusters [opt], tilted [opt]} or nil, shot[j] is "many",
-- "medium" or "few", options are {draws = 1000, level = 0.95, seed = 0, metrics = those of the intervals
-- besides derived.TAIL, all if left out}. → {label, baseline, seeds = {{first, second}, …}, unpaired =
-- reason} or {label, baseline, seeds, n = images, level, draws, intervals
-- = {acc = {value, lo, hi}, …}, mcnemar = {{first = seed, second = seed, b, c, p, test}, …}}: b images only
-- the first got right, c only the second.
function images.test(first, second, pairs_of, predictions_of, shot, options)
  options = options or {}
  local out, lists = { label = second.label, baseline = first.label, seeds = {} }, {}
  for i, two in ipairs(pairs_of) do
    out.seeds[i] = { two[1].seed, two[2].seed }
    lists[i] = { predictions_of(two[1]) or false, predictions_of(two[2]) or false }
  end
  out.unpaired = why_not(first, second, pairs_of, lists)
  if out.unpaired then return out end
  out.n, out.level, out.draws = #lists[1][1].true_idx, options.level or paired.LEVEL, options.draws or 1000
  out.mcnemar = mcnemar_of(lists, out.seeds)
  out.intervals = intervals_of(lists, shot, options, out.level)
  return out
end

return images
