-- Further evaluations of a finished run: its best weights by another sampler, or read or calibrated in
-- another way, each stored next to the run's primary evaluation, which stays primary.
-- configured: {sampler =, calibrate =} of the run; config: the run's, with the sampler and the rule of the
-- further evaluation in their places.
local core = require "aniso.core"
local predict = require "aniso.method.predict"
local tilt = require "aniso.method.tilt"
local calibration = require "aniso.train.calibration"
local checkpoint = require "aniso.train.checkpoint"
local evaluation_row = require "aniso.train.evaluation_row"

local further_evaluation = {}

-- What a sampler's options change in how the chains of `configured` are run and read, as a text; nil if
-- nothing. Kind, steps, draws and seed have columns of their own.
local function variant(how, configured)
  local parts = {}
  if how.level ~= configured.level then parts[#parts + 1] = ("level %s"):format(how.level) end
  local now, before = tilt.describe(how.tilt), tilt.describe(configured.tilt)
  if now ~= before then parts[#parts + 1] = now end
  if how.probabilities ~= configured.probabilities then parts[#parts + 1] = how.probabilities end
  if how.temperature ~= configured.temperature then
    parts[#parts + 1] = ("temperature %g"):format(how.temperature)
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

-- Whether the evaluation is the run's primary one again.
local function is_primary(config, configured)
  return not configured.calibrate
    and core.json.encode(config.sampler) == core.json.encode(configured.sampler)
end

-- Whether the database has all that evaluate() would store on the test part.
function further_evaluation.is_stored(db, run, config, configured)
  local how, rule = config.sampler, config.select.calibrate
  local variants = { variant(how, configured.sampler) or false }
  if rule then variants[2] = calibration.variant({ config = config }, configured) end
  for i, one in ipairs(variants) do
    local name = evaluation_row.sampler_name(nil, { kind = "chain", how = how, variant = one })
    local found, message = db:is_evaluated(run, { sampler = name, steps = how.steps, draws = how.draws,
      seed = how.seed, primary = i == 1 and is_primary(config, configured) })
    if message then error(message, 0) end
    if not found then return false end
  end
  return true
end

-- Loads the weights that evaluate() takes.
function further_evaluation.prepare(session)
  if not session.model.denoiser then
    error("the run has no denoiser (denoiser = none), so there is no sampler to evaluate it with", 0)
  end
  local meta = checkpoint.load_best(session, session.record.db, session.uid)
  session.best = { epoch = meta.epoch, value = meta.value }
end

-- Evaluates the validation and the test part by the session's sampler and stores that; where
-- select.calibrate is set, both parts as it calibrates too. The tilt of tail@head (stats/derived.lua) is
-- chosen on the stored predictions of the validation part. cache: of encoded.lua; show(share) [opt]: called
-- with the share that is done of a pass over a part. → the metrics on test
function further_evaluation.evaluate(session, configured, cache, show)
  local how, rule = session.config.sampler, session.config.select.calibrate
  local chosen, name
  local function predicted(part)
    local out = {}
    for i, one in ipairs(calibration.hows(session, chosen)) do
      out[i] = predict.predict(session.model, session.dataset, part, one, { keep = rule ~= nil, cache = cache,
        beat = function() session:heartbeat() end,
        tick = function(done, total) if show then show(done / total) end end })
    end
    return out
  end
  local function stored(part, predictions)
    local of = evaluation_row.measure(predictions, "chain", part, session.dataset)
    return evaluation_row.store(session, part, predictions, of, { kind = "chain", how = how,
      primary = is_primary(session.config, configured), variant = variant(how, configured.sampler) })
  end
  local val = predicted "val"
  stored("val", val[1])
  if rule then
    chosen = calibration.choose(session, val)
    name = calibration.variant(session, configured)
    calibration.store(session, "val", val, chosen, false, name)
  end
  local test = predicted "test"
  local measured = stored("test", test[1])
  if rule then measured = calibration.store(session, "test", test, chosen, false, name) end
  session.record:flush()
  return measured
end

return further_evaluation
