-- A session: one run from its job to its stored evaluation. FIELDS lists everything it holds; any other
-- name is an error. Sessions that train in lock-step form a group, which shares the data and the frozen
-- net (lockstep.lua); a run that trains alone is a group of one.
--   local session = Session.new(job)      session:attach(job, record, group)      session:run()
local core = require "aniso.core"
local calibrate = require "aniso.method.calibrate"
local class_weight = require "aniso.method.class_weight"
local data = require "aniso.method.data"
local checkpoint_owner = require "aniso.store.checkpoint_owner"
local errors = require "aniso.recipe.errors"
local folds = require "aniso.recipe.folds"
local hint = require "aniso.store.hint"
local mmd = require "aniso.method.mmd"
local model = require "aniso.method.model"
local prior_loss = require "aniso.method.prior_loss"
local sampler = require "aniso.method.sampler"
local strict = require "aniso.recipe.strict"
local tilt = require "aniso.method.tilt"
local boards = require "aniso.train.boards"
local checkpoint = require "aniso.train.checkpoint"
local final_evaluation = require "aniso.train.final_evaluation"
local latest_data = require "aniso.train.latest_data"
local lockstep = require "aniso.train.lockstep"
local ranks = require "aniso.train.ranks"
local stage = require "aniso.train.stage"
local stages = require "aniso.train.stages"

local Session = {}

local FIELDS = {
  -- What follows from the job, set by new().
  config = "the complete configuration",
  seed = "of the initial weights, the order of the images and all noise",
  plan = "the stages in their order (stage.plan)",
  total_epochs = "of all stages",
  until_epoch = "the epoch after which the training ends without an evaluation; nil for a whole run",
  dataset = "aniso.Dataset, shared by sessions of the same data",
  model = "the networks and the schedule (method/model.lua)",
  prior_criterion = "the priors' own loss, function(logits, labels, progress); nil for an evaluation only",
  class_weights = "w_c of the denoising loss, a tensor (K); nil where every class weighs 1",
  mmd = "the MMD of the loss (method/mmd.lua)",
  -- The stored run, set by attach().
  record = "the recorder of the run (store/recorder.lua)",
  uid = "of the run",
  config_hash = "the SHA-256 of the configuration, its key in the database",
  folder = "of the run's checkpoints",
  shared_folder = "of first stages that runs share",
  progress = "the line that shows the run (show/progress)",
  group = "the sessions in lock-step, this one among them",
  saved = "the checkpoint to go on from (checkpoint.read_newest); nil for a new run",
  -- The current stage, set by stage.begin().
  stage_number = "1 or 2",
  stage = '"joint", "prior", "denoiser" or "classifier"',
  first_epoch = "epochs before this stage",
  stage_epochs = "epochs of this stage",
  trained = "the modules that are trained, a list of {name, module}",
  groups = "the parameter groups of each trained module (parameter_groups.lua)",
  emas = "the averaged weights of each trained module; empty where train.ema_decay is 0",
  lr_schedule = "function(step, total) → factor of train.lr",
  -- The position in the training.
  epoch = "epochs done, of all stages",
  step = "steps done in this stage",
  best = "the epoch that validation chose and its value, {epoch, value}",
  validated = "the metrics of this epoch's validation; nil in an epoch without one",
  problem = "the error that ended the session; nil while it runs",
  tau = "τ of post_hoc, given or chosen on validation; nil before the evaluation and where there is none",
}

local meta = strict.class("session", FIELDS, Session)

Session.release_data = latest_data.release

-- Everything that follows from the job's configuration, seed and fold; nothing is stored.
--   sharing [opt]                a session of the same backbone, prior and seed, whose net is shared
--   job.levels [opt]             the λ_j of a stored run
--   job.classes [opt]            those of a stored run, whose order is kept
--   job.folder [opt]             base folder for relative paths of its data that do not exist here
--   job.evaluation_only [opt]    nothing is trained and the weights are those of a stored run: neither a
--                                recipe's own losses nor the file of backbone.weights need be found
--   job.progress [opt]           the line that shows the run, instead of one of its own
--   job.until_epoch [opt]        it trains up to this epoch, as a whole run does, and is not evaluated
function Session.new(job, sharing)
  local config = job.config
  local self = setmetatable({ config = config, seed = job.seed, plan = stage.plan(config), group = {},
    until_epoch = job.until_epoch }, meta)
  self.total_epochs = 0
  for _, one in ipairs(self.plan) do self.total_epochs = self.total_epochs + one.epochs end
  local given = job.run and data.of_stored(config.data) or config.data
  self.dataset = latest_data.load(data.seen_from(given, job.folder), job.cross, job.classes)
  calibrate.check_validation(config, self.dataset)
  self.model = model.new(config, self.dataset, job.seed, sharing and sharing.model, job.levels,
    job.evaluation_only)
  tilt.of(config.sampler.tilt, self.dataset.counts, self.model.schedule.levels) -- of K values, or an error
  sampler.step_of(config.sampler) -- an own sampler that is missing is an error now
  if not job.evaluation_only then
    ranks.check(config)
    local loss, counts = config.loss, self.dataset.counts
    self.prior_criterion = prior_loss.new(loss.prior, counts)
    self.class_weights = class_weight.tensor(loss.class_weight, counts, self.model.schedule.levels)
  end
  self.mmd = mmd.new { multipliers = config.loss.multipliers, unbiased = config.loss.unbiased }
  return self
end

-- The name of a job on the progress board.
function Session.label_of(job)
  return folds.name(job.label or "run", job.seed, job.cross and job.cross.fold)
end

-- Connects the session with the record of its run, its folders and its group.
function Session:attach(job, record, group)
  self.record, self.uid, self.group = record, record.uid, group
  self.config_hash = checkpoint_owner.of(job.db, record.uid).config
  self.shared_folder = job.db:first_stage_folder()
  self.folder = job.db:run_folder(record.uid)
  job.db.waiting = { say = function(line) self.progress:print(line) end,
    stop = function() self:stop_if_interrupted() end }
  -- An evaluation only reads the folder. A new one would take the name of one that is yet to be renamed.
  if not job.evaluation_only then
    local made, message = core.sys.mkdir_p(self.folder)
    if not made then error(message, 0) end
  end
  self.progress = job.progress or (job.board or boards.new(job.stream)):line {
    total = stage.steps_per_epoch(self) * self.total_epochs, label = Session.label_of(job) }
end

-- ── while it runs ───────────────────────────────────────────────────────────────────────
-- Raises {interrupted = signal} after Ctrl-C or a termination.
function Session:stop_if_interrupted()
  local signal = core.sys.interrupted()
  if not signal then return end
  local lead = self.group[1] or self
  local line = "interrupted; nothing of this evaluation is stored, repeat the command"
  if lead.epoch then
    line = ("interrupted after epoch %d; continue with: %s"):format(lead.epoch,
      hint.command(lead.record.db, "resume", #self.group > 1 and "--all" or lead.uid))
  end
  errors.interrupt(signal, line)
end

-- Writes the heartbeats of the whole group: while one session computes, the others are in progress too.
function Session:heartbeat()
  for _, session in ipairs(lockstep.running(self.group)) do session.record:heartbeat() end
  self:stop_if_interrupted()
end

-- Shows that `done` steps of all stages are done.
function Session:show_step(done, loss)
  self.progress:update(done, { loss = loss })
  self:heartbeat()
end

-- Shows and logs a line. level [opt]: "warn"; "info" if left out.
function Session:report(line, level)
  self.progress:print(line)
  self.record:log(level or "info", line)
end

-- Shows the epoch that ended, and logs it if it was validated.
function Session:show_epoch(train, val)
  local line = ("epoch %d/%d  loss %.4f"):format(self.epoch, self.total_epochs, train.loss)
  if val then
    local shown = val.macro_f1 and val or { acc = val.prior_acc, macro_f1 = val.prior_macro_f1 }
    line = line .. ("  val acc %.3f macro_f1 %.3f%s"):format(shown.acc, shown.macro_f1,
      self.best.epoch == self.epoch and " *" or "")
    self.record:log("info", line)
  end
  self.progress:epoch(line)
end

-- ── from its position to the end ────────────────────────────────────────────────────────
-- Begins a stage, at the saved position if that is in this stage.
function Session:begin(number)
  stage.begin(self, number)
  local saved = self.saved
  if saved and saved.meta.stage == number then checkpoint.restore(self) end
end

-- Ends the records of all running sessions, since `problem` concerns all.
local function end_all(group, problem)
  for _, session in ipairs(lockstep.running(group)) do
    if lockstep.is_interrupt(problem) then session.record:interrupt() else lockstep.fail(session, problem) end
  end
end

local function outcome_of(session, metrics)
  if not session.problem and not metrics then
    session.progress:finish(("trained up to epoch %d"):format(session.epoch))
  elseif not session.problem then
    session.progress:finish(("test acc %.3f macro_f1 %.3f"):format(metrics.acc, metrics.macro_f1))
  end
  return { uid = session.uid, metrics = metrics, problem = session.problem }
end

-- Trains the session's group from its position, evaluates it, and ends the records as finished,
-- interrupted or failed. → per session {uid =, metrics =} or {uid =, problem =}; an interruption is raised.
function Session:run()
  local group, metrics, outcomes = self.group, {}, {}
  local ok, problem = xpcall(function()
    stages.run(group)
    if not group[1].until_epoch then
      for _, session in ipairs(lockstep.running(group)) do session.progress:phase "evaluating" end
      metrics = final_evaluation.evaluate(group)
    end
    lockstep.each(group, function(session)
      session.record:finish(session.model.levels and session.model.schedule.levels)
    end)
  end, errors.traced)
  core.ops.clear_tape()
  if not ok then
    end_all(group, problem)
    if lockstep.is_interrupt(problem) then error(problem, 0) end
  end
  for i, session in ipairs(group) do outcomes[i] = outcome_of(session, metrics[session]) end
  return outcomes
end

return Session
