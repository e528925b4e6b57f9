-- Pairing by seed: which runs of two groups belong together, the difference Δ between the groups, and
-- how much data a statement about Δ requires. Tables, comparisons and reports all use these functions.
-- A group is {run = a row of db:runs(), members = {{seed =, metrics =, …}, …}}, one member per seed.
--
-- The one rule of tests over runs:
--   without folds    the paired t test over the seeds
--   with folds       Δ is the mean over the seeds of the difference of the pooled metrics. Its standard
--                    error is that of the corrected resampled t test (significance.corrected_t) over the
--                    folds, each with its mean difference over the seeds, and n_test/n_train of the folds.
-- Seeds of one fold share its images. As folds × seeds separate estimates they would count the data several
-- times: if seeds differ little, that test finds a difference that does not exist in every sixth study of
-- five folds and three seeds (tests/lua/test_fold_statistics.lua) instead of every twentieth.
local significance = require "aniso.stats.metric.significance"

local paired = {}

-- The smallest numbers that support a statement. Below `seeds` pairs Δ has no interval and no test:
-- with two pairs the t distribution has one degree of freedom, and its 95 % interval is 12.7 standard
-- errors wide on either side. Below `images` test images the recall of a class moves in visible steps.
-- Below `discordant` images that only one side classifies correctly McNemar's test has no power.
paired.enough = { seeds = 3, images = 20, discordant = 10 }

-- The level of every confidence interval that is shown for test results.
paired.LEVEL = 0.95

-- Whether two groups were tested on the same images: on one split, or on the folds of one cut.
function paired.same_images(first, second)
  local a, b = first.run, second.run
  return (a.fold_set or a.split_id) == (b.fold_set or b.split_id)
end

-- Whether a member can be compared: it has all of its folds, or there are none.
local function is_whole(member)
  return not member.parts or member.complete
end

-- members(first, second) → {{member of first, member of second}, …}, in the order of `second`: members
-- with the same seed, if both groups were tested on the same images. A member that lacks folds has no
-- pair. Two groups of one run each form a pair whatever their seeds are.
function paired.members(first, second)
  if not paired.same_images(first, second) then return {} end
  local a, b = first.members[1], second.members[1]
  if #first.members == 1 and #second.members == 1 then
    return is_whole(a) and is_whole(b) and { { a, b } } or {}
  end
  local out, by_seed = {}, {}
  for _, member in ipairs(first.members) do by_seed[member.seed] = is_whole(member) and member or nil end
  for _, member in ipairs(second.members) do
    if by_seed[member.seed] and is_whole(member) then out[#out + 1] = { by_seed[member.seed], member } end
  end
  return out
end

-- Moments of get(member) over the members of a group for which it is not nil.
function paired.moments(group, get)
  local values = {}
  for _, member in ipairs(group.members) do values[#values + 1] = get(member) end
  return significance.mean_sd(values)
end

-- The differences of get() by fold, each the mean over the seeds, and the mean of n_test/n_train.
local function fold_differences(used, get)
  local out, ratio, n = {}, 0, 0
  for f in ipairs(used[1][1].parts) do
    local each = {}
    for _, two in ipairs(used) do
      local part = two[1].parts[f]
      local x, y = get(part), get(two[2].parts[f])
      each[#each + 1] = x and y and y - x or nil
      ratio, n = ratio + part.n / part.n_train, n + 1
    end
    if #each > 0 then out[#out + 1] = significance.mean_sd(each).mean end
  end
  return out, ratio / n
end

-- Replaces the test over seeds by the one over folds and seeds.
local function test_folds(delta, get, level)
  local differences, ratio = fold_differences(delta.pairs, get)
  local test = significance.corrected_t(differences, ratio, level, delta.mean)
  delta.folds, delta.fold_differences, delta.df = #delta.pairs[1][1].parts, differences, test.df
  delta.lo, delta.hi, delta.t, delta.p = test.lo, test.hi, test.t, test.p
  if test.n < paired.enough.seeds then delta.lo, delta.hi, delta.t, delta.p = nil, nil, nil, nil end
  return delta
end

-- Whether a group has seeds that lack folds, or nothing but such.
local function lacks_folds(group)
  return group.members[1] and not is_whole(group.members[1]) or false
end

-- delta(first, second, get [, pairs, level]) → Δ of get(member), second minus first: {n, mean, sd, df, lo,
-- hi, t, p, pairs, each}. `pairs` [opt]: the result of members(); in the result, the pairs in which both
-- members have a value; each[k] is the difference of pair k. The interval [lo, hi] and the paired t test are
-- nil for fewer than enough.seeds pairs, and if the differences do not vary. Without a pair n is 0 and the
-- mean is the difference of the groups' means; nil if a group lacks folds. With folds the test follows the
-- rule above, from enough.seeds folds on, and `folds` is their number. level: of the interval, instead of
-- LEVEL.
function paired.delta(first, second, get, pairs_of, level)
  level = level or paired.LEVEL
  local a, b, used, each = {}, {}, {}, {}
  for _, two in ipairs(pairs_of or paired.members(first, second)) do
    local x, y = get(two[1]), get(two[2])
    if x and y then
      local k = #a + 1
      a[k], b[k], used[k], each[k] = x, y, two, y - x
    end
  end
  local delta = significance.paired_t(a, b, level)
  delta.pairs, delta.each = used, each
  if delta.n > 0 and used[1][1].parts then return test_folds(delta, get, level) end
  if delta.n == 0 and not lacks_folds(first) and not lacks_folds(second) then
    local x, y = paired.moments(first, get).mean, paired.moments(second, get).mean
    delta.mean = x and y and y - x
  end
  if delta.n < paired.enough.seeds then delta.lo, delta.hi, delta.t, delta.p = nil, nil, nil, nil end
  return delta
end

return paired
