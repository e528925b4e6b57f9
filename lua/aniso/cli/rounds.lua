-- Carries out the runs of a unit of a plan (train/units.lua), round after round: what can be trained now, in
-- lock-step if possible. A unit without searches has one round. The trials of searches are stored with the
-- plan. A run that was killed or interrupted is resumed.
--   rounds { db =, plan = row of db:plan_for_workers(), unit = number, jobs =, all =, after =, argv =,
--     keep_last =, board =, planned = number of runs in the plan } → how many runs it trained
-- jobs: complete, with `number`, and with `uid` if finished before; all: those of the whole recipe. Without
-- `planned`, jobs are those of the whole plan and are numbered here. A job that finishes gets `uid`, one that
-- is pruned `pruned`. after [opt]: as in train/search.lua.
local attempts = require "aniso.store.attempts"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local core = require "aniso.core"
local lockstep = require "aniso.train.lockstep"
local pruning = require "aniso.train.pruning"
local search = require "aniso.train.search"
local train_group = require "aniso.cli.train_group"
local training = require "aniso.train.run"

-- Trains runs that go together; gives each job its uid if it finishes, otherwise its problem. An interruption
-- ends the command.
local function train(jobs, of, planned)
  local board, study = of.board, of.plan.study
  for _, job in ipairs(jobs) do
    job.study, job.db, job.board = study, of.db, board
    job.recipe = { path = of.plan.recipe_path, text = of.plan.recipe_text }
    job.argv = { table.unpack(of.argv) }
    local begun = common.guarded(attempts.begun, of.db, study, job)
    if begun then training.adopt(job, begun) end
    local fold = job.cross and (", fold %d"):format(job.cross.fold) or ""
    board:announce(("run %d/%d: %s, seed %d%s%s%s"):format(job.number, planned, job.label, job.seed, fold,
      begun and ", resumed" or "", #jobs > 1 and (", in lock-step with %d more"):format(#jobs - 1) or ""))
  end
  for i, outcome in ipairs(train_group.train(training.run_together, jobs, board, of.keep_last)) do
    local job = jobs[i]
    job.ended, job.problem = outcome.uid, outcome.problem and cli.sentence(outcome.problem)
    job.uid = not job.problem and outcome.uid or nil
  end
end

-- Stores the trials made so far.
local function store_trials(of, rounds)
  local rows = {}
  for i, job in ipairs(rounds.trials) do
    local begun = not (job.uid or job.ended) and common.guarded(attempts.begun, of.db, of.plan.study, job)
    rows[i] = { label = job.label, seed = job.seed, cross = job.cross, config = job.config,
      uid = job.uid or job.ended, problem = job.problem, begun = begun and begun.uid }
  end
  if #rows > 0 then of.db:set_trials(of.plan.study, of.unit, rows) end
end

-- Numbers the runs of the whole plan and the trials in their order → how many there are.
local function number(jobs, trials)
  local n = 0
  for _, list in ipairs { jobs, trials } do
    for _, job in ipairs(list) do
      if job.uid or not job.pruned then n, job.number = n + 1, n + 1 end
    end
  end
  return n
end

-- What can be trained now: all at once or, in a study that prunes, seed by seed.
local function rounds_of(of)
  local function say(line) of.board:print(line) end
  local rounds = search.new { db = of.db, study = of.plan.study, jobs = of.jobs, all = of.all,
    after = of.after, say = say }
  local prune = of.plan.prune and assert(core.json.decode(of.plan.prune))
  if not prune then return rounds end
  return pruning.new { rounds = rounds, rule = prune.rule, seeds = prune.seeds, db = of.db,
    study = of.plan.study, jobs = of.jobs, all = of.all, say = say }
end

return function(of)
  local rounds, trained = rounds_of(of), 0
  local ready = common.guarded(rounds.next, rounds)
  while #ready > 0 do
    of.board:expect(#ready)
    common.guarded(store_trials, of, rounds)
    local planned = of.planned or number(of.jobs, rounds.trials)
    for _, group in ipairs(lockstep.groups(ready, of.plan.one_by_one == 1)) do train(group, of, planned) end
    trained = trained + #ready
    ready = common.guarded(rounds.next, rounds)
  end
  return trained
end
