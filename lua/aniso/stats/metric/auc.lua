-- auc: area under the ROC curve, one class against the rest, by ranks (Mann–Whitney):
-- the share of (positive, negative) pairs in which the positive scores higher, a tie
-- counting one half. O(N log N) per class.
local one_vs_rest = require "aniso.stats.metric.one_vs_rest"

local auc = {}

-- scores: list of N numbers; positive: list of N booleans. nil without both kinds.
function auc.binary(scores, positive)
  local order, n = {}, #scores
  for i = 1, n do order[i] = i end
  table.sort(order, function(a, b) return scores[a] < scores[b] end)
  local rank_sum, n_positive, i = 0, 0, 1
  while i <= n do
    local last = i
    while last < n and scores[order[last + 1]] == scores[order[i]] do last = last + 1 end
    local mid_rank = (i + last) / 2
    for k = i, last do
      if positive[order[k]] then
        rank_sum, n_positive = rank_sum + mid_rank, n_positive + 1
      end
    end
    i = last + 1
  end
  local n_negative = n - n_positive
  if n_positive == 0 or n_negative == 0 then return nil end
  return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
end

-- The macro mean, and the list by class with `false` where it is undefined.
function auc.one_vs_rest(true_, rows, K)
  return one_vs_rest(true_, rows, K, auc.binary)
end

return auc
