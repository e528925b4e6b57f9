-- metric: everything that is measured on a whole set of predictions (METHOD §7), never
-- averaged over batches. Undefined is nil, never 0. The names are those of the view v_eval.
--   local m = metric.evaluate { true = labels, probs = p }      m.acc, m.macro_f1, m.class[1]
--   metric.interval, metric.mcnemar, metric.difference, metric.paired_t: the uncertainty.

local bootstrap = require "aniso.stats.bootstrap"
local calibration = require "aniso.stats.metric.calibration"
local catalog = require "aniso.stats.metric.catalog"
local confusion = require "aniso.stats.metric.confusion"
local input = require "aniso.stats.metric.input"
local nearest = require "aniso.recipe.nearest"
local ranking = require "aniso.stats.metric.ranking"
local significance = require "aniso.stats.metric.significance"

local metric = {}

metric.catalog = catalog.metrics

local KEYS = { "true", "probs", "pred", "counts", "shot", "width", "agreement",
  "bins", "K" }

local function check(options)
  local known = {}
  for _, key in ipairs(KEYS) do known[key] = true end
  for key in pairs(options) do
    if not known[key] then
      local meant = nearest(tostring(key), KEYS)
      error(("metric.evaluate: unknown option %s (%s)"):format(tostring(key),
        meant and "did you mean " .. meant .. "?" or "known: " .. table.concat(KEYS, ", ")), 3)
    end
  end
  if not options.probs and not (options.pred and options.K) then
    error("metric.evaluate: give probs (N, K), or pred with K", 3)
  end
end

local function check_per_class(list, K, what)
  if list and #list ~= K then
    error(("%s has %d entries, expected one for each of %d classes"):format(what, #list, K), 0)
  end
end

-- Adds to `result` what requires probabilities.
local function add_probabilistic(result, true_, pred, rows, bins, shot)
  for name, value in pairs(ranking.of(true_, rows, result.K)) do result[name] = value end
  for j, class in ipairs(result.class) do
    class.auc, class.auprc = result.class_auc[j] or nil, result.class_auprc[j] or nil
  end
  for name, value in pairs(ranking.auprc_of_groups(result.class_auprc, shot)) do result[name] = value end
  result.nll = calibration.nll(true_, rows)
  result.brier = calibration.brier(true_, rows)
  result.bins = calibration.bins(true_, pred, rows, bins)
  result.ece = calibration.ece(result.bins)
end

local function add_width(result, width)
  local sum = 0
  for j, value in ipairs(width) do
    result.class[j].width = value
    sum = sum + value
  end
  result.class_width, result.interval_width = width, sum / #width
end

-- → true_, pred, rows (nil without probs), K: all checked.
local function read(options)
  local rows, K
  if options.probs then
    rows, K = input.rows(options.probs, "probs")
  end
  if K and options.K and options.K ~= K then
    error(("probs has %d columns, K is %d"):format(K, options.K), 0)
  end
  K = K or options.K
  local true_ = input.classes(options["true"], K, "true", rows and #rows)
  local pred = options.pred and input.classes(options.pred, K, "pred", #true_)
    or input.argmax(rows)
  check_per_class(options.counts, K, "counts")
  check_per_class(options.shot, K, "shot")
  return true_, pred, rows, K
end

-- options:
--   true    N classes 0 … K−1, a list or an int64 tensor
--   probs   (N, K), a tensor or a list of rows
--   pred    N classes; without it the most probable class. With pred, probs may be absent:
--           then K is the number of classes, and metrics of probabilities are nil
--   counts  training images per class; shot "many" | "medium" | "few" per class (1-based)
--   width   interval width over chains, per class or (N, K); agreement: per image, the
--           share of chains that call the same class
--   bins    of the calibration error, 15
-- → n, K, pred, confusion (rows true), each name of the catalog, worst_class_idx (0-based),
--   bins {n, sum_conf, n_correct}, and class[1 … K] = {support, predicted, tp, recall, precision,
--   f1, auc, auprc, n_train, shot, width}. A class with no test image has recall nil and is left out
--   of every macro mean of recall; an empty group is nil. class_auc, class_auprc
--   (false: n/a) and class_width are the same per-class numbers as lists, for storing.
function metric.evaluate(options)
  check(options)
  local true_, pred, rows, K = read(options)
  local result = confusion.summary(confusion.count(true_, pred, K), options.shot)
  result.pred = pred
  for j, class in ipairs(result.class) do
    class.n_train = options.counts and options.counts[j]
    class.shot = options.shot and options.shot[j]
  end
  if rows then add_probabilistic(result, true_, pred, rows, options.bins or 15, options.shot) end
  if options.width then add_width(result, input.widths(options.width, K)) end
  if options.agreement then
    result.agreement = significance.mean_sd(input.numbers(options.agreement, "agreement")).mean
  end
  return result
end

local PROBABILISTIC = {
  auc = function(true_, rows) return ranking.of(true_, rows, #rows[1]).auc end,
  nll = calibration.nll,
  brier = calibration.brier,
  ece = function(true_, rows)
    return calibration.ece(calibration.bins(true_, input.argmax(rows), rows, 15))
  end,
}

-- One metric of the catalog, without computing the others; nil if it is undefined. true_: a list of N
-- classes; rows: N rows of K probabilities; shot as in evaluate(). The two measures of chains are not
-- available.
function metric.value(name, true_, rows, shot)
  if PROBABILISTIC[name] then return PROBABILISTIC[name](true_, rows) end
  return confusion.summary(confusion.count(true_, input.argmax(rows), #rows[1]), shot)[name]
end

-- The same summary from a stored confusion matrix: K rows (true) of K counts, or such a tensor.
function metric.from_confusion(matrix, shot)
  if type(matrix) == "userdata" then matrix = input.counts(matrix) end
  check_per_class(shot, #matrix, "shot")
  return confusion.summary(matrix, shot)
end

-- Intervals of accuracy and macro-F1 by bootstrap; options {draws, level, seed}.
function metric.interval(true_, pred, K, options)
  true_ = input.classes(true_, K, "true")
  return bootstrap.interval(true_, input.classes(pred, K, "pred", #true_), K, options)
end

-- Intervals of the differences second − first, on the same images.
function metric.difference(true_, first, second, K, options)
  true_ = input.classes(true_, K, "true")
  return bootstrap.difference(true_, input.classes(first, K, "first", #true_),
    input.classes(second, K, "second", #true_), K, options)
end

-- McNemar's test of two predictions of the same images.
function metric.mcnemar(true_, first, second, K)
  true_ = input.classes(true_, K, "true")
  return significance.mcnemar(true_, input.classes(first, K, "first", #true_),
    input.classes(second, K, "second", #true_))
end

metric.paired_t = significance.paired_t   -- (first, second [, level]): values paired by seed
metric.mean_sd = significance.mean_sd     -- (values) → {n, mean, sd}

return metric
