-- compare: what changed between configurations, and whether it is more than luck. Everything is a
-- group of runs, one per seed; a single run is a group of one. The first group is the baseline.
--   compare.references(db, {"ddpm", "adpm"})     see references.lua for the names
-- Numbers of runs come from store/score.lua and the views, as in every list and table; what is
-- tested comes from the predictions of each image (image_pairs.lua). Δ is the mean over the seeds
-- that both have, with the paired t test over them.
local images = require "aniso.stats.image_pairs"
local keys = require "aniso.store.keys"
local metric = require "aniso.stats.metric"
local must = require("aniso.store.db_error").must
local notes = require "aniso.stats.comparison_notes"
local refuse = require("aniso.store.db_error").raise
local summary = require "aniso.stats.groups"

local compare = {}

compare.enough = notes.enough

-- ── groups ──────────────────────────────────────────────────────────────────────────────
-- Gives a group its members, sorted by seed: {seed, run_id, uid, eval_id, n, metrics, classes}.
local function load(db, group)
  local found = summary.groups(db, group.runs)
  local of, seen = {}, {}
  for _, one in ipairs(found) do
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

-- Members of two groups that belong together: of the same split and seed; two single runs of a split
-- in any case.
local function pair(first, second)
  if first.runs[1].split_id ~= second.runs[1].split_id then return {} end
  if #first.members == 1 and #second.members == 1 then
    return { { first.members[1], second.members[1] } }
  end
  local out, by_seed = {}, {}
  for _, member in ipairs(first.members) do by_seed[member.seed] = member end
  for _, member in ipairs(second.members) do
    if by_seed[member.seed] then out[#out + 1] = { by_seed[member.seed], member } end
  end
  return out
end

-- ── numbers ─────────────────────────────────────────────────────────────────────────────
-- One number of all groups: {of = {moments per group}, delta = {nil, one per further group}}. get:
-- member → number or nil. Without a common seed Δ is the difference of the means, with n = 0.
local function measure(groups, pairs_of, get)
  local out = { of = {}, delta = {} }
  for k, group in ipairs(groups) do
    local values = {}
    for _, member in ipairs(group.members) do values[#values + 1] = get(member) end
    out.of[k] = summary.moments(values)
    if k > 1 then
      local a, b = {}, {}
      for _, two in ipairs(pairs_of[k]) do
        local x, y = get(two[1]), get(two[2])
        if x and y then a[#a + 1], b[#b + 1] = x, y end
      end
      local delta = metric.paired_t(a, b)
      if delta.n == 0 and out.of[k].mean and out.of[1].mean then
        delta.mean = out.of[k].mean - out.of[1].mean
      end
      if delta.n < notes.enough.seeds then delta.lo, delta.hi, delta.t, delta.p = nil, nil, nil, nil end
      out.delta[k] = delta
    end
  end
  return out
end

local function has_values(one)
  for _, moments in ipairs(one.of) do
    if moments.n > 0 then return true end
  end
  return false
end

-- Balanced accuracy is the mean recall: one of the two names is enough.
local function metrics(groups, pairs_of)
  local out = {}
  for _, entry in ipairs(metric.catalog) do
    local one = measure(groups, pairs_of, function(member) return member.metrics[entry.name] end)
    if has_values(one) and entry.name ~= "macro_recall" then
      one.name, one.label, one.higher = entry.name, entry.label, entry.higher
      out[#out + 1] = one
    end
  end
  return out
end

local function classes(groups, pairs_of)
  local out = {}
  for j, class in ipairs(groups[1].members[1].classes) do
    local one = { name = class.class, n_train = class.n_train, shot = class.shot, support = class.support }
    for _, name in ipairs { "recall", "precision", "f1" } do
      one[name] = measure(groups, pairs_of, function(member) return member.classes[j][name] end)
    end
    out[j] = one
  end
  return out
end

-- Mean counts per run of each cell in which any group has one, and their differences.
local function confusion(db, groups)
  local means, out = {}, {}
  for k, group in ipairs(groups) do
    for _, member in ipairs(group.members) do
      local matrix = must(db:confusion(member.eval_id))
      means[k] = means[k] and means[k] + matrix or matrix
    end
    means[k] = means[k]:totable()
  end
  local names = groups[1].members[1].classes
  for i, row in ipairs(means[1]) do
    for j in ipairs(row) do
      local cell, any = { ["true"] = names[i].class, pred = names[j].class, i = i, j = j }, false
      cell.of, cell.delta = {}, {}
      for k, group in ipairs(groups) do
        cell.of[k] = means[k][i][j] / #group.members
        cell.delta[k] = k > 1 and cell.of[k] - cell.of[1] or nil
        any = any or cell.of[k] > 0
      end
      if any then out[#out + 1] = cell end
    end
  end
  return out
end

-- ── configurations ──────────────────────────────────────────────────────────────────────
local FACTS = { "data", "split", "commit", "threads", "host" }

-- What differs: {key, values = {text per group}}; a group that is not of one mind has "a | b".
local function differences(db, groups)
  local catalog, all, out = keys.new(db), {}, {}
  for _, group in ipairs(groups) do table.move(group.runs, 1, #group.runs, #all + 1, all) end
  local names = catalog:varying(all)
  table.move(FACTS, 1, #FACTS, #names + 1, names)
  for _, name in ipairs(names) do
    local key, one, differ = catalog:key(name), { key = name, values = {} }, false
    for k, group in ipairs(groups) do
      local list, seen = {}, {}
      for _, run in ipairs(group.runs) do
        local value = key:get(run)
        value = math.type(value) == "float" and ("%.6g"):format(value) or tostring(value or "–")
        if not seen[value] then seen[value], list[#list + 1] = true, value end
      end
      one.values[k] = table.concat(list, " | ")
      differ = differ or one.values[k] ~= one.values[1]
    end
    if differ then out[#out + 1] = one end
  end
  return out
end

-- groups: {label, runs = rows of db:runs()} each. options of the bootstrap: {draws, level, seed}.
-- → {groups, metrics, classes, confusion, config, pairs = {nil, …}, notes = sentences}. Raises a refusal.
function compare.groups(db, groups, options)
  if #groups < 2 then error("compare: give two groups or more", 2) end
  local pairs_of, result = {}, { groups = groups, pairs = {} }
  for _, group in ipairs(groups) do load(db, group) end
  check_classes(groups)
  for k = 2, #groups do pairs_of[k] = pair(groups[1], groups[k]) end
  result.metrics, result.classes = metrics(groups, pairs_of), classes(groups, pairs_of)
  result.confusion, result.config = confusion(db, groups), differences(db, groups)
  local cache = {}
  for k = 2, #groups do
    result.pairs[k] = images.test(db, groups[1], groups[k], pairs_of[k], options, cache)
  end
  result.notes = notes.of(result)
  return result
end

-- The same from names, as the command line takes them; options also {baseline = label}.
function compare.references(db, names, options)
  return compare.groups(db, require("aniso.stats.references").resolve(db, names, options), options)
end

return compare
