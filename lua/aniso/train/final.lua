-- The evaluation that a run is known by: the best weights on the validation and the test
-- part, by the reverse chain (primary) and by the prior alone, all stored.
local core = require "aniso.core"
local evaluate = require "aniso.evaluate"
local metric = require "aniso.metric"
local host = require "aniso.train.host"
local state = require "aniso.train.state"
local together = require "aniso.train.together"

local final = {}

-- The data must be what the run was made on: its numbers would be compared otherwise.
function final.same_data(session, db, run)
  local stored, _, now = db:split_of(run), host.identity(session)
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

local function store(session, part, how, which, primary, predictions)
  local measured = evaluate.measure(predictions, which, session.dataset)
  local results = {}
  for _, entry in ipairs(metric.catalog) do results[entry.name] = measured[entry.name] end
  if part == "test" then -- 95 % bootstrap intervals over the images
    local interval = metric.interval(predictions["true"], measured.pred, session.model.K)
    results.acc, results.macro_f1 = interval.acc, interval.macro_f1
  end
  local chain = which == "chain"
  local select = session.config.select
  session.record:evaluation {
    part = part, weights = "best", step = session.best.epoch, primary = primary,
    selected_by = select.keep == "last" and "last epoch"
      or ("val %s of %s"):format(select.metric, select.of),
    sampler = chain and how[1] or "prior", steps = chain and how.steps or 0,
    draws = chain and how.draws or 1, seed = chain and how.seed or 0,
    n = #predictions["true"], confusion = measured.confusion, results = results,
    class_scores = { auc = measured.class_auc, interval_width = measured.class_width },
    bins = measured.bins, predictions = stored_predictions(predictions, measured, which),
  }
  return measured
end

-- → session → metrics of the chain
local function evaluate_part(sessions, part, primary)
  local predictions = together.predict(sessions, part, function(session)
    return session.config.sampler
  end, { tick = sessions[1].alive })
  local measured = {}
  together.each(sessions, function(session)
    local how, own = session.config.sampler, predictions[session]
    measured[session] = store(session, part, how, "chain", primary, own)
    if primary and own.prior then store(session, part, how, "prior", false, own) end
  end)
  return measured
end

local function load_best(session)
  local path = state.path(session, "best")
  local tensors, meta = core.checkpoint.load(path)
  if not tensors then error(meta, 0) end
  session.best = { epoch = meta.epoch, value = meta.value }
  state.load_weights(session, path)
end

-- → session → metrics of the test part, for those that live to it
function final.evaluate(sessions)
  together.each(sessions, load_best)
  local living = together.living(sessions)
  if #living > 0 then evaluate_part(living, "val", true) end
  living = together.living(living)
  return #living > 0 and evaluate_part(living, "test", true) or {}
end

-- A further evaluation of a finished run, beside the primary one.
function final.again(session)
  load_best(session)
  local predictions = evaluate.predict(session.model, session.dataset, "test",
    session.config.sampler, { tick = session.alive })
  local measured = store(session, "test", session.config.sampler, "chain", false, predictions)
  session.record:flush()
  return measured
end

return final
