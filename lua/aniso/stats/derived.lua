-- Metrics that are computed from stored predictions on demand. Their names:
--   tail@head=0.90      tail recall on test at the tilt that gives head recall 0.90 on validation; per run,
--                       so each fold's tilt is chosen on its own validation part (operating.lua)
--   auprc, auprc_many, auprc_medium, auprc_few      mean average precision, of all classes or a group
--   auc                 of pooled folds; a run stores its own
--   acc@coverage=0.80   accuracy on the 80 % of the images with the most confident predictions (risk.lua)
--   aurc                area under the curve of the risk over the coverage, smaller is better
--   NAME@uniform        NAME if all classes were equally frequent among the test images
--   NAME@reversed       NAME if the classes' shares of the training images were reversed: the most
--                       frequent class gets the share of the rarest, and so on (2107.09249)
-- For the last two, NAME is one of derived.reweighted. The weight of an image is the new share of its class
-- divided by its share of the test images; predictions do not change.
--   derived.parse(name) → {name = in its canonical form, higher, …} | nil      derived.value(what, source)
local catalog = require "aniso.stats.metric.catalog"
local confusions = require "aniso.stats.metric.confusion"
local operating = require "aniso.stats.operating"
local pooled = require "aniso.stats.pooled"
local ranking = require "aniso.stats.metric.ranking"
local risk = require "aniso.stats.risk"

local derived = {}

-- The one that comparisons and reports show.
derived.TAIL = "tail@head=0.9"
derived.entry = { name = derived.TAIL, higher = true, label = "tail recall at the tilt with head recall 0.9 "
  .. "on validation" }

derived.priors = { uniform = true, reversed = true }

-- Metrics to which a test prior can be applied.
derived.reweighted = { acc = true, macro_precision = true, macro_f1 = true, kappa = true, mcc = true,
  nll = true, brier = true }

local RANKED = { auc = true, auprc = true, auprc_many = true, auprc_medium = true, auprc_few = true }

local function higher_of(name)
  for _, entry in ipairs(catalog.metrics) do
    if entry.name == name then return entry.higher end
  end
  return true
end

-- The head recall of "tail@head=0.90", or nil. Raises if it is not a share.
local function target_of(name)
  local text = name:match "^tail@head=?(.*)$" or name:match "^few@many=?(.*)$"
  if not text then return nil end
  local target = tonumber(text)
  if not target or not (target > 0 and target < 1) then
    error(("%s: the head recall is a number between 0 and 1, such as tail@head=0.90"):format(name), 0)
  end
  return target
end

-- The coverage of "acc@coverage=0.80", or nil. Raises if it is not a share.
local function coverage_of(name)
  local text = name:match "^acc@coverage=?(.*)$" or name:match "^all@coverage=?(.*)$"
  if not text then return nil end
  local coverage = tonumber(text)
  if not coverage or not (coverage > 0 and coverage <= 1) then
    error(("%s: the coverage is a number above 0 and at most 1, such as acc@coverage=0.80"):format(name), 0)
  end
  return coverage
end

local parsed = {}

local function parse(name)
  local target = target_of(name)
  if target then return { name = ("tail@head=%.14g"):format(target), target = target, higher = true } end
  local coverage = coverage_of(name)
  if coverage then
    return { name = ("acc@coverage=%.14g"):format(coverage), coverage = coverage, higher = true }
  end
  if name == "aurc" then return { name = name, area = true, higher = false } end
  if RANKED[name] then return { name = name, ranked = name, higher = true } end
  local base, prior = name:match "^([%w_]+)@(%a+)$"
  if not base then return nil end
  base = catalog.aliases[base] or base
  if not derived.priors[prior] then
    error(("%s: a test prior is uniform or reversed, got %s"):format(name, prior), 0)
  end
  if not derived.reweighted[base] then
    local known = {}
    for known_name in pairs(derived.reweighted) do known[#known + 1] = known_name end
    table.sort(known)
    error(("%s: a test prior changes %s"):format(name, table.concat(known, ", ")), 0)
  end
  return { name = base .. "@" .. prior, base = base, prior = prior, higher = higher_of(base) }
end

function derived.parse(name)
  if parsed[name] == nil then parsed[name] = parse(name) or false end
  return parsed[name] or nil
end

-- ── values ──────────────────────────────────────────────────────────────────────────────
local function taus_of(source, target)
  local out = {}
  for p, part in ipairs(source.parts()) do
    local val = part.val()
    out[p] = val and val.probs and operating.tau_at(val, source.shot, target)
    if not out[p] then return nil end
  end
  return out
end

-- The tilts of a source's parts for a head recall on their validation parts; nil if a part has none. They
-- are kept in source.taus [opt].
function derived.taus(source, target)
  local kept = source.taus or {}
  if kept[target] == nil then kept[target] = taus_of(source, target) or false end
  return kept[target] or nil
end

-- The test predictions of each part of a source; nil if a part lacks probabilities.
function derived.tests(source)
  local out = {}
  for p, part in ipairs(source.parts()) do
    out[p] = part.test()
    if not out[p] or not out[p].probs then return nil end
  end
  return out
end

-- Predicted classes of all test images at the tilts of "tail@head=…", and true ones; nil if undefined.
function derived.tilted(name, source)
  local taus = derived.taus(source, derived.parse(name).target)
  local parts = taus and derived.tests(source)
  if not parts then return nil end
  local called = {}
  for p, part in ipairs(parts) do called[p] = { pred_idx = operating.predictions(part, taus[p]) } end
  return pooled(called, "pred_idx"), pooled(parts, "true_idx")
end

local function tail_at_head(what, source)
  local called, true_idx = derived.tilted(what.name, source)
  return called and operating.recall("few", source.shot, true_idx, called)
end

local function ranked(what, source)
  local parts = derived.tests(source)
  if not parts then return nil end
  local of = ranking.of(pooled(parts, "true_idx"), pooled(parts, "probs"), #source.shot)
  local values = ranking.auprc_of_groups(of.class_auprc, source.shot)
  values.auc, values.auprc = of.auc, of.auprc
  return values[what.ranked], values
end

-- The risk-coverage curve of a source, its parts pooled; nil if a part has no predictions.
function derived.risk_curve(source)
  local parts = {}
  for p, part in ipairs(source.parts()) do
    parts[p] = part.test()
    if not parts[p] or #parts[p].conf < #parts[p].true_idx then return nil end
  end
  return risk.curve { true_idx = pooled(parts, "true_idx"), pred_idx = pooled(parts, "pred_idx"),
    conf = pooled(parts, "conf") }
end

local function selective(what, source)
  local curve = derived.risk_curve(source)
  if not curve then return nil end
  return what.area and risk.area(curve) or what.coverage and 1 - risk.at(curve, what.coverage)
end

-- The share of each class that a test prior gives; counts: training images per class.
function derived.shares(prior, counts)
  local K, out, order, total = #counts, {}, {}, 0
  for k = 1, K do out[k], order[k], total = 1 / K, k, total + counts[k] end
  if prior == "uniform" then return out end
  table.sort(order, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  for rank, k in ipairs(order) do out[k] = counts[order[K + 1 - rank]] / total end
  return out
end

-- The factor of each class's test images; classes without any are left out of the shares.
local function weights(what, source, support)
  local shares, out, there = derived.shares(what.prior, source.counts), {}, 0
  for k, n in ipairs(support) do there = there + (n > 0 and shares[k] or 0) end
  for k, n in ipairs(support) do out[k] = n > 0 and shares[k] / there / n or 0 end
  return out
end

local SMALLEST = 1e-12 -- as in calibration.nll

-- The summed loss of the images of each class, and their number.
local function class_loss(name, parts, K)
  local sum, n = {}, {}
  for k = 1, K do sum[k], n[k] = 0, 0 end
  local true_idx = pooled(parts, "true_idx")
  for i, row in ipairs(pooled(parts, "probs")) do
    local class, value = true_idx[i] + 1, 0
    if name == "nll" then
      value = -math.log(math.max(row[class], SMALLEST))
    else
      for k, p in ipairs(row) do value = value + (p - (k == class and 1 or 0)) ^ 2 end
    end
    sum[class], n[class] = sum[class] + value, n[class] + 1
  end
  return sum, n
end

local function reweighted(what, source)
  if what.base == "nll" or what.base == "brier" then
    local parts = derived.tests(source)
    if not parts then return nil end
    local sum, n = class_loss(what.base, parts, #source.shot)
    local weight, value = weights(what, source, n), 0
    for k, w in ipairs(weight) do value = value + w * sum[k] end
    return value
  end
  local matrix, support, scaled = source.confusion(), {}, {}
  for i, row in ipairs(matrix) do
    support[i] = 0
    for _, count in ipairs(row) do support[i] = support[i] + count end
  end
  for i, weight in ipairs(weights(what, source, support)) do
    scaled[i] = {}
    for j, count in ipairs(matrix[i]) do scaled[i][j] = weight * count end
  end
  return confusions.summary(scaled, source.shot)[what.base]
end

-- → the value, nil if it is undefined or its predictions are not stored; the values of other metrics that
-- were computed with it, by name, or nil. source: {shot and counts (training images) per class, confusion() →
-- K rows of K counts, parts() → list of {test() → {true_idx, pred_idx, conf, probs = rows, one string or nil,
-- counts} or nil, val() → {true_idx, probs, counts} or nil}}.
function derived.value(what, source)
  if what.target then return tail_at_head(what, source) end
  if what.ranked then return ranked(what, source) end
  if what.coverage or what.area then return selective(what, source) end
  return reweighted(what, source)
end

return derived
