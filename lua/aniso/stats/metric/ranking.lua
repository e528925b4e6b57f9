-- ranking: how well probabilities rank the images of a class above the others, one class against the rest.
--   AUC: the area under the ROC curve, the share of (positive, negative) pairs in which the positive scores
--   higher, a tie counting one half. AUPRC: the area under the precision–recall curve as average precision,
--   Σ_k (R_k − R_{k−1}) P_k over the distinct scores from the highest down (as scikit-learn's
--   average_precision_score).
local core = require "aniso.core"

local ranking = {}

-- The mean over the defined values; nil if there are none.
local function mean_of(by_class)
  local sum, n = 0, 0
  for _, area in ipairs(by_class) do
    if area then sum, n = sum + area, n + 1 end
  end
  return n > 0 and sum / n or nil
end

-- true_: N classes, 0-based; rows: N lists of K scores, or one string of packed float32. → {auc = macro mean,
-- class_auc = list by class with false if it is undefined, auprc =, class_auprc =}
function ranking.of(true_, rows, K)
  local auc, auprc = core.ranked.areas(true_, rows, K)
  return { auc = mean_of(auc), class_auc = auc, auprc = mean_of(auprc), class_auprc = auprc }
end

-- The mean over the classes of each group, by the names of the catalog: auprc_many, … ; nil for a group
-- without a class in the truth. by_class: class_auprc of of().
function ranking.auprc_of_groups(by_class, shot)
  local out = {}
  for _, group in ipairs { "many", "medium", "few" } do
    local of_group = {}
    for j, area in ipairs(by_class) do
      if shot and shot[j] == group then of_group[#of_group + 1] = area end
    end
    out["auprc_" .. group] = mean_of(of_group)
  end
  return out
end

return ranking
