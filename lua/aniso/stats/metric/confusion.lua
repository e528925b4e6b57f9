-- confusion: the K×K matrix of counts (rows true, columns predicted) and every number that
-- follows from counts alone. The conventions are those of the views v_class and v_eval:
-- what is undefined is nil ("n/a"), never 0, and a macro mean runs over what is defined.

local confusion = {}

-- Classes up to which the K² cells of a matrix are shown and compared: a larger one takes gigabytes of Lua
-- tables and shows nothing.
confusion.MOST_SHOWN = 1024

-- true_, pred: lists of 0-based classes. matrix[i][j]: images of class i−1 called j−1.
function confusion.count(true_, pred, K)
  local matrix = {}
  for i = 1, K do
    matrix[i] = {}
    for j = 1, K do matrix[i][j] = 0 end
  end
  for n = 1, #true_ do
    local row = matrix[true_[n] + 1]
    local j = pred[n] + 1
    row[j] = row[j] + 1
  end
  return matrix
end

-- The sum of K×K matrices of counts, as a new matrix.
function confusion.sum(matrices)
  local out = {}
  for i, row in ipairs(matrices[1]) do
    out[i] = {}
    for j in ipairs(row) do
      local sum = 0
      for _, matrix in ipairs(matrices) do sum = sum + matrix[i][j] end
      out[i][j] = sum
    end
  end
  return out
end

-- Per class: support, predicted, tp, and
--   recall    = tp/support      nil for a class without test images
--   precision = tp/predicted    nil for a class that was never predicted
--   f1        = 2tp/(support+predicted)   nil only if both are 0
function confusion.classes(matrix)
  local K, classes = #matrix, {}
  for j = 1, K do
    local support, predicted, tp = 0, 0, matrix[j][j]
    for i = 1, K do
      support = support + matrix[j][i]
      predicted = predicted + matrix[i][j]
    end
    classes[j] = {
      support = support, predicted = predicted, tp = tp,
      recall = support > 0 and tp / support or nil,
      precision = predicted > 0 and tp / predicted or nil,
      f1 = support + predicted > 0 and 2 * tp / (support + predicted) or nil,
    }
  end
  return classes
end

-- Mean of field(class) over the classes where it is not nil; nil if there is none.
local function mean_over(classes, field)
  local sum, n = 0, 0
  for j, class in ipairs(classes) do
    local value = field(class, j)
    if value then sum, n = sum + value, n + 1 end
  end
  return n > 0 and sum / n or nil
end

local function recall(class) return class.recall end

local function f1(class) return class.f1 end

-- In the macro mean, a class that exists but is never predicted counts with precision 0
-- (as in scikit-learn), otherwise never predicting the tail would be rewarded.
local function precision_or_zero(class)
  return class.precision or (class.support > 0 and 0 or nil)
end

function confusion.macro_f1(classes) return mean_over(classes, f1) end

-- Mean recall of the classes whose shot[j] is `name`; nil for an empty group.
local function group(classes, shot, name)
  return mean_over(classes, function(class, j)
    return shot[j] == name and class.recall or nil
  end)
end

local function worst(classes)
  local value, index
  for j, class in ipairs(classes) do
    if class.recall and (not value or class.recall < value) then
      value, index = class.recall, j - 1
    end
  end
  return value, index
end

-- Cohen's kappa, 1 − Σ w·observed / Σ w·expected, with the disagreement weight w(i, j).
-- nil when chance alone would always agree (one class only, on both sides).
local function kappa(matrix, classes, n, weight)
  local observed, expected = 0, 0
  for i, row in ipairs(matrix) do
    for j, count in ipairs(row) do
      local w = weight(i, j)
      observed = observed + w * count
      expected = expected + w * classes[i].support * classes[j].predicted / n
    end
  end
  return expected > 0 and 1 - observed / expected or nil
end

local function differs(i, j) return i == j and 0 or 1 end

local function squared(i, j) return (i - j) ^ 2 end

-- Matthews' correlation for K classes (Gorodkin 2004). A constant prediction has 0, the
-- customary limit; nil if the truth has only one class, since there is nothing to correlate.
local function mcc(classes, n)
  local correct, cross, truth, called = 0, 0, 0, 0
  for _, class in ipairs(classes) do
    correct = correct + class.tp
    cross = cross + class.support * class.predicted
    truth = truth + class.support ^ 2
    called = called + class.predicted ^ 2
  end
  if n * n == truth then return nil end
  if n * n == called then return 0.0 end
  return (correct * n - cross) / math.sqrt((n * n - truth) * (n * n - called))
end

-- Everything that counts can give. shot: list of "many" | "medium" | "few" per class, or nil.
function confusion.summary(matrix, shot)
  local classes = confusion.classes(matrix)
  local n, correct = 0, 0
  for _, class in ipairs(classes) do
    n, correct = n + class.support, correct + class.tp
  end
  local worst_value, worst_index = worst(classes)
  local balanced = mean_over(classes, recall)
  return {
    n = n, K = #matrix, confusion = matrix, class = classes,
    acc = n > 0 and correct / n or nil,
    bacc = balanced, macro_recall = balanced,
    macro_precision = mean_over(classes, precision_or_zero),
    macro_f1 = confusion.macro_f1(classes),
    many = shot and group(classes, shot, "many"),
    medium = shot and group(classes, shot, "medium"),
    few = shot and group(classes, shot, "few"),
    worst_class = worst_value, worst_class_idx = worst_index,
    kappa = kappa(matrix, classes, n, differs),
    kappa_quadratic = kappa(matrix, classes, n, squared),
    mcc = mcc(classes, n),
  }
end

return confusion
