---@meta _
-- More methods of the RunDatabase: runs by filters, their numbers, and the notes of users.

---@class aniso.RunDatabase
---@field aliases table<string, string> Names of metrics in papers: all, head, tail.
local RunDatabase = {}

---Runs by filters as typed after `aniso ls`: "macro_f1>0.55", "tag:paper", "ham".
---@param filters? string[] all must fit
---@param options? { sort: string?, limit: integer?, removed: boolean? } sort: "key", or "-key" descending
---@return table[]? rows like runs(), with tags, newest first
---@return table|string|nil catalog of keys
---@return table|string|nil mentioned keys
---@return integer? fitting how many match, without the limit
function RunDatabase:select(filters, options) end

---The numbers of the evaluations that count: the primary ones, and the prior's if requested.
---@param options? { part: aniso.Part?, prior: boolean? } "test", false
---@return { run_id: integer, eval_id: integer, prior: boolean, n: integer, metrics: table }[]?
function RunDatabase:scores(options) end

---Whether any of these runs has several test evaluations of its best weights by chains.
---@param runs table[] rows of runs()
---@return boolean?
function RunDatabase:has_several_chains(runs) end

---All test evaluations of the best weights, primary and further ones, as scores() gives them.
---@param runs? table[] rows of runs(): speeds the query up; the result may contain others
---@return { run_id: integer, eval_id: integer, noise: integer, passes: integer, image_s: number? }[]?
function RunDatabase:evaluations_of_best(runs) end

---Whether a run's best weights have a test evaluation.
---@param run aniso.RunReference
---@param of { sampler: string, steps: integer, draws: integer, seed: integer, primary: boolean? }
---@return boolean?
function RunDatabase:is_evaluated(run, of) end

---All metrics that the database can store as one number, by name.
---@return table<string, { name: string, higher: boolean }>?
function RunDatabase:metrics() end

---@return table<integer, string[]>? tags by run_id, sorted
function RunDatabase:tags() end

---@param runs table a row of find(), or a list of rows
---@param names string[] single words
---@return integer? new ones
function RunDatabase:tag(runs, names) end

---@param runs table a row of find(), or a list of rows
---@param names string[]
---@return integer? removed ones
function RunDatabase:untag(runs, names) end

---Adds a remark.
---@param run table a row of find()
---@param text string
---@return integer?
function RunDatabase:note(run, text) end

---@param run table a row of find()
---@return { at: string, text: string }[]? remarks, the latest last
function RunDatabase:notes(run) end

---Hides runs from every view and list until restore(); `aniso gc` deletes them permanently.
---@param runs table[] rows of find() or runs()
---@return integer? removed
---@return string? message
---@return string? code
function RunDatabase:remove(runs) end

---Restores removed runs.
---@param runs table[] rows of runs{ removed = true }
---@return integer? restored
---@return string? message
---@return string? code
function RunDatabase:restore(runs) end

---Replaces the plan of a study: what is about to be run. uid: of a run that had already finished; begun: of
---one that is resumed; unit, stage, round: for workers.
---@param study string
---@param jobs table[] { label, seed, cross, config, uid, begun, unit, stage, round }
---@param baseline? string the label with which the others are compared
---@param of? { recipe: table, folder: string, one_by_one: boolean? } of a plan for workers
---@return true? done
---@return string? message
---@return string? code
function RunDatabase:set_plan(study, jobs, baseline, of) end

---The plan that workers can execute: of a study, or the latest in the file; false if there is none.
---@param study? string
---@return table|false|nil plan study, age in seconds, pid, after_run, folder, tool_version, recipe_path …
---@return string? message
---@return string? code
function RunDatabase:plan_for_workers(study) end

---The runs of a study's plan, with their configurations as JSON.
---@param study string
---@return table[]? rows
---@return string? message
---@return string? code
function RunDatabase:planned_runs(study) end

---What is left of a study's plan. planned: its runs, including trials of searches; left: those that have not
---ended, without trials; units: the units of these; plain: how many of them belong to no search. Raises if
---the database fails.
---@param study string
---@return { planned: integer, left: integer, units: integer, plain: integer }
function RunDatabase:left_of_plan(study) end

---Takes the next unit of a study's plan that no other worker has taken. Raises if the database fails.
---@param study string
---@return table[]? rows
---@return integer|"wait"|"done" units how many have not ended; why there is none: other workers
---have the rest, or all have ended
function RunDatabase:take_unit(study) end

---Stores how a run of a plan ended. Raises if the database fails.
---@param study string
---@param seq integer
---@param ended "finished"|"failed"
---@param problem? string
function RunDatabase:end_planned(study, seq, ended, problem) end

---Removes a pruned run from the plan. Raises if the database fails.
---@param study string
---@param seq integer
function RunDatabase:drop_planned(study, seq) end

---Ends the runs of workers that no longer exist. Raises if the database fails.
function RunDatabase:end_lost_runs() end

---Replaces the trials of a unit of a plan with those that its search has found so far.
---@param study string
---@param unit integer
---@param jobs table[] as for set_plan()
function RunDatabase:set_trials(study, unit, jobs) end

---The plan of the latest `aniso run` of a study.
---@param study string
---@return table|false|nil plan at, age, pid, after_run, and { label, seed, config_id, uid } … false: none
---@return string? message
---@return string? code
function RunDatabase:plan_of(study) end

---The label with which a study's others are compared; false if its recipe names none.
---@param study string
---@return string|false|nil
---@return string? message
---@return string? code
function RunDatabase:baseline_of(study) end

---What the policy `search` compared for a run and chose: metric, chosen, rungs = {{seeds, candidates =
---{{name, mean, delta, se, state}, …}}, …}; nil for a run without a search.
---@param run aniso.RunReference
---@return table? record
function RunDatabase:search_of(run) end

---How many images a run was trained on.
---@param run aniso.RunReference
---@return integer? n
function RunDatabase:training_images(run) end

---Records that the variant of a run was pruned, replacing an earlier decision about it.
---@param uid string of the last run on which the decision depends
---@param record table { metric, seeds, leader, delta, lo, hi, level }
---@return true? done
---@return string? message
---@return string? code
function RunDatabase:set_pruned(uid, record) end

---Removes the decisions recorded about the variants with these labels.
---@param study string
---@param labels string[]
---@return integer? count of decisions removed
---@return string? message
---@return string? code
function RunDatabase:clear_pruned(study, labels) end

---The pruned variants: run_id → the decision, for each of their runs; of all studies if none is given.
---@param study? string
---@return table<integer, table>? decisions { metric, seeds, leader, delta, lo, hi, level, at, label }
function RunDatabase:pruned_of(study) end

---What differs, by how much, and whether it exceeds chance, like `aniso compare`; prints as tables.
---db:compare{ "ddpm", "adpm" }, db:compare{ "@last", "@best:tail" }, db:compare "lambda"
---@param names string[]|string the baseline first: a run, a configuration (label or study:label), runs
---"1,4,7", filters; or just the name of a study
---@param options? { baseline: string?, draws: integer?, level: number?, seed: integer? }
---@return table? result groups, metrics, classes, confusion, config, pairs, notes
---@return string? message
---@return string? code
function RunDatabase:compare(names, options) end

---The configurations of a study with their finished runs over seeds: group:of "tail" returns n, mean, sd.
---Folds are pooled per seed: a member contains `parts`, a run of each fold, and the group `done` of `wanted`
---folds.
---@param study string
---@param options? { prior: boolean?, trials: boolean? } the prior's own predictions as groups too; the trials
---of searches instead of the study's variants
---@return table[] groups { label =, prior =, members = { { seed =, run_id =, n =, metrics = } }, of = }
function RunDatabase:groups(study, options) end
