-- One evaluation of a run, from its predictions to its row: what is measured, and what the recorder
-- receives. Predictions are of a kind: "chain", "prior" or "post_hoc".
local core = require "aniso.core"
local metric = require "aniso.stats.metric"
local post_hoc = require "aniso.method.post_hoc"
local predict = require "aniso.method.predict"
local sampler = require "aniso.method.sampler"

local evaluation_row = {}

-- The kind of predictions in the run's primary evaluations.
function evaluation_row.primary_kind(session)
  return session.model.denoiser and "chain" or session.config.post_hoc and "post_hoc" or "prior"
end

-- All metrics of a kind, and on the test part 95 % bootstrap intervals over the images.
function evaluation_row.measure(predictions, kind, part, dataset)
  local measured = predict.measure(predictions, kind, dataset)
  return { measured = measured, interval = part == "test"
    and metric.interval(predictions["true"], measured.pred, dataset.K) or {} }
end

-- The rows of the store's prediction table; conf is the predicted class's probability.
local function stored_predictions(session, predictions, measured, kind)
  local rows, conf = predictions[kind], {}
  for i, row in ipairs(rows) do conf[i] = row[measured.pred[i] + 1] end
  return { true_idx = predictions["true"], pred_idx = measured.pred, conf = conf,
    probs = session.config.select.predictions ~= "labels" and core.tensor.from(rows) or nil }
end

local function results_of(session, of, kind)
  local results = {}
  for _, entry in ipairs(metric.catalog) do results[entry.name] = of.measured[entry.name] end
  for _, name in ipairs { "acc", "macro_f1" } do results[name] = of.interval[name] or results[name] end
  if kind == "post_hoc" then results.tau = session.tau end
  return results
end

-- How the weights and, for post_hoc, its τ were selected.
local function rule_of(session, kind)
  local select, choice = session.config.select, session.config.post_hoc
  local rule = select.keep == "last" and "last epoch"
    or ("val %s of %s"):format(select.metric, select.of)
  if kind ~= "post_hoc" or not session.tau then return rule end
  return ("%s; tau %g %s"):format(rule, session.tau, post_hoc.chooses(choice)
    and "by val " .. select.metric or "as given")
end

-- The name of the kind of predictions in the table `evaluation`: "ddim", "ddim + calibrated".
function evaluation_row.sampler_name(session, as)
  local name = as.kind == "chain" and as.how[1] or as.kind == "post_hoc" and session.config.post_hoc[1]
    or "prior"
  return as.variant and ("%s + %s"):format(name, as.variant) or name
end

-- Seconds per image from its pixels to its class; nil for a part without images.
local function image_seconds(predictions, chain)
  local n, seconds = #predictions["true"], predictions.encoding_s
  if not seconds or n == 0 then return nil end
  return (seconds + (chain and predictions.seconds or 0)) / n
end

-- Stores an evaluation → its metrics. of: the result of measure(); as: {kind, primary, how = the sampler's
-- options, variant [opt] = what differs from the sampler as configured, calibration [opt] = the rule and its
-- choice}.
function evaluation_row.store(session, part, predictions, of, as)
  local measured, chain, how = of.measured, as.kind == "chain", as.how
  session.record:evaluation {
    part = part, weights = "best", step = session.best.epoch, primary = as.primary,
    selected_by = rule_of(session, as.kind), sampler = evaluation_row.sampler_name(session, as),
    steps = chain and how.steps or 0, draws = chain and how.draws or 1, seed = chain and how.seed or 0,
    passes = chain and sampler.passes(how) or 0, image_s = image_seconds(predictions, chain),
    n = #predictions["true"], confusion = measured.confusion, results = results_of(session, of, as.kind),
    class_scores = { auc = measured.class_auc, auprc = measured.class_auprc,
      interval_width = measured.class_width },
    bins = measured.bins, predictions = stored_predictions(session, predictions, measured, as.kind),
    calibration = as.calibration,
  }
  return measured
end

return evaluation_row
