-- Whether two groups of runs differ by more than the luck of which images were tested: McNemar's
-- test of each pair of runs, and paired bootstrap intervals of the mean difference over the
-- pairs. Both need the stored predictions of the same images in the same order.
local bootstrap = require "aniso.stats.metric.bootstrap"
local metric = require "aniso.stats.metric"
local must = require("aniso.store.db_error").must

local images = {}

-- {true, pred} of a member, read once; nil where none are stored.
local function predictions(db, member, cache)
  if cache[member.eval_id] == nil then
    local rows = must(db:query([[
      SELECT true_idx AS t, pred_idx AS p FROM prediction WHERE eval_id = ?1 ORDER BY sample_idx]],
      member.eval_id))
    local one = { ["true"] = {}, pred = {} }
    for i, row in ipairs(rows) do one["true"][i], one.pred[i] = row.t, row.p end
    cache[member.eval_id] = #rows > 0 and one
  end
  return cache[member.eval_id] or nil
end

local function same(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

-- nil if the images of all pairs are the same, else the reason why nothing can be paired.
local function why_not(first, second, pairs_of, lists)
  if first.runs[1].split_id ~= second.runs[1].split_id then
    return "they were evaluated on different splits of the data"
  end
  if #pairs_of == 0 then return "they share no seed" end
  for i, two in ipairs(pairs_of) do
    for side = 1, 2 do
      if not lists[i][side] then return ("run %s has no stored predictions"):format(two[side].uid) end
      if not same(lists[i][side]["true"], lists[1][1]["true"]) then
        return "they were evaluated on different images"
      end
    end
  end
end

-- The metrics of a member's resamples, drawn once however many it is compared with.
local function resampled(one, shot, options)
  one.samples = one.samples or bootstrap.samples(one["true"], { one.pred }, #shot,
    { draws = options.draws, seed = options.seed, shot = shot })[1]
  return one.samples
end

-- test(…) → {label, baseline, seeds = {{first, second}, …}, unpaired = reason} or {label, baseline,
-- seeds, n = images, level, draws, intervals = {acc = {value, lo, hi}, …}, mcnemar = {{first = seed,
-- second = seed, b, c, p, test}, …}}: b images only the baseline got right, c only the other.
function images.test(db, first, second, pairs_of, options, cache)
  local out, lists = { label = second.label, baseline = first.label, seeds = {} }, {}
  for i, two in ipairs(pairs_of) do
    out.seeds[i] = { two[1].seed, two[2].seed }
    lists[i] = { predictions(db, two[1], cache), predictions(db, two[2], cache) }
  end
  out.unpaired = why_not(first, second, pairs_of, lists)
  if out.unpaired then return out end
  local true_, shot = lists[1][1]["true"], {}
  for j, class in ipairs(first.members[1].classes) do shot[j] = class.shot end
  out.mcnemar = {}
  for i, two in ipairs(lists) do
    local test = metric.mcnemar(true_, two[1].pred, two[2].pred, #shot)
    test.first, test.second = out.seeds[i][1], out.seeds[i][2]
    out.mcnemar[i] = test
  end
  options = options or {}
  out.n, out.level, out.draws = #true_, options.level or 0.95, options.draws or 1000
  local samples, weights = {}, {}
  for i, two in ipairs(lists) do
    for side = 1, 2 do
      samples[#samples + 1] = resampled(two[side], shot, options)
      weights[#weights + 1] = (side == 1 and -1 or 1) / #lists
    end
  end
  out.intervals = bootstrap.combined(samples, weights, out.level)
  return out
end

return images
