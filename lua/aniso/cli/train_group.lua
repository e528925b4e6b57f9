-- Trains one group of jobs for `aniso run` and `aniso resume`, on a progress board.
--   train_group.train(carry_out, jobs, board, keep_last) → one {uid =, problem =} per job, even if the
--     whole group failed. carry_out: run_together or resume_together of train/run.lua. An interruption ends
--     the command. The checkpoints for resuming finished runs are deleted unless keep_last is set.
--   train_group.arguments(parser): the flag --keep-last
local cli = require "aniso.cli"

local function remove_last(jobs, outcomes)
  for i, outcome in ipairs(outcomes) do
    if outcome.uid and not outcome.problem then
      require("aniso.store.leftovers").remove_last(jobs[i].db, outcome.uid)
    end
  end
end

local function train(carry_out, jobs, board, keep_last)
  local ok, outcomes = pcall(carry_out, jobs)
  if ok then
    if not keep_last then remove_last(jobs, outcomes) end
    return outcomes
  end
  local problem = outcomes
  if type(problem) == "table" and problem.interrupted then
    cli.fail(cli.EXIT_OF[problem.interrupted], tostring(problem))
  end
  board:fail_all(cli.sentence(problem))
  outcomes = {}
  for i in ipairs(jobs) do outcomes[i] = { problem = problem } end
  return outcomes
end

local function arguments(parser)
  parser:flag("--keep-last", "keep last.safetensors of finished runs, which is otherwise deleted")
end

return { train = train, arguments = arguments }
