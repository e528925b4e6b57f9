-- The names by which runs are filtered, sorted, tabulated and plotted. A key is a fact
-- (study, seed, wall …), a metric of the primary test evaluation (macro_f1, tail …; also those of
-- stats/derived.lua, such as tail@head=0.90) or an option of the configuration (train.lr). keys.new(db)
-- reads each kind from the database once, when it is first needed; key:get(run) takes a row with the
-- columns of v_run, at least those of key.columns.
local literal = require "aniso.recipe.literal"
local nearest = require "aniso.recipe.nearest"
local renamed = require "aniso.recipe.renamed"
local derived = require "aniso.stats.derived"
local hint = require "aniso.store.hint"
local metric_column = require "aniso.store.metric_column"
local must = require("aniso.store.db_error").must
local option_columns = require "aniso.store.option_columns"
local run_folder = require "aniso.store.run_folder"
local score = require "aniso.store.score"

local keys = {}

local FACTS = { run = "run_id", id = "uid", name = "name", study = "study", label = "label",
  content = "content", split = "split", imbalance = "imbalance_factor", seed = "seed", fold = "fold",
  folds = "folds",
  attempt = "attempt", status = "status", host = "hostname", started = "started_at",
  ended = "ended_at", wall = "wall_s", resumes = "resumes", threads = "threads",
  commit = "git_commit" }

-- The facts that take one of a few values. A run without an end is `running` or `crashed`.
local FACT_VALUES = { status = { "crashed", "failed", "finished", "interrupted", "running" } }

-- Facts that differ between the runs of one configuration, which a row or a point averages.
local OF_ONE_RUN = { run = true, id = true, name = true, seed = true, fold = true, attempt = true,
  started = true, ended = true, wall = true, resumes = true, disk = true }

-- Columns of tables that are not facts of a run → the reason.
local TABLES_ONLY = {
  by = "a run has results by the chain and by the prior; aniso table STUDY --prior shows both",
  seeds = "a run has one; its key is seed",
}

local choices_of = function() return nil end

-- choices(option) → the list of its values, or nil if any value may occur. Options are defined in
-- method/, which store/ may not require; prompt/explore/database.lua registers the function.
function keys.register_choices(choices)
  choices_of = choices
end

local Keys = {}
Keys.__index = Keys

function keys.new(db)
  return setmetatable({ db = db, known_metrics = must(score.metrics(db)), columns = {},
    options = option_columns.new(db) }, Keys)
end

-- Reads the metrics of these runs at once, for all that is shown of them.
function Keys:read_metrics(runs)
  self.by_run = {}
  for _, run in ipairs(runs) do self.by_run[run.run_id] = {} end
  for _, one in ipairs(must(score.scores(self.db, { runs = runs }))) do
    if self.by_run[one.run_id] then self.by_run[one.run_id] = one.metrics end
  end
  return self.by_run
end

-- The metric `name` of a run; if read_metrics() did not read the run, that metric of all runs is read.
local function metric_of(self, name, run)
  local metrics = self.by_run and self.by_run[run.run_id]
  if metrics then return metrics[name] end
  self.columns[name] = self.columns[name] or metric_column.read(self.db, name)
  return self.columns[name](run.run_id)
end

-- The options of a run: {{key, num, txt}, …}, sorted by key.
function Keys:options_of(run)
  local out = {}
  for _, param in pairs(self.options:of_runs { run }[run.config_id]) do out[#out + 1] = param end
  table.sort(out, function(a, b) return a.key < b.key end)
  return out
end

local function unknown(self, name)
  renamed.check(name)
  if TABLES_ONLY[name] then
    error(("%s is a column of tables, not a key of runs: %s"):format(name, TABLES_ONLY[name]), 0)
  end
  local names = {}
  for _, set in ipairs { FACTS, self.known_metrics, score.aliases } do
    for known in pairs(set) do names[#names + 1] = known end
  end
  for _, known in ipairs(self.options:names()) do names[#names + 1] = known end
  table.sort(names)
  local meant = nearest(name, names)
  error(("no key %s (%s)"):format(name, meant and ("did you mean %s?"):format(meant)
    or "a fact such as status or seed, a metric such as macro_f1, an option such as train.lr"), 0)
end

-- Bytes of the files in the run's folder.
local function disk_of(self)
  return { name = "disk", kind = "fact", columns = { "uid" }, get = function(_, run)
    self.bytes = self.bytes or {}
    local known = self.bytes[run.uid] or run_folder.bytes(run_folder.path(self.db, run.uid))
    self.bytes[run.uid] = known
    return known
  end }
end

-- What the recipe calls its data (ham10000, lesions); for a run without options, the set's name.
local function data_of(self)
  return { name = "data", kind = "fact", columns = { "config_id", "dataset" }, get = function(_, run)
    local param = self.options:value(run, "data")
    return param and param.txt or run.dataset
  end }
end

-- The name of a baseline; nil for a run without one.
local function method_of(self)
  return { name = "method", kind = "option", columns = { "config_id" }, get = function(_, run)
    local param = self.options:value(run, "method")
    return param and param.txt
  end }
end

-- key(name) → {name, kind = "fact" | "metric" | "option", get(key, run), columns, higher [metrics]}; an
-- unknown name raises. get returns a number, a string or nil; columns: those of a run's row that it reads.
function Keys:key(name)
  if name == "data" then return data_of(self) end
  if name == "disk" then return disk_of(self) end
  if name == "method" then return method_of(self) end
  if FACTS[name] then
    return { name = name, kind = "fact", columns = { FACTS[name] },
      get = function(_, run) return run[FACTS[name]] end }
  end
  local known = self.known_metrics[score.aliases[name] or name] or derived.parse(name)
  if known then
    return { name = name, metric = known.name, kind = "metric", higher = known.higher, columns = { "run_id" },
      get = function(_, run) return metric_of(self, known.name, run) end }
  end
  if not self.options:is_known(name) then unknown(self, name) end
  return { name = name, kind = "option", columns = { "config_id" }, get = function(_, run)
    local param = self.options:value(run, name)
    if param and param.num and tonumber(param.txt) then return param.num end
    return param and param.txt
  end }
end

-- The key for rows and points that average the runs of a configuration. flag: "--rows", for the message.
function Keys:of_configuration(name, flag)
  if OF_ONE_RUN[name] then
    error(("%s: %s differs between the runs of a configuration, which a row averages; %s lists the runs")
      :format(flag, name, hint.command(self.db, "ls")), 0)
  end
  return self:key(name)
end

-- Raises if `value` (a string) is not in the sorted list `values`; the message names the nearest one.
local function check_value(name, value, values)
  for _, allowed in ipairs(values) do
    if value == allowed then return end
  end
  local meant = nearest(value, values)
  error(("%s is never %s%s; it is one of %s"):format(name, literal.describe(value),
    meant and (" (did you mean %s?)"):format(meant) or "", table.concat(values, ", ")), 0)
end

-- The values that an option may have, with those in the database; nil if any value may occur.
local function option_values(self, name)
  local set, list = {}, choices_of(name)
  if not list then return nil end
  for _, value in ipairs(list) do set[value] = true end
  for _, param in pairs(self.options:of_all(name)) do set[param.txt] = true end
  for _, row in ipairs(name == "data" and must(self.db.core:query "SELECT name FROM dataset") or {}) do
    set[row.name] = true
  end
  list = {}
  for value in pairs(set) do list[#list + 1] = value end
  table.sort(list)
  return list
end

-- Raises if `value`, a string that a filter compares with a fact, is not one that the fact can have.
function keys.check_fact(name, value)
  if FACT_VALUES[name] then check_value(name, value, FACT_VALUES[name]) end
end

-- The same for a key of the database. Keys with any number of values accept every text.
function Keys:check_value(key, value)
  if key.kind == "fact" then keys.check_fact(key.name, value) end
  local values = (key.kind == "option" or key.name == "data") and option_values(self, key.name)
  if values then check_value(key.name, value, values) end
end

-- The options that differ between the runs, sorted. An option that some runs lack differs too.
function Keys:varying(runs)
  return self.options:varying(runs)
end

return keys
