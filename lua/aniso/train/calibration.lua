-- select.calibrate in a run: the chains that it requires, the choice on the validation part, and the
-- evaluations that are stored with that choice (method/calibrate.lua has the grid and the choice).
local core = require "aniso.core"
local calibrate = require "aniso.method.calibrate"
local metric = require "aniso.stats.metric"
local predict = require "aniso.method.predict"
local shift = require "aniso.stats.tilt"
local evaluation_row = require "aniso.train.evaluation_row"

local calibration = {}

local KINDS = { "chain", "post_hoc", "prior" }

-- The sampler's options of the chains that a session runs on a part, those of its own sampler first. chosen:
-- the choice on the validation part; nil on that part itself.
function calibration.hows(session, chosen)
  local how, rule = session.config.sampler, session.config.select.calibrate
  local out = { how }
  if not rule or not session.model.denoiser then return out end
  if not chosen then
    for i, one in ipairs(calibrate.chains(rule, how, session.model.schedule.coupling)) do out[i] = one.how end
  elseif not calibrate.same_chains(how, chosen.chain.how) then
    out[2] = chosen.chain.how
  end
  return out
end

-- Whether one of the sessions is calibrated, so that the ends of the chains are kept.
function calibration.keeps(sessions)
  for _, session in ipairs(sessions) do
    if session.config.select.calibrate and session.model.denoiser then return true end
  end
  return false
end

local function choose_chain(session, of, predictions)
  local model = session.model
  local runs = calibrate.chains(of.o, session.config.sampler, model.schedule.coupling)
  for i, run in ipairs(runs) do
    function run.read(temperature)
      if temperature == run.how.temperature then return predictions[i].chain end
      local how = setmetatable({ temperature = temperature }, { __index = run.how })
      return predict.read_again(predictions[i], model, how).chain
    end
  end
  return calibrate.choose(of, runs)
end

-- The choice on the validation part for a session: kind → the choice, for the kinds that it has, each with
-- `uncalibrated`, the metric without calibration. predictions: of hows().
function calibration.choose(session, predictions)
  local dataset, rule, plain = session.dataset, session.config.select.calibrate, predictions[1]
  local of = { o = rule, counts = dataset.counts, labels = plain["true"], shot = dataset.split.shot }
  local chosen = {}
  for _, kind in ipairs(KINDS) do
    local rows = plain[kind]
    if rows then
      local choice = kind == "chain" and choose_chain(session, of, predictions)
        or calibrate.choose_tau(of, rows)
      choice.uncalibrated = metric.value(rule.metric, of.labels, rows, of.shot)
      chosen[kind] = choice
    end
  end
  return chosen
end

-- The predictions of a kind with its choice applied.
local function calibrated(session, part, predictions, kind, choice)
  if kind == "chain" then
    local index = part == "val" and choice.index or #predictions
    return predict.read_again(predictions[index], session.model, choice.how)
  end
  local rows = predictions[1][kind]
  if choice.tau ~= 0 then
    rows = shift.apply(rows, shift.prior(session.dataset.counts, choice.tau)):totable()
  end
  return { ["true"] = predictions[1]["true"], [kind] = rows, encoding_s = predictions[1].encoding_s }
end

-- The fields of a choice in the row of an evaluation.
local function record_of(session, choice)
  return { rule = session.config.select.calibrate, part = "val", tau = choice.tau, value = choice.value,
    temperature = choice.temperature, level = choice.level, uncalibrated = choice.uncalibrated }
end

-- The name of a calibration in the table `evaluation`. configured: {sampler =, calibrate =} of the run. A
-- rule other than the run's, or a sampler that is read in another way, has its own name, so that no
-- evaluation replaces one that another rule made.
function calibration.variant(session, configured)
  local rule, how, before = session.config.select.calibrate, session.config.sampler, configured.sampler
  local own = core.json.encode { rule, how.level or false, how.temperature }
  if own == core.json.encode { configured.calibrate or false, before.level or false, before.temperature } then
    return "calibrated"
  end
  return ("calibrated %s %s"):format(rule.metric, core.sha256.text(own):sub(1, 6))
end

-- Stores the calibrated evaluations of a part. primary: whether those of the run's primary kind are
-- primary; variant [opt]: calibration.variant(). → their metrics
function calibration.store(session, part, predictions, chosen, primary, variant)
  local main, measured = evaluation_row.primary_kind(session), nil
  for _, kind in ipairs(KINDS) do
    local choice = chosen[kind]
    if choice then
      local read = calibrated(session, part, predictions, kind, choice)
      local of = evaluation_row.measure(read, kind, part, session.dataset)
      evaluation_row.store(session, part, read, of, { kind = kind, how = choice.how,
        primary = primary and kind == main, variant = variant or "calibrated",
        calibration = record_of(session, choice) })
      if kind == main then measured = of.measured end
    end
  end
  return measured
end

return calibration
