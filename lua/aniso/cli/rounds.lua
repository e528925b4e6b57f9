-- Carries out the runs of a study for `aniso run`, round after round: what can be trained now, in lock-step
-- where runs allow it. A study without searches has one round. Before each round the plan is stored.
--   rounds { db =, study = name, jobs =, all =, recipe =, argv =, again =, one_by_one =, keep_last =,
--     baseline = label, prune = rule of train/pruning.lua or nil, seeds = those of the recipe }
-- jobs: complete, with `number`, and `uid` where finished before; all: those of the whole recipe. A job that
-- ends well gets `uid`.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local lockstep = require "aniso.train.lockstep"
local pruning = require "aniso.train.pruning"
local search = require "aniso.train.search"
local train_group = require "aniso.cli.train_group"

-- Runs that go together; gives each job its uid if it ends well, or else its problem. An interruption ends
-- the command.
local function train(jobs, of)
  local board = of.board
  for _, job in ipairs(jobs) do
    job.study, job.db, job.board, job.recipe = of.study, of.db, board, of.recipe
    job.argv = { table.unpack(of.argv) }
    if not board.terminal then
      local fold = job.cross and (", fold %d"):format(job.cross.fold) or ""
      board:print(("run %d/%d: %s, seed %d%s%s"):format(job.number, of.planned, job.label, job.seed, fold,
        #jobs > 1 and (", in lock-step with %d more"):format(#jobs - 1) or ""))
    end
  end
  local carry_out = require("aniso.train.run").run_together
  for i, outcome in ipairs(train_group.train(carry_out, jobs, board, of.keep_last)) do
    local job = jobs[i]
    job.ended, job.problem = outcome.uid, outcome.problem and cli.sentence(outcome.problem)
    job.uid = not job.problem and outcome.uid or nil
  end
end

-- Stores what the command does, as far as it is known: its runs and the trials so far.
local function store_plan(of, rounds)
  local rows = {}
  for _, list in ipairs { of.jobs, rounds.trials } do
    for _, job in ipairs(list) do
      if job.uid or not job.pruned then
        rows[#rows + 1] = { label = job.label, seed = job.seed, cross = job.cross, config = job.config,
          uid = job.uid or job.ended }
        job.number = #rows
      end
    end
  end
  cli.need(of.db:set_plan(of.study, rows, of.baseline))
  of.planned = #rows
end

-- What can be trained now: all at once, or, in a study that prunes, seed by seed. A variant that is run
-- whatever was decided about it is not shown as pruned any more.
local function rounds_of(of)
  local function say(line)
    if of.board then of.board:print(line) else console.note(line) end
  end
  local rounds = search.new { db = of.db, study = of.study, jobs = of.jobs, all = of.all, again = of.again,
    say = say }
  if of.prune then
    return pruning.new { rounds = rounds, rule = of.prune, db = of.db, study = of.study, seeds = of.seeds,
      jobs = of.jobs, all = of.all, say = say }
  end
  local labels = {}
  for i, job in ipairs(of.jobs) do labels[i] = job.label end
  cli.need(of.db:clear_pruned(of.study, labels))
  return rounds
end

return function(of)
  local rounds = rounds_of(of)
  local ready = common.guarded(rounds.next, rounds)
  store_plan(of, rounds)
  if #ready == 0 then return end
  local board <close> = require("aniso.show.progress").board { runs = #ready }
  of.board = board
  while #ready > 0 do
    for _, group in ipairs(lockstep.groups(ready, of.one_by_one)) do train(group, of) end
    ready = common.guarded(rounds.next, rounds)
    board.runs = board.runs + #ready
    if #ready > 0 then store_plan(of, rounds) end
  end
  board:print(board:summary())
end
