-- auc: area under the ROC curve, one class against the rest, by ranks (Mann–Whitney):
-- the share of (positive, negative) pairs in which the positive scores higher, a tie
-- counting one half. O(N log N) per class.
local one_vs_rest = require "aniso.stats.metric.one_vs_rest"

local auc = {}

-- scores: list of N numbers; positive: list of N booleans. nil without both kinds.
function auc.binary(scores, positive)
  local high, low = one_vs_rest.sorted(scores, positive)
  if #high == 0 or #low == 0 then return nil end
  local below, upto, pairs_ = 0, 0, 0 -- negatives that score less, and at most as much
  for _, score in ipairs(high) do
    while below < #low and low[below + 1] < score do below = below + 1 end
    upto = math.max(upto, below)
    while upto < #low and low[upto + 1] <= score do upto = upto + 1 end
    pairs_ = pairs_ + (below + upto) / 2
  end
  return pairs_ / (#high * #low)
end

-- The macro mean, and the list by class with `false` where it is undefined.
function auc.one_vs_rest(true_, rows, K)
  return one_vs_rest.mean(true_, rows, K, auc.binary)
end

return auc
