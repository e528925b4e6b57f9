-- Runs in lock-step. The points of a λ sweep with one seed differ in their denoisers only;
-- behind one frozen net they go through the data together: a batch is prepared, and seen by
-- backbone and prior, once for all of them. Each keeps its own weights, noise addresses,
-- record and checkpoints, so that its bits are those it would have alone. A run that fails
-- ends alone: its session gets the field `problem`, and the others go on.
local core = require "aniso.core"
local evaluate = require "aniso.method.predict"
local first_stage = require "aniso.train.first_stage"

local together = {}

local function is_interrupt(problem)
  return type(problem) == "table" and problem.interrupted ~= nil
end

function together.traced(problem)
  if type(problem) == "table" or not core.sys.debug() then return problem end
  return debug.traceback(problem, 2)
end

-- A problem for a person: without the place in our own sources.
function together.sentence(problem)
  return (tostring(problem):gsub("^%S*aniso/[%w_/]+%.lua:%d+: ", ""))
end

-- f(session) → whether it went well. An interruption is everybody's.
function together.try(session, f)
  local ok, problem = xpcall(f, together.traced, session)
  if ok then return true end
  if is_interrupt(problem) then error(problem, 0) end
  core.ops.clear_tape()
  session.problem = problem
  session.record:fail(tostring(problem))
  session.progress:fail(together.sentence(problem))
  return false
end

function together.each(sessions, f)
  for _, session in ipairs(sessions) do
    if not session.problem then together.try(session, f) end
  end
end

function together.living(sessions)
  local out = {}
  for _, session in ipairs(sessions) do
    if not session.problem then out[#out + 1] = session end
  end
  return out
end

-- The living sessions at the lowest epoch, if that is before `last`.
function together.behind(sessions, last)
  local living, lowest, out = together.living(sessions), last, {}
  for _, session in ipairs(living) do lowest = math.min(lowest, session.epoch) end
  for _, session in ipairs(lowest < last and living or {}) do
    if session.epoch == lowest then out[#out + 1] = session end
  end
  return out
end

-- → session → predictions of a part (evaluate.predict) by the sampler table how(session).
function together.predict(sessions, part, how, options)
  local asked, out = {}, {}
  for i, session in ipairs(sessions) do
    asked[i] = { model = session.model, how = how(session),
      guard = function(f) return not session.problem and together.try(session, f) end }
  end
  local predictions = evaluate.predict_all(asked, sessions[1].dataset, part, options)
  for i, session in ipairs(sessions) do out[session] = predictions[i] end
  return out
end

-- What runs must have in common to go together; what is left may differ: the schedule with
-- its λ, the denoiser and its loss, draws, and the final sampler.
local function common(job)
  local config = job.config
  if config.train.mode ~= "staged" then return nil end
  return core.json.encode { seed = job.seed, data = config.data, select = config.select,
    epochs = config.train.epochs, first = first_stage.part_of(config) }
end

-- Jobs, each {config = complete, seed =}, as a list of lists that go together, in the order
-- of their first members. one_by_one: each alone.
function together.groups(jobs, one_by_one)
  local groups, of = {}, {}
  for _, job in ipairs(jobs) do
    local key = not one_by_one and common(job)
    local group = key and of[key]
    if not group then
      group = {}
      groups[#groups + 1] = group
      if key then of[key] = group end
    end
    group[#group + 1] = job
  end
  return groups
end

return together
