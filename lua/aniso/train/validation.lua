-- The validation after an epoch: its metrics are recorded, and the epoch that select.metric prefers is
-- kept as the best. Sessions in lock-step go through the images together. A curve has the name of its metric
-- for the stage's own predictions (the chain's, or those of post_hoc's classifier), and prior_… for the
-- prior's.
local printed = require("aniso.stats.metric.catalog").printed
local post_hoc = require "aniso.method.post_hoc"
local predict = require "aniso.method.predict"
local checkpoint = require "aniso.train.checkpoint"
local early_stop = require "aniso.train.early_stop"
local lockstep = require "aniso.train.lockstep"

local validation = {}

-- A validation's metrics, and the value by which the epoch is chosen.
local function measure(session, predictions)
  local select = session.config.select
  local fields, chosen = {}, nil
  local of = session.stage == "prior" and "prior" or session.stage == "classifier" and "post_hoc" or select.of
  for _, which in ipairs { "prior", "chain", "post_hoc" } do
    local measured = predictions[which] and predict.measure(predictions, which, session.dataset)
    if measured then
      local prefix = which == "prior" and "prior_" or ""
      for _, name in ipairs { "acc", "bacc", "macro_f1", "nll" } do
        fields[prefix .. name] = measured[name]
      end
      if which == of then chosen = measured[select.metric] end
    end
  end
  if chosen == nil then
    error(("the validation part has no %s of the %s, so no epoch can be chosen by it; see "
      .. "select.metric and select.of"):format(printed(select.metric), of), 0)
  end
  return fields, chosen
end

local LOWER_IS_BETTER = { nll = true, brier = true, ece = true }

local function select_best(session, predictions)
  local select = session.config.select
  local fields, value = measure(session, predictions)
  session.record:metric("val", session.epoch, fields)
  local sign = LOWER_IS_BETTER[select.metric] and -1 or 1
  local before = session.best
  if select.keep == "last" or before.value == nil or sign * value > sign * before.value then
    session.best = { epoch = session.epoch, value = value }
    checkpoint.save_best(session)
  end
  early_stop.validated(session, before, sign * value)
  session.validated = fields
end

-- Validates the current weights of all sessions in one pass over the images.
function validation.run(sessions)
  local lead = sessions[1]
  local predictions = lockstep.predict(sessions, "val", function(session)
    local config, how = session.config, {}
    for key, value in pairs(config.sampler) do how[key] = value end
    how.steps = math.min(config.select.steps, session.model.schedule.T)
    how.draws = config.select.draws
    return { how }
  end, { chain = lead.stage ~= "prior", post_hoc = lead.stage == "classifier" })
  local own = predictions[lead][1]
  if own.scores then
    own.post_hoc = post_hoc.probabilities(lead.config.post_hoc, lead.model, own.scores)
  end
  lockstep.each(sessions, function(session) select_best(session, predictions[session][1]) end)
end

return validation
