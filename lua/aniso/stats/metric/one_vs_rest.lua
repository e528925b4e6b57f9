-- A measure of one class against the rest, over all classes.
--   one_vs_rest(true_, rows, K, measure) → macro mean, list by class with `false` where it is undefined
-- true_: N classes, 0-based; rows: N lists of K scores; measure(own, other) → number, or nil where it is
-- undefined. own: the scores of the images of the class, other: those of the rest, each from the lowest up.
-- The mean is over the defined ones; nil without any.
local function sorted(true_, rows, j)
  local own, other = {}, {}
  for i, row in ipairs(rows) do
    local list = true_[i] == j - 1 and own or other
    list[#list + 1] = row[j]
  end
  table.sort(own)
  table.sort(other)
  return own, other
end

return function(true_, rows, K, measure)
  local by_class, sum, n = {}, 0, 0
  for j = 1, K do
    local value = measure(sorted(true_, rows, j))
    by_class[j] = value or false
    if value then sum, n = sum + value, n + 1 end
  end
  return n > 0 and sum / n or nil, by_class
end
