---@meta _
-- The run database: aniso.store and the RunDatabase it opens. If the database fails, methods return nil,
-- message, code.

---The run database.
---@class aniso.store
---@field methods table The methods of RunDatabase.
---@field Comparison table The metatable of what compare() returns.
local store = {}

---Opens a run database; it is created if missing, unless it is opened for reading.
---@param path string
---@param options? { readonly: boolean? } false if left out
---@return aniso.RunDatabase? database
---@return string? message
---@return string? code
function store.open(path, options) end

---@alias aniso.RunReference table|integer|string A row of find() or runs(), or the run's number or uid.
---A row of evaluations() or its number; a run's row or name means its primary test evaluation.
---@alias aniso.EvaluationReference table|integer|string

---Which runs. All given fields must match.
---@class aniso.RunFilter
---@field study? string
---@field name? string
---@field label? string
---@field dataset? string
---@field status? "running"|"finished"|"failed"|"interrupted"|"crashed"
---@field text? string Searched for in name, label, study, data set, uid and status, ignoring case.
---@field sort? string A key as for `aniso ls --sort`: "macro_f1", "-seed".
---@field limit? integer Keeps the newest, or the first when sorted.
---@field removed? boolean The runs that were removed, instead of the others.
---@field metrics? boolean Adds `metrics`, of its primary test evaluation, to each row.
---@field [integer] string Filters as after `aniso ls`: "macro_f1>0.55", "tag:paper".

---The runs in one file. store/README.md documents the tables and views.
---@class aniso.RunDatabase
---@field path string
---@field readonly boolean
---@field core aniso.Database
local RunDatabase = {}

---One run: a number, a uid or its beginning, a name or label, "@last", "@best:macro_f1".
---@param reference string|integer
---@param options? { removed: boolean? } search the removed runs
---@return table? row with the columns of v_run
---@return string? message
---@return string? code
function RunDatabase:find(reference, options) end

---db:runs{ "data=ham10000", "macro_f1>0.5", study = "lambda", sort = "tail", metrics = true }
---@param filter? aniso.RunFilter
---@return table[]? rows with the columns of v_run, oldest first or sorted
---@return string? message
---@return string? code
function RunDatabase:runs(filter) end

---SQL with bound values: db:query("SELECT … WHERE seed = ?1", 3).
---@param sql string
---@param ... nil|boolean|number|string
---@return table[]? rows by column name
---@return string[]|string|nil columns
---@return string? code
function RunDatabase:query(sql, ...) end

---Runs a statement that changes the database.
---@param sql string
---@param ... nil|boolean|number|string
---@return integer? changed rows
---@return integer|string|nil last new id
---@return string? code
function RunDatabase:exec(sql, ...) end

---Runs one read-only statement that the user typed; the database must be open for reading only.
---@param text string
---@return table[]? rows by column name
---@return string[]|string|nil columns
---@return string? code
function RunDatabase:sql(text) end

---Runs fn(…) in one transaction: everything is stored or nothing.
---@param fn function
---@param ... any
---@return any ... what fn returns, or true if nothing
function RunDatabase:transaction(fn, ...) end

---The configuration of a run.
---@param run aniso.RunReference
---@return aniso.Config?
function RunDatabase:config(run) end

---How a run's data were divided, with one row per class in `classes`.
---@param run aniso.RunReference
---@return table?
function RunDatabase:split_of(run) end

---The λ_j in force, in class order.
---@param run aniso.RunReference
---@return number[]?
function RunDatabase:lambda(run) end

---Host, argv, env, recipe_path, recipe_text.
---@param run aniso.RunReference
---@return table?
function RunDatabase:origin(run) end

---curves[part][metric] = {step = {…}, value = {…}}
---@param run aniso.RunReference
---@param names? string[] the metrics to read, all if left out
---@return table<string, table<string, { step: integer[], value: number[] }>>?
function RunDatabase:curves(run, names) end

---One curve: its steps and its values, nil where a value is not finite; empty lists if there is no such
---curve.
---@param run aniso.RunReference
---@param part "train"|"val"|"test"
---@param name string the metric
---@return integer[]? steps
---@return number[]|string values
function RunDatabase:curve(run, part, name) end

---@param run aniso.RunReference
---@return table[]?
function RunDatabase:checkpoints(run) end

---@param run aniso.RunReference
---@return { at: string, level: string, message: string }[]?
function RunDatabase:log_of(run) end

---Rows of v_eval, with the other metrics in `results`: name → {value, lo, hi}.
---@param run aniso.RunReference
---@return table[]?
function RunDatabase:evaluations(run) end

---Rows of v_class in class order, with scores = {key = value}.
---@param evaluation aniso.EvaluationReference
---@param scores? boolean false leaves the scores out, which takes less time
---@return table[]?
function RunDatabase:classes(evaluation, scores) end

---Counts as a tensor, true classes down and predicted ones across: b - a, m:sum(2), m:get(1, 2).
---@param evaluation aniso.EvaluationReference
---@return aniso.Tensor? matrix (K, K), float32
function RunDatabase:confusion(evaluation) end

---What validation chose for a calibrated evaluation: rule, part, tau, temperature, level, the metric's value
---on that part, and its value there without calibration (`uncalibrated`). nil for an evaluation that is not
---calibrated.
---@param evaluation aniso.EvaluationReference
---@return table? choice
function RunDatabase:calibration(evaluation) end

---Bins of the calibration error.
---@param evaluation aniso.EvaluationReference
---@return { n: integer, sum_conf: number, n_correct: integer }[]?
function RunDatabase:bins(evaluation) end

---@param evaluation aniso.EvaluationReference
---@param probs? "packed"|"alone"|false one string of N K float32; only this and true_idx; false: none
---@return { true_idx: integer[], pred_idx: integer[], conf: number[], probs: number[][]? }? classes from 0
function RunDatabase:predictions(evaluation, probs) end

---Begins a run: name, study, config, lambda, dataset, split, seed, host, ….
---@param of table see lua/aniso/train/provenance.lua
---@return aniso.Recorder
function RunDatabase:start_run(of) end

---Continues a run; what it recorded after `step` is deleted, as it will be recorded again.
---@param uid string
---@param step integer epoch of the checkpoint
---@return aniso.Recorder
function RunDatabase:resume_run(uid, step) end

---A recorder that adds evaluations and leaves the run's status unchanged.
---@param uid string
---@return aniso.Recorder
function RunDatabase:record_of(uid) end

---Imports the runs of other files, identified by their uids; merging again changes nothing. All or none.
---@param others string[] paths
---@return table[]? per file { file =, added =, updated =, known =, running =, removed = }
---@return string? message
---@return string? code
function RunDatabase:merge(others) end

---@return integer version of the schema
function RunDatabase:version() end

---@param pid? integer a process
---@return integer|boolean? writer whether it writes; without pid, the process that does (0: unknown) or nil
function RunDatabase:writer(pid) end

---The folder of the checkpoints: runs.db keeps them in runs/<uid of a run>/.
---@return string
function RunDatabase:folder() end

---@param uid string
---@return string folder of that run's checkpoints
function RunDatabase:run_folder(uid) end

---@return string folder of the first stages that staged runs share
function RunDatabase:first_stage_folder() end

function RunDatabase:close() end
