-- auprc: area under the precision–recall curve, one class against the rest, as average precision:
-- Σ_k (R_k − R_{k−1}) P_k over the distinct scores from the highest down (as scikit-learn's
-- average_precision_score); images with equal scores enter together. O(N log N) per class.
local one_vs_rest = require "aniso.stats.metric.one_vs_rest"

local auprc = {}

-- scores: list of N numbers; positive: list of N booleans. nil without a positive.
function auprc.binary(scores, positive)
  local order, n = {}, #scores
  for i = 1, n do order[i] = i end
  table.sort(order, function(a, b) return scores[a] > scores[b] end)
  local total = 0
  for i = 1, n do total = total + (positive[i] and 1 or 0) end
  if total == 0 then return nil end
  local area, hits, i = 0, 0, 1
  while i <= n do
    local last, before = i, hits
    while last < n and scores[order[last + 1]] == scores[order[i]] do last = last + 1 end
    for k = i, last do hits = hits + (positive[order[k]] and 1 or 0) end
    area = area + (hits - before) / total * (hits / last)
    i = last + 1
  end
  return area
end

-- The macro mean, and the list by class with `false` where it is undefined.
function auprc.one_vs_rest(true_, rows, K)
  return one_vs_rest(true_, rows, K, auprc.binary)
end

-- The mean over the classes of each group, by the names of the catalog: auprc_many, … ; nil for a group
-- without a class in the truth. by_class: of one_vs_rest().
function auprc.of_groups(by_class, shot)
  local out = {}
  for _, group in ipairs { "many", "medium", "few" } do
    local sum, n = 0, 0
    for j, area in ipairs(by_class) do
      if area and shot and shot[j] == group then sum, n = sum + area, n + 1 end
    end
    out["auprc_" .. group] = n > 0 and sum / n or nil
  end
  return out
end

return auprc
