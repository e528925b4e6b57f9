-- Further evaluations of a finished run: its best weights with another sampler, or read or calibrated in
-- another way, each stored next to the run's primary evaluation, which stays primary.
-- configured: {sampler =, calibrate =} of the run; config: the run's, but with the sampler and the rule of
-- the further evaluation.
local core = require "aniso.core"
local predict = require "aniso.method.predict"
local tilt = require "aniso.method.tilt"
local calibration = require "aniso.train.calibration"
local checkpoint = require "aniso.train.checkpoint"
local evaluation_row = require "aniso.train.evaluation_row"

local further_evaluation = {}

-- How a sampler's options differ from `configured` in running and reading the chains, as a string; nil if
-- they do not. Kind, steps, draws and seed have columns of their own.
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

-- The number in a string of variant(); nil if the string may have lost digits.
local function exact(text)
  local digits = text:gsub("[eE].*", ""):gsub("%D", ""):gsub("^0+", "")
  return #digits < 6 and tonumber(text) or nil
end

-- Sets in `how` the options of a part of variant(), such as "temperature 0.2". → whether they can be read
local function read_part(how, part)
  local temperature, level = part:match "^temperature (%S+)$", part:match "^level (%S+)$"
  local kind, name, size, where = part:match "^tilt (%l+) %((%l+) (%S+), (%l+)%)$"
  if temperature then how.temperature = exact(temperature) return how.temperature ~= nil end
  if level then how.level = tonumber(level) and exact(level) or level return true end
  if kind then how.tilt = { kind, [name] = exact(size), where = where } return how.tilt[name] ~= nil end
  if part == "no tilt" then how.tilt = { "none" } return true end
  how.probabilities = part
  return part:match "^%l+$" ~= nil
end

-- The inverse of naming an evaluation: the sampler's options and the rule of a stored evaluation. row: of the
-- table evaluation; complete(how, rule) → the run's configuration with both; rule: of the stored
-- calibration, or nil. → how, rule; nil if they cannot be read back, such as a recipe's own sampler.
function further_evaluation.options_of(row, configured, complete, rule)
  local kind, text = row.sampler:match "^(%l+) %+ (.*)$"
  kind = kind or row.sampler
  local how = {}
  for key, value in pairs(kind == configured.sampler[1] and configured.sampler or {}) do how[key] = value end
  how[1], how.steps, how.draws, how.seed = kind, row.sample_steps, row.draws, row.seed
  local parts = text and not rule and text or ""
  parts = parts:gsub("%b()", function(inner) return (inner:gsub(", ", "\0")) end)
  for part in (parts .. ", "):gmatch "(.-), " do
    if part ~= "" and not read_part(how, (part:gsub("%z", ", "))) then return nil end
  end
  local ok, config = pcall(complete, how, rule)
  if not ok then return nil end
  local named = variant(config.sampler, configured.sampler)
  if rule then named = calibration.variant({ config = config }, configured) end
  if named ~= text then return nil end
  return how, rule
end

-- Whether the evaluation would repeat the run's primary one.
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

-- Loads the weights for evaluate().
function further_evaluation.prepare(session)
  if not session.model.denoiser then
    error("the run has no denoiser (denoiser = none), so there is no sampler to evaluate it with", 0)
  end
  local meta = checkpoint.load_best(session, session.record.db, session.uid)
  session.best = { epoch = meta.epoch, value = meta.value }
end

-- Evaluates the validation and the test part with the session's sampler and stores the results; with
-- select.calibrate, the calibrated ones too. The tilt of tail@head (stats/derived.lua) is chosen on the
-- stored predictions of the validation part. cache: of encoded.lua; show(share) [opt]: called with the
-- completed share of a pass over a part. → the metrics on test
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
