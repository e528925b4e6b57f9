-- Comparisons of stored runs: reads what stats/comparison.lua computes from.
--   db:compare({"ddpm", "adpm"} [, {baseline =, draws =, level =, seed =}]) → result | nil, message, code
-- store/references.lua explains the names. The numbers of runs come from store/score.lua and the views,
-- as in every list and table; the tests use the stored prediction of each image.
local comparison = require "aniso.stats.comparison"
local db_error = require "aniso.store.db_error"
local groups_of = require("aniso.store.groups").of_runs
local keys = require "aniso.store.keys"
local member_predictions = require "aniso.store.member_predictions"
local members = require "aniso.store.members"
local must, raise = db_error.must, db_error.raise

local compare = {}

-- A group has one run per seed, or per seed and fold.
local function check_runs(group, evaluated)
  local seen = {}
  for _, run in ipairs(group.runs) do
    if not evaluated[run.run_id] then
      raise(("run %s has no test evaluation (it is %s)"):format(run.uid, run.status), "ENOTFOUND")
    end
    local key = run.fold and ("%d and fold %d"):format(run.seed, run.fold) or tostring(run.seed)
    if seen[key] then
      raise(("%s has two runs of seed %s, %s and %s: name the runs that count (1,4,7)"):format(group.label,
        key, seen[key], run.uid), "EINVAL")
    end
    seen[key] = run.uid
  end
end

-- Sets the group's members, sorted by seed, and its incomplete ones, which lack folds. Members are those of
-- groups.form() with .classes, which is also set in their parts.
local function load(db, group)
  local evaluated, incomplete = {}, {}
  group.members, group.run = {}, group.run or group.runs[1]
  for _, one in ipairs(groups_of(db, group.runs)) do
    group.pruned = group.pruned or one.pruned
    for _, member in ipairs(one.members) do group.members[#group.members + 1] = member end
    table.move(one.incomplete or {}, 1, #(one.incomplete or {}), #incomplete + 1, incomplete)
    for _, list in ipairs { one.members, one.incomplete or {} } do
      for _, member in ipairs(list) do
        for _, part in ipairs(member.parts or { member }) do evaluated[part.run_id] = true end
      end
    end
  end
  check_runs(group, evaluated)
  group.incomplete = incomplete
  for _, member in ipairs(group.members) do
    member.classes = members.classes(db, member)
    for _, part in ipairs(member.parts or {}) do part.classes = must(db:classes(part.eval_id)) end
  end
  table.sort(group.members, function(a, b) return a.seed < b.seed end)
end

-- Groups are compared class by class: the classes must be the same.
local function check_classes(groups)
  local function names(group)
    local out = {}
    for i, class in ipairs(group.members[1].classes) do out[i] = class.class end
    return out
  end
  local first = names(groups[1])
  for _, group in ipairs(groups) do
    local own = names(group)
    if table.concat(own, "\n") ~= table.concat(first, "\n") then
      raise(("%s and %s have different classes (%s against %s): they cannot be compared"):format(group.label,
        groups[1].label, table.concat(own, ", "), table.concat(first, ", ")), "EINVAL")
    end
  end
end

-- The source of matrices and predictions for stats/comparison.lua; each prediction is read once.
local function source_of(db)
  local kept = {}
  return {
    confusion = function(member) return members.confusion(db, member) end,
    predictions = function(member)
      if kept[member.eval_id] == nil then
        kept[member.eval_id] = member_predictions.called(db, member) or false
      end
      return kept[member.eval_id] or nil
    end,
  }
end

local FACTS = { "data", "split", "commit", "threads", "host" }

-- The values of a key over the runs of a group: "a | b" if they differ.
local function values_of(key, runs)
  local list, seen = {}, {}
  for _, run in ipairs(runs) do
    local value = key:get(run)
    value = math.type(value) == "float" and ("%.6g"):format(value) or tostring(value or "–")
    if not seen[value] then seen[value], list[#list + 1] = true, value end
  end
  return table.concat(list, " | ")
end

-- The options and facts that differ between groups: {key, values = {text per group}}.
local function differences(db, groups)
  local catalog, all, out = keys.new(db), {}, {}
  for _, group in ipairs(groups) do table.move(group.runs, 1, #group.runs, #all + 1, all) end
  local names = catalog:varying(all)
  table.move(FACTS, 1, #FACTS, #names + 1, names)
  for _, name in ipairs(names) do
    local key, one, differ = catalog:key(name), { key = name, values = {} }, false
    for k, group in ipairs(groups) do
      one.values[k] = values_of(key, group.runs)
      differ = differ or one.values[k] ~= one.values[1]
    end
    if differ then out[#out + 1] = one end
  end
  return out
end

-- The result of stats/comparison.lua with .config, the differences between the configurations. Raises a
-- failure (db_error.lua).
local function compared(db, names, options)
  local groups = require("aniso.store.references").resolve(db, names, options)
  for _, group in ipairs(groups) do load(db, group) end
  check_classes(groups)
  local result = comparison.of(groups, source_of(db), options)
  result.config = differences(db, groups)
  return result
end

-- names: a list, or a single name, which may be a study's.
function compare.compare(db, names, options)
  if type(names) ~= "table" then names = { names } end
  local ok, result = pcall(compared, db, names, options)
  if ok then return result end
  if db_error.is(result) then return nil, result.message, result.code end
  error(result, 0)
end

return compare
