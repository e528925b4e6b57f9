-- What is stored about a member of a group (stats/groups.lua). A member with folds has `parts`, a list of
-- {run_id, eval_id, fold, …}; its counts are sums over them, and its predictions follow each other in the
-- order of the folds, so that every image counts once.
local catalog = require "aniso.stats.metric.catalog"
local calibration = require "aniso.stats.metric.calibration"
local confusions = require "aniso.stats.metric.confusion"
local derived = require "aniso.stats.derived"
local operating = require "aniso.stats.operating"
local read = require "aniso.store.kept_predictions"
local must = require("aniso.store.db_error").must

local members = {}

local function parts_of(member)
  return member.parts or { member }
end

-- K rows of K counts.
function members.confusion(db, member)
  local matrices = {}
  for i, part in ipairs(parts_of(member)) do matrices[i] = must(db:confusion(part.eval_id)):totable() end
  return confusions.sum(matrices)
end

-- Rows as db:classes() gives them. Of folds: their counts are sums, n_train is the mean over the folds,
-- and the scores are left out. scores [opt]: false leaves them out everywhere.
function members.classes(db, member, scores)
  if not member.parts then return must(db:classes(member.eval_id, scores)) end
  local out, n = confusions.classes(members.confusion(db, member)), #member.parts
  for _, part in ipairs(member.parts) do
    for j, class in ipairs(must(db:classes(part.eval_id, false))) do
      out[j].class, out[j].shot, out[j].scores = class.class, class.shot, {}
      out[j].n_train = (out[j].n_train or 0) + class.n_train / n
    end
  end
  for _, class in ipairs(out) do class.n_train = math.floor(class.n_train + 0.5) end
  return out
end

-- Bins of the calibration error; an empty list where none are stored.
function members.bins(db, member)
  local sum = {}
  for _, part in ipairs(parts_of(member)) do
    for b, bin in ipairs(must(db:bins(part.eval_id))) do
      sum[b] = sum[b] or { n = 0, sum_conf = 0, n_correct = 0 }
      for key, value in pairs(sum[b]) do sum[b][key] = value + bin[key] end
    end
  end
  return sum
end

-- ── predictions ─────────────────────────────────────────────────────────────────────────
-- Which test images of a run belong together: a number per image; nil where each is alone.
local function clusters_of(db, run_id)
  if db:version() < 6 then return nil end
  local rows, out = must(db:query([[
    SELECT cluster FROM split_cluster WHERE split_id = (SELECT split_id FROM run WHERE run_id = ?1)
     ORDER BY sample_idx]], run_id)), {}
  for i, row in ipairs(rows) do out[i] = row.cluster end
  return #out > 0 and out or nil
end

local function append(out, list)
  table.move(list, 1, #list, #out + 1, out)
end

-- What the tests over images need of a member: {true_idx, pred_idx, clusters or nil, tilted = pred_idx at
-- the tilt of derived.TAIL or nil}; nil where a part has no predictions.
function members.called(db, member)
  local all = members.predictions(db, member)
  if not all then return nil end
  local tilted = all.probs and derived.tilted(derived.TAIL, members.source(db, member, "packed"))
  return { true_idx = all.true_idx, pred_idx = all.pred_idx, clusters = all.clusters, tilted = tilted }
end

-- {true_idx, pred_idx, probs as strings or nil, clusters or nil} of all images; nil where a part has none
-- stored.
function members.predictions(db, member)
  local out, any = { true_idx = {}, pred_idx = {}, probs = {}, clusters = {} }, false
  for _, part in ipairs(parts_of(member)) do
    local one = read(db, part.eval_id, "packed")
    if not one then return nil end
    append(out.true_idx, one.true_idx)
    append(out.pred_idx, one.pred_idx)
    if one.probs and out.probs then append(out.probs, one.probs) else out.probs = nil end
    local clusters, all, before = clusters_of(db, part.run_id), out.clusters, #out.clusters
    any = any or clusters ~= nil
    for i = 1, #one.true_idx do
      all[before + i] = clusters and clusters[i] or -before - i -- one alone: a number that no cluster has
    end
  end
  if not any then out.clusters = nil end
  return out
end

-- ── what is computed when it is wanted ──────────────────────────────────────────────────
-- The evaluation on the validation part by the weights and the sampler of a test evaluation.
local VALIDATION = [[
  SELECT v.eval_id FROM evaluation t JOIN evaluation v ON v.run_id = t.run_id AND v.part = 'val'
     AND v.weights = t.weights AND v.step = t.step AND v.sampler = t.sampler
     AND v.sample_steps = t.sample_steps AND v.draws = t.draws AND v.seed = t.seed
   WHERE t.eval_id = ?1 ORDER BY v.is_primary = t.is_primary DESC, v.eval_id DESC LIMIT 1]]

local function classes_of(db, run_id)
  local counts, shot = {}, {}
  for i, row in ipairs(must(db:query([[
    SELECT n_train, shot FROM split_class WHERE split_id = (SELECT split_id FROM run WHERE run_id = ?1)
     ORDER BY class_idx]], run_id))) do
    counts[i], shot[i] = row.n_train, row.shot
  end
  return counts, shot
end

local function with_counts(predictions, counts)
  if predictions then predictions.counts = counts end
  return predictions
end

-- The tilts that derived.taus() found for a member, by head recall; numbers alone, so that all are kept.
local kept_taus = setmetatable({}, { __mode = "k" })
local function taus_of(db, member)
  local own, ids = kept_taus[db] or {}, {}
  for p, part in ipairs(parts_of(member)) do ids[p] = part.eval_id end
  local name = table.concat(ids, " ")
  kept_taus[db], own[name] = own, own[name] or {}
  return own[name]
end

-- The argument of derived.value(), made for one call: predictions of the test part are read once. Its counts
-- are the training images of each class, summed over folds. probs [opt]: of the predictions, as
-- db:predictions() takes it.
function members.source(db, member, probs)
  local source, tests, counts = { taus = taus_of(db, member), counts = {} }, {}, {}
  for p, part in ipairs(parts_of(member)) do
    local shot
    counts[p], shot = classes_of(db, part.run_id)
    source.shot = source.shot or shot
    for j, n in ipairs(counts[p]) do source.counts[j] = (source.counts[j] or 0) + n end
  end
  function source.confusion() return members.confusion(db, member) end
  function source.parts()
    local out = {}
    for p, part in ipairs(parts_of(member)) do
      out[p] = {
        test = function()
          tests[p] = tests[p] or with_counts(read(db, part.eval_id, probs), counts[p])
          return tests[p]
        end,
        val = function()
          local row = must(db:query(VALIDATION, part.eval_id))[1]
          return row and with_counts(read(db, row.eval_id, probs), counts[p])
        end,
      }
    end
    return out
  end
  return source
end

local function operating_curve(source)
  local parts = {}
  for p, part in ipairs(source.parts()) do
    parts[p] = part.test()
    if not parts[p] or not parts[p].probs then return nil end
  end
  local curve = operating.curve(parts, source.shot)
  return curve.many[1] and curve.few[1] and curve or nil
end

-- The operating curve (stats/operating.lua) of a member on test, its folds pooled; nil where predictions
-- with probabilities are not stored, or there is no head or no tail.
function members.operating_curve(db, member)
  return operating_curve(members.source(db, member, "packed"))
end

-- The risk-coverage curve (stats/risk.lua) of a member on test, its folds pooled; nil where predictions are
-- not stored.
function members.risk_curve(db, member)
  return derived.risk_curve(members.source(db, member, false))
end

-- Both curves, {operating =, risk =}, with one reading of the predictions.
function members.predicted_curves(db, member)
  local source = members.source(db, member, "packed")
  return { operating = operating_curve(source), risk = derived.risk_curve(source) }
end

-- Mean of a number over the parts, weighted by their images; nil where one lacks it.
local function weighted(_, member, name)
  local sum, n = 0, 0
  for _, part in ipairs(member.parts) do
    local value = part.metrics[name]
    if not value then return nil end
    sum, n = sum + part.n * value, n + part.n
  end
  return sum / n
end

-- Means over images, so that the mean of folds is that of the pooled images.
local OVER_IMAGES = { nll = true, brier = true, interval_width = true, agreement = true }

local function pooled_value(db, member, name)
  if OVER_IMAGES[name] then return weighted(db, member, name) end
  if name == "ece" then return calibration.ece(members.bins(db, member)) end
  if not member.summary then
    local _, shot = classes_of(db, member.parts[1].run_id)
    member.summary = confusions.summary(members.confusion(db, member), shot)
  end
  local value = member.summary[name]
  return type(value) == "number" and value or nil
end

local known = {}
for _, entry in ipairs(catalog.metrics) do known[entry.name] = true end

-- Completes member.metrics: a name that it lacks is computed when it is first read. Metrics of stats/derived
-- come from stored predictions; of folds, every metric is that of the pooled predictions, and what is not
-- a metric, as τ, has its mean.
function members.complete(db, member)
  local undefined = {}
  setmetatable(member.metrics, { __index = function(metrics, name)
    if type(name) ~= "string" or undefined[name] then return nil end
    local what, value = derived.parse(name), nil
    if what and what.name ~= name then return metrics[what.name] end
    if what then
      local others
      local packed = (what.target or what.ranked) and "packed"
      value, others = derived.value(what, members.source(db, member, packed))
      for other, one in pairs(others or {}) do rawset(metrics, other, one) end
    elseif member.parts then
      value = (known[name] and pooled_value or weighted)(db, member, name)
    end
    if value == nil then undefined[name] = true else rawset(metrics, name, value) end
    return value
  end })
  return member
end

return members
