-- Tests whether two groups of runs differ by more than the choice of the test images and seeds explains:
-- McNemar's test of each pair of runs, and paired bootstrap intervals of the mean difference over the
-- pairs, in which a resample draws the images, those of one lesion or patient together, and the seeds.
-- Both require the predictions of the same images in the same order; folds are pooled.
local bootstrap = require "aniso.stats.bootstrap"
local derived = require "aniso.stats.derived"
local paired = require "aniso.stats.paired"
local resampler = require "aniso.stats.resampler"
local significance = require "aniso.stats.metric.significance"

local images = {}

-- The metrics that are resampled directly.
local resamples = {}
for _, name in ipairs(bootstrap.metrics) do resamples[name] = true end

-- Whether test() gives an interval of this metric.
function images.has_interval(metric)
  return resamples[metric] or metric == derived.TAIL
end

-- Whether one.true_idx has the same classes as a list. The list is kept with the predictions, since several
-- comparisons share the list of their baseline.
local function agrees(one, list)
  local own = one.true_idx
  if own == list or one.agrees_with == list then return true end
  if #own ~= #list then return false end
  for i = 1, #own do
    if own[i] ~= list[i] then return false end
  end
  one.agrees_with = list
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
      if not agrees(lists[i][side], lists[1][1].true_idx) then
        return "they were evaluated on different images"
      end
    end
  end
end

local MOST = 4e6 -- images times classes times members of one pass

-- Sets one.samples[key] of a list of members with the same images, in as few passes as fit.
local function resample(list, which, shot, options, metrics, key)
  local pass = math.max(1, MOST // (#list[1].true_idx * #shot))
  for first = 1, #list, pass do
    local predictions = {}
    for k = first, math.min(first + pass - 1, #list) do predictions[#predictions + 1] = list[k][which] end
    local samples = bootstrap.samples(list[1].true_idx, predictions, #shot, { draws = options.draws,
      seed = options.seed, shot = shot, clusters = list[1].clusters, metrics = metrics,
      resampler = options.resampler })
    for k, one in ipairs(samples) do list[first + k - 1].samples[key] = one end
  end
end

-- The samples of each member's predictions: one.pred_idx, or one.tilted. They are kept with the predictions,
-- which several comparisons may share. metrics: their names.
local function resampled(list, which, shot, options, metrics)
  local key, missing, out = which .. " " .. table.concat(metrics, " "), {}, {}
  for _, one in ipairs(list) do
    one.samples = one.samples or {}
    if not one.samples[key] then missing[#missing + 1] = one end
  end
  if #missing > 0 then resample(missing, which, shot, options, metrics, key) end
  for k, one in ipairs(list) do out[k] = one.samples[key] end
  return out
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

-- Those of `metrics` [opt, all] that are resampled directly, and whether derived.TAIL is among them.
local function resampled_metrics(metrics)
  local out, tail = {}, not metrics
  for _, name in ipairs(metrics or bootstrap.metrics) do
    if resamples[name] then out[#out + 1] = name end
    tail = tail or name == derived.TAIL
  end
  return out, tail
end

-- Intervals of the mean over the pairs of second − first. Tail recall at equal head recall is the tail
-- recall of the predictions with the tilt of the validation part.
local function intervals_of(lists, shot, options, level)
  local names, tail = resampled_metrics(options.metrics)
  local seeds = { of = {}, draws = options.draws or 1000, seed = options.seed or 0 }
  local members, weights = {}, {}
  for i, two in ipairs(lists) do
    for side = 1, 2 do
      local k = #members + 1
      members[k], weights[k], seeds.of[k] = two[side], (side == 1 and -1 or 1) / #lists, i
      tail = tail and two[side].tilted ~= nil
    end
  end
  local function combined(which, metrics)
    local samples = resampled(members, which, shot, options, metrics)
    return bootstrap.combined(samples, weights, level, seeds, metrics)
  end
  local out = #names > 0 and combined("pred_idx", names) or {}
  if tail then out[derived.TAIL] = combined("tilted", { "few" }).few end
  return out
end

-- test(first, second, pairs, predictions_of, shot [, options]): pairs are those of paired.members(),
-- predictions_of(member) → {true_idx, pred_idx, clusters [opt], tilted [opt]} or nil, shot[j] is "many",
-- "medium" or "few", options are {draws = 1000, level = 0.95, seed = 0, metrics = those of the
-- intervals, all if left out, mcnemar = false leaves these tests out, resampler = one that several tests
-- share}. → {label, baseline, seeds = {{first, second}, …}, unpaired = reason} or {label, baseline, seeds,
-- n = images, level, draws, intervals = {acc = {value, lo, hi}, …}, mcnemar = {{first = seed, second = seed,
-- b, c, p, test}, …}}: b images only the first got right, c only the second.
function images.test(first, second, pairs_of, predictions_of, shot, options)
  local shared = options and options.resampler or resampler.new()
  options = setmetatable({ resampler = shared }, { __index = options })
  local out, lists = { label = second.label, baseline = first.label, seeds = {} }, {}
  for i, two in ipairs(pairs_of) do
    out.seeds[i] = { two[1].seed, two[2].seed }
    lists[i] = { predictions_of(two[1]) or false, predictions_of(two[2]) or false }
  end
  out.unpaired = why_not(first, second, pairs_of, lists)
  if out.unpaired then return out end
  out.n, out.level, out.draws = #lists[1][1].true_idx, options.level or paired.LEVEL, options.draws or 1000
  if options.mcnemar ~= false then out.mcnemar = mcnemar_of(lists, out.seeds) end
  out.intervals = intervals_of(lists, shot, options, out.level)
  return out
end

return images
