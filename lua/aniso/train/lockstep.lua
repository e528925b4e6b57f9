-- Runs in lock-step. The points of a λ sweep with one seed differ only in their denoisers; behind one
-- frozen net they share each pass over the data: a batch is prepared, and encoded by backbone and
-- prior, once for all of them. Each keeps its own weights, noise addresses, record and checkpoints, so
-- its results are bit for bit those of a run that trains alone. If a run fails, only that one ends:
-- its session gets the field `problem`, and the others continue.
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local predict = require "aniso.method.predict"
local early_stop = require "aniso.train.early_stop"
local first_stage = require "aniso.train.first_stage"

local lockstep = {}

-- Whether an error is an interruption (session:stop_if_interrupted), which ends all sessions.
function lockstep.is_interrupt(problem)
  return type(problem) == "table" and problem.interrupted ~= nil
end

-- Ends one session by an error.
function lockstep.fail(session, problem)
  session.problem = problem
  session.record:fail(tostring(problem))
  session.progress:fail(errors.sentence(problem))
end

-- Calls f(session); an error ends only this session. → whether there was none. An interruption is raised.
function lockstep.try(session, f)
  local ok, problem = xpcall(f, errors.traced, session)
  if ok then return true end
  if lockstep.is_interrupt(problem) then error(problem, 0) end
  core.ops.clear_tape()
  lockstep.fail(session, problem)
  return false
end

-- Calls f(session) for each session that runs, even if one fails.
function lockstep.each(group, f)
  for _, session in ipairs(group) do
    if not session.problem then lockstep.try(session, f) end
  end
end

-- The sessions that have not failed.
function lockstep.running(group)
  local out = {}
  for _, session in ipairs(group) do
    if not session.problem then out[#out + 1] = session end
  end
  return out
end

-- The running sessions at the lowest epoch; none once all have reached epoch `last` or stopped early.
function lockstep.at_lowest_epoch(group, last)
  local running, lowest, out = {}, last, {}
  for _, session in ipairs(lockstep.running(group)) do
    if not early_stop.is_over(session) then running[#running + 1] = session end
  end
  for _, session in ipairs(running) do lowest = math.min(lowest, session.epoch) end
  for _, session in ipairs(lowest < last and running or {}) do
    if session.epoch == lowest then out[#out + 1] = session end
  end
  return out
end

-- → session → list of its predictions of a part (method/predict.lua), one for each of the sampler options
-- in the list hows(session).
function lockstep.predict(group, part, hows, options)
  local requests, owner, out = {}, {}, {}
  for _, session in ipairs(group) do
    out[session] = {}
    for _, how in ipairs(hows(session)) do
      requests[#requests + 1] = { model = session.model, how = how,
        guard = function(f) return not session.problem and lockstep.try(session, f) end }
      owner[#requests] = session
    end
  end
  for i, one in ipairs(predict.predict_all(requests, group[1].dataset, part, options)) do
    table.insert(out[owner[i]], one)
  end
  return out
end

-- The options that the runs of a group share, as a string. The rest may differ: the schedule with its λ, the
-- denoiser and its loss, draws, the final sampler and its calibration. The memory budget is that of the
-- first stage, which one of them trains. → nil for a run that trains alone.
function lockstep.key(job)
  local config, select = job.config, {}
  if config.train.mode ~= "staged" or config.denoiser[1] == "none" then return nil end
  for key, value in pairs(config.select) do select[key] = key ~= "calibrate" and value or nil end
  return core.json.encode { seed = job.seed, cross = job.cross, data = config.data, select = select,
    epochs = config.train.epochs, memory = config.train.memory, first = first_stage.part_of(config) }
end

-- Jobs, each {config = complete, seed =, cross = or nil}, as a list of groups in the order of their first
-- members. one_by_one: each job is a group of its own.
function lockstep.groups(jobs, one_by_one)
  local groups, by_key = {}, {}
  for _, job in ipairs(jobs) do
    local key = not one_by_one and lockstep.key(job)
    local group = key and by_key[key]
    if not group then
      group = {}
      groups[#groups + 1] = group
      if key then by_key[key] = group end
    end
    group[#group + 1] = job
  end
  return groups
end

return lockstep
