-- The evaluation at the end of a run: the best weights on the validation and the test part, by the
-- reverse chain and by the prior alone, all stored. The primary evaluation is the chain's; in a run without
-- a denoiser it is that of post_hoc, or else the prior's. With select.calibrate, all are stored a second time
-- with the calibration that validation chose, and the calibrated one of the primary kind is primary.
local catalog = require "aniso.stats.metric.catalog"
local metric = require "aniso.stats.metric"
local post_hoc = require "aniso.method.post_hoc"
local calibration = require "aniso.train.calibration"
local checkpoint = require "aniso.train.checkpoint"
local evaluation_row = require "aniso.train.evaluation_row"
local kept_weights = require "aniso.train.kept_weights"
local lockstep = require "aniso.train.lockstep"
local must = require("aniso.store.db_error").must
local provenance = require "aniso.train.provenance"

local final_evaluation = {}

local measure, store = evaluation_row.measure, evaluation_row.store

-- Raises if the data differ from those of the stored run: the numbers would not be comparable.
function final_evaluation.same_data(session, db, run)
  local stored, _, now = must(db:split_of(run)), provenance.identity(session)
  local _, before = provenance.identity(session, nil, session.dataset.earlier_sha256)
  if stored.sha256 ~= now and stored.sha256 == before then
    error(("run %s was made on the same files as an earlier version decoded them: JPEGs are now read through "
      .. "libjpeg-turbo and turned as their EXIF orientation requires, so its numbers would not be "
      .. "comparable; train it again, or use the version that made it"):format(run.name), 0)
  end
  if stored.sha256 ~= now then
    error(("run %s was made on other images or another split (%s, now %s): the files under "
      .. "data.root or the split's have changed"):format(run.name, stored.sha256:sub(1, 12),
      now:sub(1, 12)), 0)
  end
end

local function higher_is_better(name)
  for _, entry in ipairs(metric.catalog) do
    if entry.name == name then return entry.higher end
  end
end

-- Turns the scores of post_hoc into probabilities; on the validation part, chooses τ if none is given.
local function apply_post_hoc(session, predictions, part)
  local choice, model = session.config.post_hoc, session.model
  local function probabilities(tau)
    return post_hoc.probabilities(choice, model, predictions.scores, tau)
  end
  if not post_hoc.chooses(choice) then
    session.tau = choice.tau
  elseif part == "val" then
    local name, shot = session.config.select.metric, session.dataset.split.shot
    session.tau = post_hoc.best_tau(function(tau)
      return metric.value(name, predictions["true"], probabilities(tau), shot)
    end, higher_is_better(name))
    if not session.tau then
      error(("the validation part has no %s, so post_hoc.tau cannot be chosen by it; give post_hoc.tau or "
        .. "another select.metric"):format(catalog.printed(name)), 0)
    end
  end
  predictions.post_hoc = probabilities(session.tau)
end

-- → session → metrics of the primary evaluation. The sessions of a group share the prior: its
-- predictions are one table and measured once. chosen: session → what validation chose for its
-- calibration, filled on the validation part.
local function evaluate_part(sessions, part, chosen)
  local predictions = lockstep.predict(sessions, part, function(session)
    return calibration.hows(session, chosen[session])
  end, { tick = function() sessions[1]:heartbeat() end, post_hoc = true, keep = calibration.keeps(sessions) })
  local dataset, measured, prior = sessions[1].dataset, {}, nil
  lockstep.each(sessions, function(session)
    local own, kind, rule = predictions[session][1], evaluation_row.primary_kind(session),
      session.config.select.calibrate
    local how = session.config.sampler
    if kind == "post_hoc" then apply_post_hoc(session, own, part) end
    measured[session] = store(session, part, own, measure(own, kind, part, dataset),
      { kind = kind, how = how, primary = not rule })
    if own.prior and kind ~= "prior" then
      prior = prior or measure(own, "prior", part, dataset)
      store(session, part, own, prior, { kind = "prior", how = how, primary = false })
    end
    if not rule then return end
    if part == "val" then chosen[session] = calibration.choose(session, predictions[session]) end
    measured[session] = calibration.store(session, part, predictions[session], chosen[session], true)
  end)
  return measured
end

local function load_best(session)
  kept_weights.narrow(session)
  local meta = checkpoint.load_best(session, session.record.db, session.uid)
  session.best = { epoch = meta.epoch, value = meta.value }
end

-- → session → metrics of the test part, for the sessions that are still running.
function final_evaluation.evaluate(sessions)
  lockstep.each(sessions, load_best)
  local running, chosen = lockstep.running(sessions), {}
  if #running > 0 then evaluate_part(running, "val", chosen) end
  running = lockstep.running(running)
  return #running > 0 and evaluate_part(running, "test", chosen) or {}
end

return final_evaluation
