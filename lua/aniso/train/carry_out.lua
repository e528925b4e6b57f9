-- carry_out(sessions): trains sessions that go in lock-step (one alone is a list of one) from
-- where each stands, evaluates them, and ends their records as finished, interrupted or
-- failed. → per session {uid =, metrics =} or {uid =, problem =}; an interruption is raised.
local core = require "aniso.core"
local final = require "aniso.train.final_evaluation"
local first_stage = require "aniso.train.first_stage"
local stage = require "aniso.train.stage"
local state = require "aniso.train.checkpoint"
local together = require "aniso.train.lockstep"

local function begin(session, number)
  stage.begin(session, number)
  local saved = session.saved
  if saved and saved.meta.stage == number then state.restore(session, saved.tensors, saved.meta) end
end

-- The session that stands farthest: its net is everybody's.
local function farthest(sessions)
  local lead, most = sessions[1], -1
  for _, session in ipairs(sessions) do
    local reached = session.saved and session.saved.meta.stage * 1e9 + session.saved.meta.epoch or 0
    if reached > most then lead, most = session, reached end
  end
  return lead
end

local function first(sessions)
  local lead = farthest(sessions)
  if lead.saved and lead.saved.meta.stage > 1 then return end
  begin(lead, 1)
  local function train()
    stage.run { lead }
    if lead.problem then error(lead.problem, 0) end
  end
  if lead.stage == "joint" then return train() end
  local origin = first_stage.share(lead, function()
    train()
    state.load_weights(lead, state.path(lead, "best"), "net")
  end)
  for _, session in ipairs(sessions) do session.record:log("info", origin) end
end

local function train(sessions)
  first(sessions)
  if #sessions[1].plan == 1 then return end
  for _, session in ipairs(sessions) do begin(session, 2) end
  stage.run(sessions)
end

-- The end of all records where one problem is everybody's.
local function end_all(sessions, problem)
  for _, session in ipairs(together.living(sessions)) do
    if type(problem) == "table" and problem.interrupted then
      session.record:interrupt()
    else
      session.problem = problem
      session.record:fail(tostring(problem))
      session.progress:fail(together.sentence(problem))
    end
  end
end

local function numbers_of(measured)
  return ("test acc %.3f macro_f1 %.3f"):format(measured.acc, measured.macro_f1)
end

return function(sessions)
  local measured
  local ok, problem = xpcall(function()
    train(sessions)
    for _, session in ipairs(together.living(sessions)) do session.progress:phase "evaluating" end
    measured = final.evaluate(sessions)
    together.each(sessions, function(session) session.record:finish() end)
  end, together.traced)
  core.ops.clear_tape()
  if not ok then
    end_all(sessions, problem)
    if type(problem) == "table" and problem.interrupted then error(problem, 0) end
  end
  local results = {}
  for i, session in ipairs(sessions) do
    if not session.problem then session.progress:finish(numbers_of(measured[session])) end
    results[i] = { uid = session.uid, metrics = measured and measured[session],
      problem = session.problem }
  end
  return results
end
