-- Results of the stored predictions of a member of a group (stats/groups.lua): the predicted classes of its
-- images, its curves, and the source of metrics that are computed when they are read. Predictions of folds
-- are concatenated in the order of the folds, so that every image counts once.
local derived = require "aniso.stats.derived"
local members = require "aniso.store.members"
local operating = require "aniso.stats.operating"
local pooled = require "aniso.stats.pooled"
local read = require "aniso.store.kept_predictions"
local must = require("aniso.store.db_error").must

local predictions = {}

-- The cluster of each test image of a run, as a number; nil if no two images belong together.
local function clusters_of(db, run_id)
  if db:version() < 6 then return nil end
  local rows, out = must(db:query([[
    SELECT cluster FROM split_cluster WHERE split_id = (SELECT split_id FROM run WHERE run_id = ?1)
     ORDER BY sample_idx]], run_id)), {}
  for i, row in ipairs(rows) do out[i] = row.cluster end
  return #out > 0 and out or nil
end

-- The evaluation on the validation part with the weights and the sampler of a test evaluation.
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

local function with_counts(part, counts)
  if part then part.counts = counts end
  return part
end

-- The tilts that derived.taus() found for a member, by head recall. They are only numbers, so all are kept.
local kept_taus = setmetatable({}, { __mode = "k" })
local function taus_of(db, member)
  local own, ids = kept_taus[db] or {}, {}
  for p, part in ipairs(members.parts(member)) do ids[p] = part.eval_id end
  local name = table.concat(ids, " ")
  kept_taus[db], own[name] = own, own[name] or {}
  return own[name]
end

-- The argument of derived.value(), made for one call, so that predictions of the test part are read once. Its
-- counts are the training images of each class, summed over folds. probs [opt]: as for db:predictions(), of
-- the test part.
function predictions.source(db, member, probs)
  local source, tests, counts = { taus = taus_of(db, member), counts = {} }, {}, {}
  for p, part in ipairs(members.parts(member)) do
    local shot
    counts[p], shot = classes_of(db, part.run_id)
    source.shot = source.shot or shot
    for j, n in ipairs(counts[p]) do source.counts[j] = (source.counts[j] or 0) + n end
  end
  function source.confusion() return members.confusion(db, member) end
  function source.parts()
    local out = {}
    for p, part in ipairs(members.parts(member)) do
      out[p] = {
        test = function()
          tests[p] = tests[p] or with_counts(read(db, part.eval_id, probs), counts[p])
          return tests[p]
        end,
        val = function()
          local row = must(db:query(VALIDATION, part.eval_id))[1]
          return row and with_counts(read(db, row.eval_id, "alone"), counts[p])
        end,
      }
    end
    return out
  end
  return source
end

local function operating_curve(source)
  local parts = derived.tests(source)
  local curve = parts and operating.curve(parts, source.shot)
  return curve and curve.many[1] and curve.few[1] and curve or nil
end

-- The cluster of each image of all parts; an image without a cluster gets a number of its own. nil if no two
-- images belong together. tests: the predictions of each part.
local function all_clusters(db, member, tests)
  local lists, any, out = {}, false, {}
  for p, part in ipairs(members.parts(member)) do
    lists[p] = clusters_of(db, part.run_id) or false
    any = any or lists[p]
  end
  if not any then return nil end
  for p, clusters in ipairs(lists) do
    local before = #out
    for i = 1, #tests[p].true_idx do out[before + i] = clusters and clusters[i] or -before - i end
  end
  return out
end

local function called(db, member, source)
  local tests = {}
  for p, part in ipairs(source.parts()) do
    tests[p] = part.test()
    if not tests[p] then return nil end
  end
  local out = { true_idx = pooled(tests, "true_idx"), pred_idx = pooled(tests, "pred_idx") }
  out.clusters, out.tilted = all_clusters(db, member, tests), (derived.tilted(derived.TAIL, source))
  return out
end

-- The input of the tests over images for a member: {true_idx, pred_idx, clusters or nil, tilted = pred_idx at
-- the tilt of derived.TAIL or nil}; nil if a part has no predictions.
function predictions.called(db, member)
  return called(db, member, predictions.source(db, member, "packed"))
end

-- The operating curve (stats/operating.lua) of a member on test, its folds pooled; nil if predictions
-- with probabilities are not stored, or there is no head or no tail.
function predictions.operating_curve(db, member)
  return operating_curve(predictions.source(db, member, "packed"))
end

-- The risk-coverage curve (stats/risk.lua) of a member on test, its folds pooled; nil if predictions are
-- not stored.
function predictions.risk_curve(db, member)
  return derived.risk_curve(predictions.source(db, member, false))
end

-- All three, {called =, operating =, risk =}, and the member's derived.TAIL, from one reading of the
-- predictions.
function predictions.all(db, member)
  local source = predictions.source(db, member, "packed")
  local own = called(db, member, source)
  if own and own.tilted then
    local tail = operating.recall("few", source.shot, own.true_idx, own.tilted)
    rawset(member.metrics, derived.TAIL, tail)
  end
  return { called = own, operating = operating_curve(source), risk = derived.risk_curve(source) }
end

return predictions
