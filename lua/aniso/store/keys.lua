-- The names by which runs are filtered, sorted, tabulated and plotted. A key is a fact
-- (study, seed, wall …), a metric of the primary test evaluation (macro_f1, tail …; also those of
-- stats/derived.lua, such as tail@head=0.90) or an option of the configuration (train.lr). keys.new(db)
-- reads each kind from the database once, when it is first needed; key:get(run) takes a row with the
-- columns of v_run.
local literal = require "aniso.recipe.literal"
local nearest = require "aniso.recipe.nearest"
local renamed = require "aniso.recipe.renamed"
local derived = require "aniso.stats.derived"
local must = require("aniso.store.db_error").must
local run_folder = require "aniso.store.run_folder"
local score = require "aniso.store.score"

local keys = {}

local FACTS = { run = "run_id", id = "uid", name = "name", study = "study", label = "label",
  content = "content", split = "split", imbalance = "imbalance_factor", seed = "seed", fold = "fold",
  folds = "folds",
  attempt = "attempt", status = "status", host = "hostname", started = "started_at",
  ended = "ended_at", wall = "wall_s", resumes = "resumes", threads = "threads",
  commit = "git_commit" }

-- The facts that have one of a few values. A run without an end is `running` or `crashed`.
local FACT_VALUES = { status = { "crashed", "failed", "finished", "interrupted", "running" } }

-- Facts that differ between the runs of one configuration, whose mean a row or a point shows.
local OF_ONE_RUN = { run = true, id = true, name = true, seed = true, fold = true, attempt = true,
  started = true, ended = true, wall = true, resumes = true, disk = true }

-- Columns of tables that are not facts of a run → the reason.
local TABLES_ONLY = {
  by = "a run has results by the chain and by the prior; aniso table STUDY --prior shows both",
  seeds = "a run has one; its key is seed",
}

local choices_of = function() return nil end

-- choices(option) → the list of its values, or nil where any value may occur. Options are defined in
-- method/, which store/ may not require; prompt/explore/database.lua registers the function.
function keys.register_choices(choices)
  choices_of = choices
end

local Keys = {}
Keys.__index = Keys

function keys.new(db)
  return setmetatable({ db = db, known_metrics = must(score.metrics(db)) }, Keys)
end

-- run_id → the metrics of its primary test evaluation.
function Keys:metrics()
  if not self.by_run then
    self.by_run = {}
    for _, one in ipairs(must(score.scores(self.db))) do self.by_run[one.run_id] = one.metrics end
  end
  return self.by_run
end

-- config_id → dotted option → {num =, txt =}
function Keys:params()
  if not self.by_config then
    self.by_config, self.known_params = {}, {}
    for _, row in ipairs(must(self.db.core:query "SELECT * FROM config_param")) do
      local params = self.by_config[row.config_id] or {}
      self.by_config[row.config_id], self.known_params[row.key] = params, true
      params[row.key] = row
    end
  end
  return self.by_config
end

-- The options of a run: {{key, num, txt}, …}, sorted by key.
function Keys:options_of(run)
  local out = {}
  for _, param in pairs(self:params()[run.config_id] or {}) do out[#out + 1] = param end
  table.sort(out, function(a, b) return a.key < b.key end)
  return out
end

local function unknown(self, name)
  renamed.check(name)
  if TABLES_ONLY[name] then
    error(("%s is a column of tables, not a key of runs: %s"):format(name, TABLES_ONLY[name]), 0)
  end
  local names = {}
  for _, set in ipairs { FACTS, self.known_metrics, self.known_params, score.aliases } do
    for known in pairs(set) do names[#names + 1] = known end
  end
  table.sort(names)
  local meant = nearest(name, names)
  error(("no key %s (%s)"):format(name, meant and ("did you mean %s?"):format(meant)
    or "a fact such as status or seed, a metric such as macro_f1, an option such as train.lr"), 0)
end

-- Bytes of the files in the run's folder.
local function disk_of(self)
  return { name = "disk", kind = "fact", get = function(_, run)
    self.bytes = self.bytes or {}
    local known = self.bytes[run.uid] or run_folder.bytes(run_folder.path(self.db, run.uid))
    self.bytes[run.uid] = known
    return known
  end }
end

-- What the recipe calls its data (ham10000, lesions); for a run without options, the set's name.
local function data_of(self)
  return { name = "data", kind = "fact", get = function(_, run)
    local params = self:params()[run.config_id]
    return params and params.data and params.data.txt or run.dataset
  end }
end

-- The word of a baseline; nil for a run that was given none.
local function method_of(self)
  return { name = "method", kind = "option", get = function(_, run)
    local param = (self:params()[run.config_id] or {}).method
    return param and param.txt
  end }
end

-- key(name) → {name, kind = "fact" | "metric" | "option", get(key, run), higher [metrics]}; an
-- unknown name raises. get gives a number, a text or nil.
function Keys:key(name)
  if name == "data" then return data_of(self) end
  if name == "disk" then return disk_of(self) end
  if name == "method" then return method_of(self) end
  if FACTS[name] then
    return { name = name, kind = "fact", get = function(_, run) return run[FACTS[name]] end }
  end
  local known = self.known_metrics[score.aliases[name] or name] or derived.parse(name)
  if known then
    return { name = name, metric = known.name, kind = "metric", higher = known.higher,
      get = function(_, run)
        local metrics = self:metrics()[run.run_id]
        return metrics and metrics[known.name]
      end }
  end
  local params = self:params()
  if not self.known_params[name] then unknown(self, name) end
  return { name = name, kind = "option", get = function(_, run)
    local param = (params[run.config_id] or {})[name]
    if param and param.num and tonumber(param.txt) then return param.num end
    return param and param.txt
  end }
end

-- The key for rows and points that average the runs of a configuration. flag: "--rows", of the message.
function Keys:of_configuration(name, flag)
  if OF_ONE_RUN[name] then
    error(("%s: %s differs between the runs of a configuration, which a row averages; aniso ls lists "
      .. "the runs"):format(flag, name), 0)
  end
  return self:key(name)
end

-- Raises where `value` (a text) is none of `values`, a sorted list, with the nearest one.
local function check_value(name, value, values)
  for _, allowed in ipairs(values) do
    if value == allowed then return end
  end
  local meant = nearest(value, values)
  error(("%s is never %s%s; it is one of %s"):format(name, literal.describe(value),
    meant and (" (did you mean %s?)"):format(meant) or "", table.concat(values, ", ")), 0)
end

-- The values that an option may have or has in the database, where these are a fixed list.
local function option_values(self, name)
  local set, list = {}, choices_of(name)
  if not list then return nil end
  for _, value in ipairs(list) do set[value] = true end
  for _, params in pairs(self:params()) do
    if params[name] then set[params[name].txt] = true end
  end
  for _, row in ipairs(name == "data" and must(self.db.core:query "SELECT name FROM dataset") or {}) do
    set[row.name] = true
  end
  list = {}
  for value in pairs(set) do list[#list + 1] = value end
  table.sort(list)
  return list
end

-- Raises where `value`, a text that a filter compares a fact with, is none of those that it can have.
function keys.check_fact(name, value)
  if FACT_VALUES[name] then check_value(name, value, FACT_VALUES[name]) end
end

-- The same for a key of the database. Keys with any number of values accept every text.
function Keys:check_value(key, value)
  if key.kind == "fact" then keys.check_fact(key.name, value) end
  local values = (key.kind == "option" or key.name == "data") and option_values(self, key.name)
  if values then check_value(key.name, value, values) end
end

-- How many values an option has among the runs; that it is absent counts as one.
local function distinct(params, runs, key)
  local seen, n = {}, 0
  for _, run in ipairs(runs) do
    local param = (params[run.config_id] or {})[key]
    local value = param and param.txt or false
    if not seen[value] then seen[value], n = true, n + 1 end
  end
  return n
end

-- The sha256 of a recipe's own part (recipe/own_part.lua) is left out where the part's name already
-- separates the runs.
local function is_redundant(params, runs, key)
  local part = key:match "^(.*)%.sha256$"
  return part and distinct(params, runs, key) <= distinct(params, runs, part)
end

-- The options that differ between the runs, sorted; one that a run does not have differs too.
function Keys:varying(runs)
  local params, first, differs, names = self:params(), nil, {}, {}
  for _, run in ipairs(runs) do
    local own = params[run.config_id] or {}
    first = first or own
    for key, param in pairs(own) do
      if not first[key] or first[key].txt ~= param.txt then differs[key] = true end
    end
    for key in pairs(first) do
      if not own[key] then differs[key] = true end
    end
  end
  for key in pairs(differs) do
    if not is_redundant(params, runs, key) then names[#names + 1] = key end
  end
  table.sort(names)
  return names
end

return keys
