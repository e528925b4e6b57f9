-- Finds the variants of a study that are worse than the best one by more than chance: they get no more seeds.
--   pruning.decide(variants, {higher =, level =}) → index of the leader, list of {index =, delta =}
--   pruning.sentence(record) → the decision (store/pruned.lua) as text
-- variants: {members = {{seed =, value =, parts = nil or {{value =, n =, n_train =}, …}}, …}} each, one
-- member per seed, the same seeds in the same order for all. value: of the metric on the validation part, the
-- mean over folds; n and n_train: validation and training images.
--
-- The leader has the best mean over the seeds, the first of equals. A variant is pruned if the interval of
-- its difference to the leader, paired by seed, has both ends on the worse side of 0: the paired t interval
-- over seeds, with folds that of the corrected resampled t test (paired.lua), here with n_val/n_train. A
-- difference without an interval, such as one that is the same at every seed, prunes nothing. The intervals
-- are not corrected for repetition: every variant that is left is compared once after each seed.
local catalog = require "aniso.stats.metric.catalog"
local paired = require "aniso.stats.paired"
local significance = require "aniso.stats.metric.significance"

local pruning = {}

local function value_of(member) return member.value end

local function mean_of(variant)
  local values = {}
  for s, member in ipairs(variant.members) do values[s] = member.value end
  return significance.mean_sd(values).mean
end

local function leader_of(variants, higher)
  local best, top
  for i, variant in ipairs(variants) do
    local mean = mean_of(variant)
    if not top or (higher and mean > top) or (not higher and mean < top) then best, top = i, mean end
  end
  return best
end

-- Δ of a variant to the leader, as from paired.delta().
local function difference(leader, variant, level)
  local two = {}
  for s, member in ipairs(variant.members) do two[s] = { leader.members[s], member } end
  return paired.delta(leader, variant, value_of, two, level)
end

function pruning.decide(variants, how)
  local best, out = leader_of(variants, how.higher), {}
  for i, variant in ipairs(variants) do
    local delta = i ~= best and difference(variants[best], variant, how.level)
    local worse = delta and delta.lo and (how.higher and delta.hi < 0 or not how.higher and delta.lo > 0)
    if worse then out[#out + 1] = { index = i, delta = delta } end
  end
  return best, out
end

-- "after 3 seeds: bacc -0.050 [-0.078, -0.022] to ddpm on validation"
function pruning.sentence(record)
  return ("after %d %s: %s %+.3f [%+.3f, %+.3f] to %s on validation"):format(record.seeds,
    record.seeds == 1 and "seed" or "seeds", catalog.printed(record.metric), record.delta, record.lo,
    record.hi, record.leader)
end

return pruning
