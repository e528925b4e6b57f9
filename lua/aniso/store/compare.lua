-- Comparisons of stored runs: reads what stats/comparison.lua computes from.
--   db:compare({"ddpm", "adpm"} [, {baseline =, draws =, level =, seed =}]) → result | nil, message, code
-- store/references.lua explains the names. The numbers of runs come from store/score.lua and the views,
-- as in every list and table; the tests use the stored prediction of each image.
local comparison = require "aniso.stats.comparison"
local db_error = require "aniso.store.db_error"
local groups_of = require("aniso.store.groups").of_runs
local keys = require "aniso.store.keys"
local must, refuse = db_error.must, db_error.raise

local compare = {}

-- Gives a group its members, sorted by seed: those of groups.form() with .classes.
local function load(db, group)
  local of, seen = {}, {}
  for _, one in ipairs(groups_of(db, group.runs)) do
    for _, member in ipairs(one.members) do of[member.run_id] = member end
  end
  group.members = {}
  for i, run in ipairs(group.runs) do
    local member = of[run.run_id]
    if not member then
      refuse(("run %s has no test evaluation (it is %s)"):format(run.uid, run.status), "ENOTFOUND")
    end
    if seen[run.seed] then
      refuse(("%s has two runs of seed %d, %s and %s: name the runs that count (1,4,7)"):format(group.label,
        run.seed, seen[run.seed], run.uid), "EINVAL")
    end
    seen[run.seed], member.classes = run.uid, must(db:classes(member.eval_id))
    group.members[i] = member
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
      refuse(("%s has other classes than %s (%s against %s): they cannot be compared"):format(group.label,
        groups[1].label, table.concat(own, ", "), table.concat(first, ", ")), "EINVAL")
    end
  end
end

-- {true_idx, pred_idx} of a member, without the probabilities; nil where none are stored.
local function predictions(db, member)
  local rows = must(db:query([[
    SELECT true_idx AS t, pred_idx AS p FROM prediction WHERE eval_id = ?1 ORDER BY sample_idx]],
    member.eval_id))
  local out = { true_idx = {}, pred_idx = {} }
  for i, row in ipairs(rows) do out.true_idx[i], out.pred_idx[i] = row.t, row.p end
  return #rows > 0 and out or nil
end

-- Where stats/comparison.lua takes matrices and predictions from; each prediction is read once.
local function source_of(db)
  local kept = {}
  return {
    confusion = function(member) return must(db:confusion(member.eval_id)):totable() end,
    predictions = function(member)
      if kept[member.eval_id] == nil then kept[member.eval_id] = predictions(db, member) or false end
      return kept[member.eval_id] or nil
    end,
  }
end

local FACTS = { "data", "split", "commit", "threads", "host" }

-- The values of a key over the runs of a group: "a | b" where they differ.
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

-- The result of stats/comparison.lua, and .config = the differences of the configurations. Raises a
-- refusal.
local function compared(db, names, options)
  local groups = require("aniso.store.references").resolve(db, names, options)
  for _, group in ipairs(groups) do load(db, group) end
  check_classes(groups)
  local result = comparison.of(groups, source_of(db), options)
  result.config = differences(db, groups)
  return result
end

-- names: a list, or a name alone, which may be a study's.
function compare.compare(db, names, options)
  if type(names) ~= "table" then names = { names } end
  local ok, result = pcall(compared, db, names, options)
  if ok then return result end
  if db_error.is(result) then return nil, result.message, result.code end
  error(result, 0)
end

return compare
