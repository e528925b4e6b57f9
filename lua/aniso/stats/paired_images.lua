-- Whether two groups of runs differ by more than the choice of the test images explains: McNemar's test
-- of each pair of runs, and paired bootstrap intervals of the mean difference over the pairs. Both
-- require the predictions of the same images in the same order.
local bootstrap = require "aniso.stats.bootstrap"
local paired = require "aniso.stats.paired"
local significance = require "aniso.stats.metric.significance"

local images = {}

local resamples = {}
for _, name in ipairs(bootstrap.metrics) do resamples[name] = true end

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
  if first.run.split_id ~= second.run.split_id then
    return "they were evaluated on different splits of the data"
  end
  if #pairs_of == 0 then return "they share no seed" end
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
  one.samples = one.samples or bootstrap.samples(one.true_idx, { one.pred_idx }, #shot,
    { draws = options.draws, seed = options.seed, shot = shot })[1]
  return one.samples
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

-- Intervals of the mean over the pairs of second − first.
local function intervals_of(lists, shot, options, level)
  local samples, weights = {}, {}
  for _, two in ipairs(lists) do
    for side = 1, 2 do
      samples[#samples + 1] = resampled(two[side], shot, options)
      weights[#weights + 1] = (side == 1 and -1 or 1) / #lists
    end
  end
  return bootstrap.combined(samples, weights, level)
end

-- test(first, second, pairs, predictions_of, shot [, options]): pairs are those of paired.members(),
-- predictions_of(member) → {true_idx, pred_idx} or nil, shot[j] is "many", "medium" or "few", options
-- are {draws = 1000, level = 0.95, seed = 0}.
-- → {label, baseline, seeds = {{first, second}, …}, unpaired = reason} or {label, baseline, seeds, n =
-- images, level, draws, intervals = {acc = {value, lo, hi}, …}, mcnemar = {{first = seed, second =
-- seed, b, c, p, test}, …}}: b images only the first got right, c only the second.
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
