-- aniso.trainer: runs one configuration with one seed, and one fold if there are folds. It is trained, the
-- weights that validation chose are evaluated, and everything is recorded. A run that stops early, for
-- whatever reason, can be resumed to the same bits.
--   run.run { config=, seed=, cross=, label=, study=, db=, recipe={path=,text=}, argv=, stream=, board= }
--   → {uid=, metrics=}      run.resume(db, row)      run.evaluate(db, row, sampler)
--   run.run_together(jobs)      run.resume_together(jobs)      in lock-step
-- `stream` receives the progress, stderr if absent; `board` (progress.board) shows several runs.
local checkpoint = require "aniso.train.checkpoint"
local config = require "aniso.method.config"
local db_error = require "aniso.store.db_error"
local encoded = require "aniso.method.encoded"
local errors = require "aniso.recipe.errors"
local final_evaluation = require "aniso.train.final_evaluation"
local first_stage = require "aniso.train.first_stage"
local further_evaluation = require "aniso.train.further_evaluation"
local lock_wait = require "aniso.store.lock_wait"
local lockstep = require "aniso.train.lockstep"
local prepare = require "aniso.train.prepare"
local provenance = require "aniso.train.provenance"
local Session = require "aniso.train.session"
local step_memory = require "aniso.train.step_memory"
local stored_limits = require "aniso.train.stored_limits"

local run = { prepare = Session.new,
  release_data = Session.release_data }

-- For a <close> variable: restores what a session changes on its database, however the block ends.
local function restored(db)
  local waiting = db.waiting
  return setmetatable({}, { __close = function() db.waiting = waiting end })
end

-- Runs the sessions of those jobs that can be prepared as one group: session_of(job, sharing) → session,
-- and record_of(session, job) → its recorder. → outcomes as from Session:run(), in the order of the jobs.
local function run_all(jobs, session_of, record_of)
  local outcomes, group, position = {}, {}, {}
  local _ <close> = restored(jobs[1].db)
  for i, job in ipairs(jobs) do
    local ok, problem = xpcall(function()
      job.db.waiting = lock_wait.of_command(job.board and function(line) job.board:print(line) end)
      local session = session_of(job, group[1])
      session:attach(job, record_of(session, job), group)
      if session.saved and session.saved.fallback then session.progress:print(session.saved.fallback) end
      group[#group + 1], position[#group + 1] = session, i
    end, errors.traced)
    if lockstep.is_interrupt(problem) then
      for _, session in ipairs(group) do session.record:interrupt() end
      error(problem, 0)
    end
    if not ok then
      outcomes[i] = { problem = problem }
      if job.board then
        job.board:line { label = Session.label_of(job) }:fail(errors.sentence(problem))
      end
    end
  end
  for k, outcome in ipairs(#group > 0 and group[1]:run() or {}) do outcomes[position[k]] = outcome end
  return outcomes
end

local function only(outcomes)
  if outcomes[1].problem then error(outcomes[1].problem, 0) end
  return { uid = outcomes[1].uid, metrics = outcomes[1].metrics }
end

-- Runs jobs of one group (lockstep.groups). A job whose levels were chosen has `levels`, `log` and
-- `chosen_from` (search.lua). One with `run`, as set by run.adopt(), continues that run.
function run.run_together(jobs)
  return run_all(jobs, function(job, sharing)
    return (job.run and prepare.continue_or_begin or prepare.begin)(job, sharing)
  end, function(session, job)
    return (job.run and prepare.record_continued or prepare.record_begun)(session, job)
  end)
end

function run.run(job)
  return only(run.run_together { job })
end

-- The fold of a stored run, as for aniso.data; nil without folds.
local function cross_of(row)
  return row.fold and { folds = row.folds, fold = row.fold,
    official = row.split:match "^official fold " ~= nil or nil }
end

-- The job of a stored run, a row of db:find(): its configuration, seed and fold as they were, and the
-- folder in which it began.
function run.stored_job(db, row, stream)
  local origin, split = db_error.unless_absent(db:origin(row)), db_error.unless_absent(db:split_of(row))
  local stored, levels, classes = db_error.must(db:config(row)), db_error.must(db:lambda(row)), {}
  for i, class in ipairs(split and split.classes or {}) do classes[i] = class.name end
  stored = config.of_stored(step_memory.with_recorded(stored, origin and origin.env))
  stored_limits.check(row.name, stored, split)
  return { db = db, stream = stream, config = stored, seed = row.seed,
    cross = cross_of(row), label = row.label or row.name, run = row, levels = levels,
    classes = classes, folder = origin and origin.env and origin.env.PWD }
end

-- Makes a job continue a stored run of its configuration, a row of db:find().
function run.adopt(job, row)
  local stored = run.stored_job(job.db, row)
  job.chosen_levels = job.levels
  job.run, job.levels, job.classes = row, stored.levels, stored.classes
  job.folder = stored.folder or job.folder
end

-- Continues stored_job()s of one group (lockstep.groups).
function run.resume_together(jobs)
  return run_all(jobs, prepare.continue, prepare.record_continued)
end

-- Continues a run that was killed, interrupted or failed.
function run.resume(db, row, stream)
  return only(run.resume_together { run.stored_job(db, row, stream) })
end

-- The recorder of a stored run in another database; relative paths of its data still refer to its folder.
local function record_again(session, job)
  local of = provenance.describe(job, session)
  of.uid, of.env.PWD = job.run.uid, job.folder or of.env.PWD
  return job.db:start_run(of)
end

-- Repeats a stored run in another database, under the same uid, from its configuration and seed: no
-- checkpoint of the run is read. job: stored_job(), with `db`, the other database, and `source`, that of the
-- run; until_epoch [opt]: it ends there, unevaluated; first_stage_from [opt]: a folder from which it takes
-- its first stage, which sets first_stage_taken. → uid, metrics
function run.repeat_in(job)
  return only(run_all({ job }, function(one)
    local session = Session.new(one)
    final_evaluation.same_data(session, one.source, one.run)
    return session
  end, function(session, one)
    local from = one.first_stage_from
    one.first_stage_taken = from and first_stage.take(session, from, one.db:first_stage_folder())
    return record_again(session, one)
  end))
end

-- Repeats the final evaluation of a stored run in another database, under the same uid. job: as for
-- repeat_in(), with `levels`; tensors, meta: of the run's best.safetensors.
function run.evaluate_in(job, tensors, meta)
  job.evaluation_only = true
  local _ <close> = restored(job.db)
  local session = Session.new(job)
  final_evaluation.same_data(session, job.source, job.run)
  session:attach(job, record_again(session, job), { session })
  checkpoint.adopt_best(session, tensors, meta)
  final_evaluation.evaluate { session }
  if session.problem then error(session.problem, 0) end
  session.record:flush()
end

-- A stored run's configuration, but with another sampler and another rule of select.calibrate.
local function with_sampler(stored, how, rule)
  local complete = config.complete { sampler = how, select = { calibrate = rule } }
  local out, select = {}, {}
  for key, value in pairs(stored) do out[key] = value end
  for key, value in pairs(stored.select) do select[key] = value end
  select.calibrate = complete.select.calibrate
  out.sampler, out.select = complete.sampler, select
  local conflict = config.conflicts(out)[1]
  if conflict then error(conflict, 0) end
  return out
end

local function configured_of(stored)
  return { sampler = stored.sampler, calibrate = stored.select.calibrate }
end

-- The sampler's options and the rule with which evaluate_all() repeats a row of the table evaluation: how,
-- rule, as from further_evaluation.options_of(). rule: of the stored calibration, or nil.
function run.options_of_evaluation(db, row, evaluation, rule)
  local stored = config.complete(db_error.must(db:config(row)))
  return further_evaluation.options_of(evaluation, configured_of(stored), function(how, with)
    return with_sampler(stored, how, with)
  end, rule)
end

-- The samplers in `hows` whose evaluation of a run is not stored yet; see evaluate_all(). Raises if an option
-- is wrong.
function run.not_evaluated(db, row, hows, rule)
  local stored, out = config.of_stored(db_error.must(db:config(row))), {}
  for _, how in ipairs(hows) do
    local changed = with_sampler(stored, how, rule)
    if not further_evaluation.is_stored(db, row, changed, configured_of(stored)) then out[#out + 1] = how end
  end
  return out
end

-- Evaluates a stored run's best weights again with each of the samplers `hows` (tables as in the
-- configuration's `sampler`), each stored as a further evaluation when it is done. The data are loaded and
-- the images encoded once. options [opt]: rule, as for the option select.calibrate, which adds calibrated
-- evaluations of both parts; board, a progress board, or progress, its line, updated from `first`
-- (0) on by 1 per sampler; done(how, metrics), called after each. → list of metrics
function run.evaluate_all(db, row, hows, options)
  if #hows == 0 then return {} end
  options = options or {}
  local job, out = run.stored_job(db, row), {}
  local stored = job.config
  job.config = with_sampler(stored, hows[1], options.rule)
  job.evaluation_only, job.board, job.progress = true, options.board, options.progress
  local _ <close> = restored(db)
  local session = Session.new(job)
  local cache <close> = encoded.cache()
  final_evaluation.same_data(session, db, row)
  session:attach(job, db:record_of(row.uid), { session })
  further_evaluation.prepare(session)
  for i, how in ipairs(hows) do
    session.config = with_sampler(stored, how, options.rule)
    out[i] = further_evaluation.evaluate(session, configured_of(stored), cache,
      options.progress and function(share)
        options.progress:update((options.first or 0) + i - 1 + share)
      end)
    if options.done then options.done(how, out[i]) end
  end
  return out
end

-- The same with one sampler → its metrics.
function run.evaluate(db, row, how, rule, board)
  return run.evaluate_all(db, row, { how }, { rule = rule, board = board })[1]
end

return run
