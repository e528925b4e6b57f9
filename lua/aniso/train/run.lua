-- Runs one configuration with one seed: trains it, evaluates the weights that validation
-- chose, and records everything. A run that stops early, for whatever reason, can be
-- resumed to the same bits.
--   trainer.run { config=, seed=, label=, study=, db=, recipe={path=,text=}, argv=, stream=, board= }
--   → {uid=, metrics=}      trainer.resume(db, run)      trainer.evaluate(db, run, sampler)
--   trainer.run_together(jobs)      trainer.resume_together(jobs)      in lock-step
-- `stream` is where progress goes, stderr if absent; `board` (progress.board) shows several runs.
local core = require "aniso.core"
local class_weight = require "aniso.method.class_weight"
local config = require "aniso.method.config"
local data = require "aniso.method.data"
local mmd = require "aniso.method.mmd"
local model = require "aniso.method.model"
local prior_loss = require "aniso.method.prior_loss"
local progress = require "aniso.show.progress"
local sampler = require "aniso.method.sampler"
local carry_out = require "aniso.train.carry_out"
local host = require "aniso.train.provenance"
local final = require "aniso.train.final_evaluation"
local stage = require "aniso.train.stage"
local together = require "aniso.train.lockstep"

local trainer = {}

-- The runs of a study mostly share their data: the latest set is kept.
local latest = {}
local function load_data(options)
  local key = core.json.encode(options)
  if latest.key ~= key then latest = { key = key, dataset = data(options) } end
  return latest.dataset
end

-- runs.db → runs/: where checkpoints of a database's runs are.
function trainer.folder_of(db_path)
  return (db_path:gsub("%.db$", "")) .. (db_path:match "%.db$" and "" or ".runs")
end

local function poll(sessions)
  local signal = core.sys.interrupted()
  if not signal then return end
  local lead = sessions[1]
  local line = ("interrupted after epoch %d; go on with: aniso resume %s")
    :format(lead.epoch, #sessions > 1 and "--all" or lead.uid)
  error(setmetatable({ interrupted = signal }, { __tostring = function() return line end }), 0)
end

local function report(session, train, val)
  local line = ("epoch %d/%d  loss %.4f"):format(session.epoch, session.total_epochs, train.loss)
  if val then
    local chain = val.macro_f1 and val or { acc = val.prior_acc, macro_f1 = val.prior_macro_f1 }
    line = line .. ("  val acc %.3f macro_f1 %.3f%s"):format(chain.acc, chain.macro_f1,
      session.best.epoch == session.epoch and " *" or "")
    session.record:log("info", line)
  end
  session.progress:epoch(line)
end

-- Everything a run needs that follows from (config, seed), nothing of which is stored.
-- beside [opt]: a session whose net this one shares. job.levels [opt]: a stored run's λ_j;
-- job.evaluation_only: nothing is trained, so the losses' own parts need not be found.
function trainer.prepare(job, beside)
  local session = { config = job.config, seed = job.seed, plan = stage.plan(job.config) }
  session.dataset = load_data(job.config.data)
  session.model = model.new(job.config, session.dataset, job.seed, beside and beside.model, job.levels)
  sampler.step_of(job.config.sampler) -- an own sampler that is missing is an error now
  if not job.evaluation_only then
    local loss, counts = job.config.loss, session.dataset.counts
    session.prior_criterion = prior_loss.new(loss.prior, counts)
    session.class_weights = class_weight.tensor(loss.class_weight, counts, session.model.schedule.levels)
  end
  session.mmd = mmd.new { multipliers = job.config.loss.multipliers,
    unbiased = job.config.loss.unbiased }
  session.total_epochs = 0
  for _, one in ipairs(session.plan) do session.total_epochs = session.total_epochs + one.epochs end
  return session
end

local function label_of(job)
  return ("%s seed %d"):format(job.label or "run", job.seed)
end

-- Gives a session its record and folders. `sessions` are those that go in lock-step with it,
-- itself among them: while one works it shows a sign of life for all.
local function attach(session, job, record, sessions)
  session.record, session.uid = record, record.uid
  session.config_hash = core.sha256.text(core.json.encode(job.config))
  local store_folder = trainer.folder_of(job.db.path)
  session.shared_folder = (store_folder:match "^(.*/)[^/]*$" or "") .. "first-stage"
  session.folder = store_folder .. "/" .. record.uid
  local made, message = core.sys.mkdir_p(session.folder)
  if not made then error(message, 0) end
  local board = job.board or progress.board { stream = job.stream }
  session.progress = board:line { total = stage.steps_per_epoch(session) * session.total_epochs,
    label = label_of(job) }
  session.poll = function() poll(sessions) end
  session.alive = function()
    for _, one in ipairs(sessions) do
      if not one.problem then one.record:heartbeat() end
    end
    poll(sessions)
  end
  session.tick = function(done, loss)
    session.progress:update(done, { loss = loss })
    session.alive()
  end
  session.say = function(line)
    session.progress:say(line)
    record:log("warn", line)
  end
  session.report = report
end

-- The sessions of jobs that can be prepared go together: prepare(job, beside) → session, and
-- record_of(session, job) → its recorder. → a list as carry_out's, in the order of the jobs.
local function run_all(jobs, prepare, record_of)
  local results, sessions, place = {}, {}, {}
  for i, job in ipairs(jobs) do
    local ok, problem = xpcall(function()
      local session = prepare(job, sessions[1])
      attach(session, job, record_of(session, job), sessions)
      sessions[#sessions + 1], place[#sessions + 1] = session, i
    end, together.traced)
    if not ok then
      results[i] = { problem = problem }
      if job.board then job.board:line { label = label_of(job) }:fail(together.sentence(problem)) end
    end
  end
  for k, result in ipairs(#sessions > 0 and carry_out(sessions) or {}) do
    results[place[k]] = result
  end
  return results
end

local function only(results)
  if results[1].problem then error(results[1].problem, 0) end
  return { uid = results[1].uid, metrics = results[1].metrics }
end

-- Runs jobs that together.groups() put into one list, in lock-step.
function trainer.run_together(jobs)
  for _, job in ipairs(jobs) do job.config = config.complete(job.config) end
  return run_all(jobs, trainer.prepare, function(session, job)
    return job.db:start_run(host.describe(job, session))
  end)
end

function trainer.run(job)
  return only(trainer.run_together { job })
end

-- The job of a stored run: its configuration and seed as they were.
function trainer.stored_job(db, run, stream)
  return { db = db, stream = stream, config = config.complete(db:config(run)), seed = run.seed,
    label = run.label or run.name, run = run, levels = db:lambda(run) }
end

local function load_saved(db, run)
  local path = ("%s/%s/last.safetensors"):format(trainer.folder_of(db.path), run.uid)
  if not core.sys.exists(path) then return nil end
  local tensors, meta = core.checkpoint.load(path)
  if not tensors then error(meta, 0) end
  return { tensors = tensors, meta = meta }
end

-- Goes on with stored_job()s that together.groups() put into one list.
function trainer.resume_together(jobs)
  return run_all(jobs, function(job, beside)
    local session = trainer.prepare(job, beside)
    final.same_data(session, job.db, job.run)
    session.saved = load_saved(job.db, job.run)
    return session
  end, function(session, job)
    return job.db:resume_run(job.run.uid, session.saved and session.saved.meta.epoch or 0)
  end)
end

-- Goes on with a run that was killed, interrupted or failed.
function trainer.resume(db, run, stream)
  return only(trainer.resume_together { trainer.stored_job(db, run, stream) })
end

-- Evaluates a stored run's best weights again with another sampler (a table as in the
-- configuration's `sampler`); stored as a further evaluation.
function trainer.evaluate(db, run, how)
  local job = trainer.stored_job(db, run)
  job.config.sampler, job.evaluation_only = config.complete { sampler = how }.sampler, true
  local session = trainer.prepare(job)
  final.same_data(session, db, run)
  attach(session, job, db:record_of(run.uid), { session })
  return final.again(session)
end

return trainer
