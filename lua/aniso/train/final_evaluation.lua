-- The evaluation at the end of a run: the best weights on the validation and the test part, by the
-- reverse chain and by the prior alone, all stored. The primary evaluation is the chain's; in a run without
-- a denoiser that of post_hoc, or else the prior's.
local core = require "aniso.core"
local metric = require "aniso.stats.metric"
local post_hoc = require "aniso.method.post_hoc"
local predict = require "aniso.method.predict"
local checkpoint = require "aniso.train.checkpoint"
local lockstep = require "aniso.train.lockstep"
local provenance = require "aniso.train.provenance"

local final_evaluation = {}

-- Raises where the data differ from those of the stored run: its numbers would not be comparable.
function final_evaluation.same_data(session, db, run)
  local stored, _, now = db:split_of(run), provenance.identity(session)
  if stored.sha256 ~= now then
    error(("run %s was made on other images or another split (%s, now %s): the files under "
      .. "data.root or the split's have changed"):format(run.name, stored.sha256:sub(1, 12),
      now:sub(1, 12)), 0)
  end
end

-- The rows of the store's prediction table; conf is the predicted class's probability.
local function stored_predictions(predictions, measured, which)
  local rows, conf = predictions[which], {}
  for i, row in ipairs(rows) do conf[i] = row[measured.pred[i] + 1] end
  return { true_idx = predictions["true"], pred_idx = measured.pred, conf = conf,
    probs = core.tensor.from(rows) }
end

-- All metrics of `which`, and on the test part 95 % bootstrap intervals over the images.
local function measure(predictions, which, part, dataset)
  local measured = predict.measure(predictions, which, dataset)
  return { measured = measured, interval = part == "test"
    and metric.interval(predictions["true"], measured.pred, dataset.K) or {} }
end

-- The kind of predictions that the run's primary evaluations are of.
local function primary_kind(session)
  return session.model.denoiser and "chain" or session.config.post_hoc and "post_hoc" or "prior"
end

-- How the weights and, for post_hoc, its τ were selected.
local function rule_of(session, which)
  local select, choice = session.config.select, session.config.post_hoc
  local rule = select.keep == "last" and "last epoch"
    or ("val %s of %s"):format(select.metric, select.of)
  if which ~= "post_hoc" or not session.tau then return rule end
  return ("%s; tau %g %s"):format(rule, session.tau, post_hoc.chooses(choice)
    and "by val " .. select.metric or "as given")
end

-- What the table `evaluation` calls the kind of predictions.
local function sampler_name(session, which)
  if which == "chain" then return session.config.sampler[1] end
  return which == "post_hoc" and session.config.post_hoc[1] or "prior"
end

local function store(session, part, which, primary, predictions, of)
  local measured, results = of.measured, {}
  for _, entry in ipairs(metric.catalog) do results[entry.name] = measured[entry.name] end
  for _, name in ipairs { "acc", "macro_f1" } do
    results[name] = of.interval[name] or results[name]
  end
  if which == "post_hoc" then results.tau = session.tau end
  local chain, how = which == "chain", session.config.sampler
  session.record:evaluation {
    part = part, weights = "best", step = session.best.epoch, primary = primary,
    selected_by = rule_of(session, which), sampler = sampler_name(session, which),
    steps = chain and how.steps or 0, draws = chain and how.draws or 1, seed = chain and how.seed or 0,
    n = #predictions["true"], confusion = measured.confusion, results = results,
    class_scores = { auc = measured.class_auc, interval_width = measured.class_width },
    bins = measured.bins, predictions = stored_predictions(predictions, measured, which),
  }
end

local function higher_is_better(name)
  for _, entry in ipairs(metric.catalog) do
    if entry.name == name then return entry.higher end
  end
end

-- Turns the scores of post_hoc into probabilities; on the validation part chooses τ where none is given.
local function apply_post_hoc(session, predictions, part)
  local choice, model = session.config.post_hoc, session.model
  local function probabilities(tau)
    return post_hoc.probabilities(choice, model, predictions.scores, tau)
  end
  if not post_hoc.chooses(choice) then
    session.tau = choice.tau
  elseif part == "val" then
    local name = session.config.select.metric
    session.tau = post_hoc.best_tau(function(tau)
      predictions.post_hoc = probabilities(tau)
      return predict.measure(predictions, "post_hoc", session.dataset)[name]
    end, higher_is_better(name))
    if not session.tau then
      error(("the validation part has no %s, so post_hoc.tau cannot be chosen by it; give post_hoc.tau or "
        .. "another select.metric"):format(name), 0)
    end
  end
  predictions.post_hoc = probabilities(session.tau)
end

-- → session → metrics of the primary evaluation. The sessions of a group share the prior: its
-- predictions are one table and measured once.
local function evaluate_part(sessions, part)
  local predictions = lockstep.predict(sessions, part, function(session)
    return session.config.sampler
  end, { tick = function() sessions[1]:heartbeat() end, post_hoc = true })
  local dataset, measured, prior = sessions[1].dataset, {}, nil
  lockstep.each(sessions, function(session)
    local own, kind = predictions[session], primary_kind(session)
    if kind == "post_hoc" then apply_post_hoc(session, own, part) end
    local primary = measure(own, kind, part, dataset)
    store(session, part, kind, true, own, primary)
    measured[session] = primary.measured
    if not own.prior or kind == "prior" then return end
    prior = prior or measure(own, "prior", part, dataset)
    store(session, part, "prior", false, own, prior)
  end)
  return measured
end

local function load_best(session)
  local meta = checkpoint.load_weights(session, checkpoint.path(session, "best"))
  session.best = { epoch = meta.epoch, value = meta.value }
end

-- → session → metrics of the test part, for the sessions that are still running.
function final_evaluation.evaluate(sessions)
  lockstep.each(sessions, load_best)
  local running = lockstep.running(sessions)
  if #running > 0 then evaluate_part(running, "val") end
  running = lockstep.running(running)
  return #running > 0 and evaluate_part(running, "test") or {}
end

-- A further evaluation of a finished run, in addition to the primary one.
function final_evaluation.again(session)
  if not session.model.denoiser then
    error("the run has no denoiser (denoiser = none), so there is no sampler to evaluate it with", 0)
  end
  load_best(session)
  local predictions = predict.predict(session.model, session.dataset, "test",
    session.config.sampler, { tick = function() session:heartbeat() end })
  local chain = measure(predictions, "chain", "test", session.dataset)
  store(session, "test", "chain", false, predictions, chain)
  session.record:flush()
  return chain.measured
end

return final_evaluation
