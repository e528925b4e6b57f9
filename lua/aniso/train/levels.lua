-- The learned noise levels of a session (method/learned_levels.lua): a step after each step of the model, and
-- what depends on the levels: the schedule, and class weights that are computed from them. Sessions with
-- another λ policy do not change.
local class_weight = require "aniso.method.class_weight"
local objective = require "aniso.method.objective"

local levels = {}

-- Updates the session's schedule and class weights to the current levels.
function levels.follow(session)
  if not session.model.levels then return end
  session.model:follow_levels()
  local choice = session.config.loss.class_weight
  if session.class_weights and class_weight.takes_levels(choice) then
    session.class_weights = class_weight.tensor(choice, session.dataset.counts, session.model.schedule.levels)
  end
end

-- The optimiser of the levels, and their averages (nil without averages).
local function state_of(session)
  for i, part in ipairs(session.trained) do
    if part.name == "levels" then return session.groups[i][1].pieces[1].optimiser, session.emas[i] end
  end
end

-- One step of the levels on the draws of the model's step, with the model's weights fixed. factor: of the
-- learning-rate schedule; `seen`: as for objective.levels_loss(). → the loss, without a step if it is not
-- finite; nil if the levels do not change in this stage, or not yet.
function levels.step(session, seen, labels, address, factor)
  local model, own = session.model, session.model.levels
  if not own or session.stage == "prior" or address.progress < own.choice.from then return nil end
  model.den:freeze(true)
  local loss, rows = objective.levels_loss(session, seen, labels, address, seen)
  local value = loss:item()
  local is_finite = value == value and math.abs(value) < math.huge
  if is_finite then loss:backward() end
  model.den:freeze(false)
  if not is_finite then return value end
  local optimiser, ema = state_of(session)
  own:step(optimiser, own.choice.lr * factor, rows, ema)
  levels.follow(session)
  return value
end

-- Adds the levels to the numbers of an epoch, as lambda_1 … lambda_K.
function levels.add(session, values)
  if not session.model.levels or session.stage == "prior" then return end
  for j, level in ipairs(session.model.levels:list()) do values["lambda_" .. j] = level end
end

return levels
