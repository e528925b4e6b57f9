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

---Optimisers over a module's flat tensors; their state is a plain table that checkpoints store.
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

---Learning-rate schedules: functions of (step, total), step from 1 to total. warmup is a share of all steps.
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
---@field stream? file* Where progress is written, stderr if left out.
---@field levels? number[] The λ_j of a stored run, instead of a recipe's own policy.
---@field classes? string[] Classes of a stored run, whose order is kept.
---Nothing is trained: a recipe's own losses are not looked up, and backbone.weights is not opened.
---@field evaluation_only? boolean

---Trains and evaluates a configuration with one seed, and records it.
---@class aniso.trainer
local trainer = {}

---@param job aniso.Job
---@return { uid: string, metrics: table }
function trainer.run(job) end

---Drops the data set that is kept for the next run, so that its memory can be freed.
function trainer.release_data() end

---Continues a run that was killed, interrupted or failed; the result has the same bits.
---@param db aniso.RunDatabase open for writing
---@param run table a row of find()
---@param stream? file*
---@return { uid: string, metrics: table }
function trainer.resume(db, run, stream) end

---Makes a job continue a stored run of its configuration.
---@param job aniso.Job
---@param run table a row of find()
function trainer.adopt(job, run) end

---The result of a job in lock-step: metrics, or the problem that ended it.
---@class aniso.Outcome
---@field uid? string
---@field metrics? table
---@field problem? any

---Trains jobs that differ only in their denoisers in lock-step behind one frozen net, each with the same bits
---as alone.
---@param jobs aniso.Job[]
---@return aniso.Outcome[] outcomes in the order of the jobs
function trainer.run_together(jobs) end

---The job of a stored run, for resume_together().
---@param db aniso.RunDatabase
---@param run table a row of find()
---@param stream? file*
---@return aniso.Job
function trainer.stored_job(db, run, stream) end

---@param jobs aniso.Job[] from stored_job()
---@return aniso.Outcome[] outcomes in the order of the jobs
function trainer.resume_together(jobs) end

---Evaluates a run's best weights with another sampler, stored as a further evaluation.
---@param db aniso.RunDatabase open for writing
---@param run table a row of find()
---@param sampler aniso.option.sampler
---@param rule? aniso.option.select.calibrate|string both parts are then also stored as it calibrates them
---@return table metrics
---@param board? aniso.ProgressBoard
function trainer.evaluate(db, run, sampler, rule, board) end

---Which of several samplers have no stored evaluation of a run; raises for an invalid option.
---@param db aniso.RunDatabase
---@param run table a row of find()
---@param samplers aniso.option.sampler[]
---@param rule? aniso.option.select.calibrate|string as for evaluate()
---@return aniso.option.sampler[]
function trainer.not_evaluated(db, run, samplers, rule) end

---evaluate() with each of several samplers: the data are loaded and the images encoded once, and each
---evaluation is stored as soon as it is done.
---@param db aniso.RunDatabase open for writing
---@param run table a row of find()
---@param samplers aniso.option.sampler[]
---@param options? table rule, board, progress and first, done(sampler, metrics)
---@return table[] metrics
function trainer.evaluate_all(db, run, samplers, options) end

---Repeats a stored run in another database, under the same uid (`aniso verify`).
---@param job aniso.Job from stored_job(), with db, the other database, and source, the run's
---@return {uid: string, metrics: table?}
function trainer.repeat_in(job) end

---Repeats the final evaluation of a stored run in another database, under the same uid.
---@param job aniso.Job as for repeat_in()
---@param tensors table<string, aniso.Tensor> the run's best weights
---@param meta table their metadata
function trainer.evaluate_in(job, tensors, meta) end

---The sampler and rule with which evaluate_all() repeats a stored evaluation; nil if its name does not
---contain them.
---@param db aniso.RunDatabase
---@param run table a row of find()
---@param evaluation table a row of the table evaluation
---@param rule? table its calibration rule
---@return aniso.option.sampler? sampler
---@return table? rule
function trainer.options_of_evaluation(db, run, evaluation, rule) end

---What a job creates before its first step: plan, dataset, model and criteria; nothing is stored. The
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

---The same for a stored run's configuration: options that are newer than the run stay absent.
---@param given aniso.Config
---@return aniso.Config
function config.of_stored(given) end

---The values that an option may have, sorted; nil if any value may be given, and for unknown names. A
---recipe's own parts are not listed.
---@param path string such as "train.mode"
---@return string[]?
function config.choices(path) end

---What does not fit together in a complete configuration, such as more sampler steps than the schedule has.
---@param complete aniso.Config
---@return string[] sentences empty if everything fits
function config.conflicts(complete) end

---Options that were set but have no effect, or less effect than their values suggest.
---@param complete aniso.Config
---@param evaluation? boolean only the options of an evaluation
---@return string[] sentences empty if there are none
function config.unused(complete, evaluation) end
