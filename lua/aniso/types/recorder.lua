---@meta _
-- The Recorder: how a run is written to the database.

---@class aniso.RunDatabase
local RunDatabase = {}

---Like transaction(), for a database that another program has locked.
---@param how "wait"|"later"|integer wait for the lock without a limit, not at all, or so many milliseconds
---@param fn function
---@param ... any
---@return any ... what fn returns, or true if nothing
function RunDatabase:transaction_when(how, fn, ...) end

---Writes one run. Metrics and log lines wait in memory for up to two seconds.
---@class aniso.Recorder
---@field uid string
---@field id integer
local Recorder = {}

---Numbers of an epoch; NaN and the infinities are recorded as such.
---@param part "train"|"val"|"test"
---@param step integer epoch
---@param values table<string, number>
function Recorder:metric(part, step, values) end

---@param level "debug"|"info"|"warn"|"error"
---@param message string
function Recorder:log(level, message) end

---Marks the run as still in progress; cheap, call it often.
function Recorder:heartbeat() end

---Writes what is waiting in memory.
---@return boolean written false if another program has locked the database
function Recorder:flush() end

---What flush() could not write, for the state of a checkpoint.
---@return table?
function Recorder:unwritten() end

---One evaluation with its confusion matrix, class scores, bins and predictions.
---@param of table see lua/aniso/train/final_evaluation.lua
---@return integer eval_id
function Recorder:evaluation(of) end

---The newest checkpoint of its kind.
---@param of { kind: string, step: integer, path: string, sha256: string, bytes: integer }
function Recorder:checkpoint(of) end

---Deletes the metrics of the epochs up to `step`, which this run began and another one completed.
---@param step integer
function Recorder:forget_metrics(step) end

---Ends the run as finished.
---@param levels? number[] λ_j that the training found, stored instead of those at its start
function Recorder:finish(levels) end

---Ends the run with an error.
---@param message string
---@return true?
function Recorder:fail(message) end

---Ends the run for now: it can be resumed.
---@return true?
function Recorder:interrupt() end
