-- auc: area under the ROC curve, one class against the rest, by ranks (Mann–Whitney):
-- the share of (positive, negative) pairs in which the positive scores higher, a tie
-- counting one half. O(N log N) per class.
local one_vs_rest = require "aniso.stats.metric.one_vs_rest"

local auc = {}

-- own, other: lists of the positive and the negative scores from the lowest up. nil without both kinds.
local function area(own, other)
  if #own == 0 or #other == 0 then return nil end
  local below, upto, ordered = 0, 0, 0 -- negatives that score less, and those that score at most as much
  for _, score in ipairs(own) do
    while below < #other and other[below + 1] < score do below = below + 1 end
    upto = math.max(upto, below)
    while upto < #other and other[upto + 1] <= score do upto = upto + 1 end
    ordered = ordered + (below + upto) / 2
  end
  return ordered / (#own * #other)
end

-- The macro mean, and the list by class with `false` where it is undefined.
function auc.one_vs_rest(true_, rows, K)
  return one_vs_rest(true_, rows, K, area)
end

return auc
