-- The options of stored configurations (table config_param), read by option or by configuration, never all at
-- once: a database can have thousands of configurations. option_columns.new(db) → an object that keeps what
-- it has read:
--   :value(run, name) → {num =, txt =} or nil; from what of_runs() read, or else from of_all()
--   :of_all(name) → config_id → {num =, txt =}, of every configuration that has the option
--   :is_known(name) → whether a configuration has it
--   :of_runs(runs) → config_id → option → {num =, txt =}, of the configurations of rows of runs
--   :varying(runs) → the names of the options that differ between the runs, sorted
--   :names() → those that any configuration has
local in_list = require "aniso.store.in_list"
local must = require("aniso.store.db_error").must

local Options = {}
Options.__index = Options

local option_columns = {}

function option_columns.new(db)
  return setmetatable({ db = db, columns = {}, by_config = {} }, Options)
end

function Options:of_all(name)
  local column = self.columns[name]
  if column then return column end
  column = {}
  for _, row in ipairs(must(self.db.core:query("SELECT config_id, num, txt FROM config_param WHERE key = ?1",
    name))) do
    column[row.config_id] = row
  end
  self.columns[name] = column
  return column
end

function Options:value(run, name)
  local own = self.by_config[run.config_id]
  if own then return own[name] end
  return self:of_all(name)[run.config_id]
end

function Options:is_known(name)
  return must(self.db.core:query("SELECT 1 FROM config_param WHERE key = ?1 LIMIT 1", name))[1] ~= nil
end

function Options:of_runs(runs)
  local missing = {}
  for _, run in ipairs(runs) do
    if not self.by_config[run.config_id] then
      self.by_config[run.config_id], missing[#missing + 1] = {}, run
    end
  end
  for _, row in ipairs(must(in_list.query(self.db, "SELECT * FROM config_param WHERE config_id", missing,
    "config_id"))) do
    self.by_config[row.config_id][row.key] = row
  end
  return self.by_config
end

function Options:names()
  local out = {}
  local rows = must(self.db.core:query "SELECT DISTINCT key FROM config_param")
  for i, row in ipairs(rows) do out[i] = row.key end
  return out
end

-- How many values an option has among the runs; its absence counts as one.
local function distinct(params, runs, key)
  local seen, n = {}, 0
  for _, run in ipairs(runs) do
    local param = params[run.config_id][key]
    local value = param and param.txt or false
    if not seen[value] then seen[value], n = true, n + 1 end
  end
  return n
end

-- The sha256 of a recipe's own part (recipe/own_part.lua) is left out if the part's name already
-- distinguishes the runs.
local function is_redundant(params, runs, key)
  local part = key:match "^(.*)%.sha256$"
  return part and distinct(params, runs, key) <= distinct(params, runs, part)
end

-- An option that some runs lack differs too.
function Options:varying(runs)
  local params, first, differs, names = self:of_runs(runs), nil, {}, {}
  for _, run in ipairs(runs) do
    local own = params[run.config_id]
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

return option_columns
