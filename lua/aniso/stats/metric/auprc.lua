-- auprc: area under the precision–recall curve, one class against the rest, as average precision:
-- Σ_k (R_k − R_{k−1}) P_k over the distinct scores from the highest down (as scikit-learn's
-- average_precision_score); images with equal scores enter together. O(N log N) per class.
local one_vs_rest = require "aniso.stats.metric.one_vs_rest"

local auprc = {}

-- own, other: lists of the positive and the negative scores from the lowest up. nil without a positive.
local function average_precision(own, other)
  local total, area, right, wrong = #own, 0, #own, #other -- own[right]: the next score from the highest down
  if total == 0 then return nil end
  while right > 0 do
    local score, before = own[right], right
    while right > 0 and own[right] == score do right = right - 1 end
    while wrong > 0 and other[wrong] >= score do wrong = wrong - 1 end
    local hits, called = total - right, total - right + #other - wrong
    area = area + (before - right) / total * (hits / called)
  end
  return area
end

-- The macro mean, and the list by class with `false` where it is undefined.
function auprc.one_vs_rest(true_, rows, K)
  return one_vs_rest(true_, rows, K, average_precision)
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
