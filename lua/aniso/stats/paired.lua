-- Pairing by seed: which runs of two groups belong together, the difference Δ between the groups, and
-- how much data a statement about Δ requires. Tables, comparisons and reports all use these functions.
-- A group is {run = a row of db:runs(), members = {{seed =, metrics =, …}, …}}, one member per seed.
local significance = require "aniso.stats.metric.significance"

local paired = {}

-- The smallest numbers that support a statement. Below `seeds` pairs Δ has no interval and no test:
-- with two pairs the t distribution has one degree of freedom, and its 95 % interval is 12.7 standard
-- errors wide on either side. Below `images` test images the recall of a class moves in visible steps.
-- Below `discordant` images that only one side classifies correctly McNemar's test has no power.
paired.enough = { seeds = 3, images = 20, discordant = 10 }

-- The level of every confidence interval.
paired.LEVEL = 0.95

-- members(first, second) → {{member of first, member of second}, …}, in the order of `second`: members
-- with the same seed, if both groups use the same split. Two groups of one run each form a pair
-- whatever their seeds are.
function paired.members(first, second)
  if first.run.split_id ~= second.run.split_id then return {} end
  if #first.members == 1 and #second.members == 1 then
    return { { first.members[1], second.members[1] } }
  end
  local out, by_seed = {}, {}
  for _, member in ipairs(first.members) do by_seed[member.seed] = member end
  for _, member in ipairs(second.members) do
    if by_seed[member.seed] then out[#out + 1] = { by_seed[member.seed], member } end
  end
  return out
end

-- Moments of get(member) over the members of a group for which it is not nil.
function paired.moments(group, get)
  local values = {}
  for _, member in ipairs(group.members) do values[#values + 1] = get(member) end
  return significance.mean_sd(values)
end

-- delta(first, second, get [, pairs]) → Δ of get(member), second minus first: {n, mean, sd, df, lo, hi,
-- t, p, pairs, each}. `pairs` [opt] is the result of members(); in the result, the pairs of which both
-- members have a value; each[k] is the difference of pair k. The interval [lo, hi] and the paired t
-- test are nil for fewer than enough.seeds pairs, and where the differences do not vary. Without a
-- pair n is 0 and the mean is the difference of the groups' means.
function paired.delta(first, second, get, pairs_of)
  local a, b, used, each = {}, {}, {}, {}
  for _, two in ipairs(pairs_of or paired.members(first, second)) do
    local x, y = get(two[1]), get(two[2])
    if x and y then
      local k = #a + 1
      a[k], b[k], used[k], each[k] = x, y, two, y - x
    end
  end
  local delta = significance.paired_t(a, b, paired.LEVEL)
  delta.pairs, delta.each = used, each
  if delta.n == 0 then
    local x, y = paired.moments(first, get).mean, paired.moments(second, get).mean
    delta.mean = x and y and y - x
  end
  if delta.n < paired.enough.seeds then delta.lo, delta.hi, delta.t, delta.p = nil, nil, nil, nil end
  return delta
end

return paired
