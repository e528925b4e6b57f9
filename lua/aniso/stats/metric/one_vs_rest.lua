-- Measures of one class against the rest, over all classes.
local one_vs_rest = {}

-- The scores of the positive images and of the others, each from the lowest up.
function one_vs_rest.sorted(scores, positive)
  local high, low = {}, {}
  for i, score in ipairs(scores) do
    local list = positive[i] and high or low
    list[#list + 1] = score
  end
  table.sort(high)
  table.sort(low)
  return high, low
end

-- mean(true_, rows, K, measure) → macro mean, list by class with `false` where it is undefined. true_: N
-- classes, 0-based; rows: N lists of K scores; measure(scores, positive) → number, or nil where it is
-- undefined. The mean is over the defined ones; nil without any.
function one_vs_rest.mean(true_, rows, K, measure)
  local by_class, sum, n = {}, 0, 0
  for j = 1, K do
    local scores, positive = {}, {}
    for i, row in ipairs(rows) do
      scores[i], positive[i] = row[j], true_[i] == j - 1
    end
    local value = measure(scores, positive)
    by_class[j] = value or false
    if value then sum, n = sum + value, n + 1 end
  end
  return n > 0 and sum / n or nil, by_class
end

return one_vs_rest
