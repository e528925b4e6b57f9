---@meta _
-- Training and evaluation: aniso.optim, trainer, config.

---@class aniso.AdamwOptions
---@field momentum? number β1 (default 0.9, at least 0, below 1).
---@field beta2? number (default 0.999, at least 0, below 1)
---@field eps? number (default 1e-08, above 0)
---@field weight_decay? number (default 0.01, at least 0).

---@class aniso.SgdOptions
---@field momentum? number (default 0.9, at least 0, below 1)
---@field nesterov? boolean (default false)
---@field weight_decay? number Added to the gradient (default 0, at least 0).

---Optimisers over a module's flat tensors; their state is a plain table that a checkpoint keeps.
---@class aniso.optim
---@field lr_schedule aniso.lr_schedule
---@field options table The rules of each optimiser.
local optim = {}

---@param given? aniso.AdamwOptions
---@return aniso.AdamW
function optim.adamw(given) end

---@param given? aniso.SgdOptions
---@return aniso.SGD
function optim.sgd(given) end

---AdamW, 1711.05101.
---@class aniso.AdamW
---@field options aniso.AdamwOptions
---@field state { t: integer, m: aniso.Tensor?, v: aniso.Tensor? }
local AdamW = {}

---One step along the module's gradient.
---@param module aniso.Module sealed
---@param lr number
---@param with? aniso.StepExtras
function AdamW:step(module, lr, with) end

---SGD with momentum.
---@class aniso.SGD
---@field options aniso.SgdOptions
---@field state { t: integer, buf: aniso.Tensor? }
local SGD = {}

---One step along the module's gradient.
---@param module aniso.Module sealed
---@param lr number
---@param with? aniso.StepExtras
function SGD:step(module, lr, with) end

---Learning rates: functions of (step, total), step from 1 to total. warmup is a share of all steps.
---@class aniso.lr_schedule
local lr_schedule = {}

---@param given? { lr: number?, warmup: number? } 1, 0
---@return fun(step: integer, total: integer): number
function lr_schedule.constant(given) end

---Half a cosine from 1 to `final`, 1608.03983.
---@param given? { lr: number?, warmup: number?, final: number? } 1, 0, 0
---@return fun(step: integer, total: integer): number
function lr_schedule.cosine(given) end

---One cycle, 1708.07120.
---@param given? { lr: number?, warmup: number?, start: number?, final: number? } 1, 0.3, 1/25, 1/250000
---@return fun(step: integer, total: integer): number
function lr_schedule.one_cycle(given) end

---@class aniso.Job
---@field config aniso.Config
---@field seed integer
---@field cross? aniso.CrossValidation The fold of a cross-validation.
---@field label? string
---@field study? string
---@field db? aniso.RunDatabase Needed by run().
---@field recipe? { path: string, text: string }
---@field argv? string[]
---@field stream? file* For progress, stderr if left out.
---@field levels? number[] The λ_j of a stored run, in the place of a recipe's own policy.
---@field classes? string[] Those of a stored run, whose order is kept.
---Nothing is trained: the losses' own parts are not looked up, backbone.weights is not opened.
---@field evaluation_only? boolean

---Trains and evaluates one configuration with one seed, and records it.
---@class aniso.trainer
local trainer = {}

---@param job aniso.Job
---@return { uid: string, metrics: table }
function trainer.run(job) end

---Drops the data set that is kept for the next run, so that its memory can be collected.
function trainer.release_data() end

---Goes on with a run that was killed, interrupted or failed, to the same bits.
---@param db aniso.RunDatabase open for writing
---@param run table a row of find()
---@param stream? file*
---@return { uid: string, metrics: table }
function trainer.resume(db, run, stream) end

---Lets a job go on with a stored run of its configuration.
---@param job aniso.Job
---@param run table a row of find()
function trainer.adopt(job, run) end

---What a lock-step gives for a job: metrics, or the problem that ended it.
---@class aniso.Outcome
---@field uid? string
---@field metrics? table
---@field problem? any

---Jobs that differ in their denoisers only train in lock-step behind one frozen net, each to the
---bits it would have alone.
---@param jobs aniso.Job[]
---@return aniso.Outcome[] outcomes in the order of the jobs
function trainer.run_together(jobs) end

---The job of a stored run, for resume_together().
---@param db aniso.RunDatabase
---@param run table a row of find()
---@param stream? file*
---@return aniso.Job
function trainer.stored_job(db, run, stream) end

---@param jobs aniso.Job[] of stored_job()
---@return aniso.Outcome[] outcomes in the order of the jobs
function trainer.resume_together(jobs) end

---Evaluates a run's best weights with another sampler; stored as a further evaluation.
---@param db aniso.RunDatabase open for writing
---@param run table a row of find()
---@param sampler aniso.option.sampler
---@param rule? aniso.option.select.calibrate|string both parts are then stored as it calibrates them, too
---@return table metrics
---@param board? aniso.ProgressBoard
function trainer.evaluate(db, run, sampler, rule, board) end

---Which of several samplers a run has no stored evaluation with; raises for a wrong option.
---@param db aniso.RunDatabase
---@param run table a row of find()
---@param samplers aniso.option.sampler[]
---@param rule? aniso.option.select.calibrate|string as for evaluate()
---@return aniso.option.sampler[]
function trainer.not_evaluated(db, run, samplers, rule) end

---evaluate() with each of several samplers: the data are loaded and the images encoded once, and each
---evaluation is stored when it is done.
---@param db aniso.RunDatabase open for writing
---@param run table a row of find()
---@param samplers aniso.option.sampler[]
---@param options? table rule, board, progress and first, done(sampler, metrics)
---@return table[] metrics
function trainer.evaluate_all(db, run, samplers, options) end

---Carries out a stored run again in another database, under the same uid (`aniso verify`).
---@param job aniso.Job of stored_job(), with db, the other database, and source, that of the run
---@return {uid: string, metrics: table?}
function trainer.repeat_in(job) end

---The final evaluation of a stored run again, in another database, under the same uid.
---@param job aniso.Job as for repeat_in()
---@param tensors table<string, aniso.Tensor> the run's best weights
---@param meta table their metadata
function trainer.evaluate_in(job, tensors, meta) end

---With which sampler and rule evaluate_all() makes a stored evaluation again; nil where its name does not
---hold them.
---@param db aniso.RunDatabase
---@param run table a row of find()
---@param evaluation table a row of the table evaluation
---@param rule? table of its calibration
---@return aniso.option.sampler? sampler
---@return table? rule
function trainer.options_of_evaluation(db, run, evaluation, rule) end

---What a job makes before its first step: plan, dataset, model and criteria; nothing is stored. The
---fields of a session are listed in aniso/train/session.lua.
---@param job aniso.Job complete configuration
---@param sharing? table a session whose net this one shares
---@return table session
function trainer.prepare(job, sharing) end

---The options of a run, complete.
---@class aniso.config
---@field defaults table The rules of every option of a run.
---@field sampler table The rules of `sampler`.
local config = {}

---A complete copy of a configuration; raises on a mistake, with the dotted name.
---@param given aniso.Config
---@return aniso.Config
function config.complete(given) end

---The same of a stored run's configuration: options that are younger than the run stay absent.
---@param given aniso.Config
---@return aniso.Config
function config.of_stored(given) end

---The values that an option may have, sorted; nil where any value may be given, and for other names. A
---part of a recipe's own is not listed.
---@param path string such as "train.mode"
---@return string[]?
function config.choices(path) end

---What does not fit together in a complete configuration, such as more sampler steps than the schedule has.
---@param complete aniso.Config
---@return string[] sentences empty where all fits
function config.conflicts(complete) end

---Options that were set and have no effect, or less than their values promise.
---@param complete aniso.Config
---@param evaluation? boolean only the options of an evaluation
---@return string[] sentences empty where there are none
function config.unused(complete, evaluation) end
