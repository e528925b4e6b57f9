-- Runs one configuration with one seed: trains it, evaluates the weights that validation
-- chose, and records everything. A run that stops early, for whatever reason, can be
-- resumed to the same bits.
--   trainer.run { config=, seed=, label=, study=, db=, recipe={path=,text=}, argv=, stream= }
--   → {uid=, metrics=}      trainer.resume(db, run)      trainer.evaluate(db, run, sampler)
-- `stream` is where progress goes, stderr if absent.
local core = require "aniso.core"
local config = require "aniso.config"
local data = require "aniso.data"
local mmd = require "aniso.mmd"
local model = require "aniso.model"
local prior_loss = require "aniso.prior_loss"
local progress = require "aniso.progress"
local host = require "aniso.train.host"
local final = require "aniso.train.final"
local first_stage = require "aniso.train.first_stage"
local stage = require "aniso.train.stage"
local state = require "aniso.train.state"

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

local function poll(session)
  if core.sys.interrupted() then
    error(setmetatable({ interrupted = core.sys.interrupted() }, { __tostring = function()
      return ("interrupted after epoch %d; go on with: aniso resume %s")
        :format(session.epoch, session.uid)
    end }), 0)
  end
end

local function report(session, train, val)
  local line = ("epoch %d/%d  loss %.4f"):format(session.epoch, session.total_epochs, train.loss)
  if val then
    local chain = val.macro_f1 and val or { acc = val.prior_acc, macro_f1 = val.prior_macro_f1 }
    line = line .. ("  val acc %.3f macro_f1 %.3f%s"):format(chain.acc, chain.macro_f1,
      session.best.epoch == session.epoch and " *" or "")
  end
  session.progress:epoch(line)
end

-- Everything a run needs that follows from (config, seed), nothing of which is stored.
function trainer.prepare(job)
  local session = { config = job.config, seed = job.seed, plan = stage.plan(job.config) }
  session.dataset = load_data(job.config.data)
  session.model = model.new(job.config, session.dataset, job.seed)
  session.prior_criterion = prior_loss.new(job.config.loss.prior, session.dataset.counts)
  session.mmd = mmd.new { multipliers = job.config.loss.multipliers,
    unbiased = job.config.loss.unbiased }
  session.total_epochs = 0
  for _, one in ipairs(session.plan) do session.total_epochs = session.total_epochs + one.epochs end
  return session
end

local function attach(session, job, record)
  session.record, session.uid = record, record.uid
  session.config_hash = core.sha256.text(core.json.encode(job.config))
  session.store_folder = trainer.folder_of(job.db.path)
  session.folder = session.store_folder .. "/" .. record.uid
  local made, message = core.sys.mkdir_p(session.folder)
  if not made then error(message, 0) end
  session.progress = progress.new { total = stage.steps_per_epoch(session) * session.total_epochs,
    stream = job.stream, label = ("%s seed %d"):format(job.label or "run", job.seed) }
  session.tick = function(done, loss)
    session.progress:update(done, { loss = loss })
    session.record:heartbeat()
    poll(session)
  end
  session.poll, session.report = function() poll(session) end, report
end

-- Runs the stages from number `from`; `saved` = {tensors, meta} restores the first of them.
local function train(session, from, saved)
  for i = from, #session.plan do
    stage.begin(session, i)
    local shared = session.stage == "prior"
    if saved then
      state.restore(session, saved.tensors, saved.meta)
      saved = nil
    end
    if not (shared and session.epoch == session.first_epoch and first_stage.load(session)) then
      stage.run(session)
      if shared then
        state.load_weights(session, state.path(session, "best"), "net")
        first_stage.save(session)
      end
    end
  end
end

-- Trains and evaluates; the record ends as finished, interrupted or failed.
local function carry_out(session, from, saved)
  local ok, result = xpcall(function()
    train(session, from, saved)
    local measured = final.evaluate(session)
    session.record:finish()
    return measured
  end, function(problem)
    return type(problem) == "table" and problem or core.sys.debug() and debug.traceback(problem, 2)
      or problem
  end)
  core.ops.clear_tape()
  session.progress:finish()
  if ok then return { uid = session.uid, metrics = result } end
  if type(result) == "table" and result.interrupted then
    session.record:interrupt()
  else
    session.record:fail(tostring(result))
  end
  error(result, 0)
end

function trainer.run(job)
  job.config = config.complete(job.config)
  local session = trainer.prepare(job)
  attach(session, job, job.db:start_run(host.describe(job, session)))
  return carry_out(session, 1)
end

-- The job of a stored run: its configuration and seed as they were.
local function stored_job(db, run, stream)
  return { db = db, stream = stream, config = config.complete(db:config(run)), seed = run.seed,
    label = run.label or run.name }
end

-- Goes on with a run that was killed, interrupted or failed.
function trainer.resume(db, run, stream)
  local job = stored_job(db, run, stream)
  local session = trainer.prepare(job)
  final.same_data(session, db, run)
  local path = ("%s/%s/last.safetensors"):format(trainer.folder_of(db.path), run.uid)
  local saved
  if core.sys.exists(path) then
    local tensors, meta = core.checkpoint.load(path)
    if not tensors then error(meta, 0) end
    saved = { tensors = tensors, meta = meta }
  end
  attach(session, job, db:resume_run(run.uid, saved and saved.meta.epoch or 0))
  return carry_out(session, saved and saved.meta.stage or 1, saved)
end

-- Evaluates a stored run's best weights again with another sampler (a table as in the
-- configuration's `sampler`); stored as a further evaluation.
function trainer.evaluate(db, run, sampler)
  local job = stored_job(db, run)
  job.config.sampler = config.complete { sampler = sampler }.sampler
  local session = trainer.prepare(job)
  final.same_data(session, db, run)
  attach(session, job, db:record_of(run.uid))
  return final.again(session)
end

return trainer
