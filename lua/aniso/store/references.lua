-- Resolves the names that a user compares. In this order a name means
--   7, @last, @best:tail, a run's whole id    one run
--   quickstart:ddpm, or ddpm                  a configuration: its finished runs over all seeds
--   quickstart                                (alone) every configuration of a study
--   1,4,7                                     these runs, as seeds of one group
--   'label=ddpm train.epochs=8'               finished runs by the filters of aniso ls
--   the beginning of an id, a name            one run
-- An ambiguous name is an error that lists the names that distinguish its meanings.
local contents = require "aniso.store.contents"
local db_error = require "aniso.store.db_error"
local folds = require "aniso.recipe.folds"
local groups_of = require "aniso.store.groups"
local hint = require "aniso.store.hint"
local stats_groups = require "aniso.stats.groups"
local trial_label = require "aniso.recipe.trial_label"
local must, raise = db_error.must, db_error.raise

local references = {}

local function label_of(run)
  return run.label or run.name
end

-- The counted runs of one label; several configurations are an error that names the options that differ.
local function of_label(db, study, label)
  local runs, configs, n = {}, {}, 0
  for _, run in ipairs(groups_of.counted(db, study, trial_label.is(label))) do
    if label_of(run) == label then
      runs[#runs + 1] = run
      local key = run.config_id .. " " .. stats_groups.images_of(run)
      n = n + (configs[key] and 0 or 1)
      configs[key] = true
    end
  end
  if n > 1 then
    local differ = require("aniso.store.keys").new(db):varying(runs)
    raise(("%s:%s is %d configurations, which differ in %s; name runs (1,4,7) or add a filter: "
      .. "'study=%s label=%s KEY=VALUE'"):format(study, label, n,
      #differ > 0 and table.concat(differ, ", ") or "their split", study, label), "EINVAL")
  end
  return runs
end

local function single(run)
  return { runs = { run }, single = true }
end

local function configuration(db, study, label)
  local runs = of_label(db, study, label)
  return #runs > 0 and { runs = runs, short = label, long = study .. ":" .. label } or nil
end

-- label, or study:label.
local function by_label(db, name)
  local studies = groups_of.studies_with(db, name)
  if #studies > 1 then
    for i, study in ipairs(studies) do studies[i] = study .. ":" .. name end
    raise(("%s is a configuration of several studies: write %s"):format(name,
      table.concat(studies, " or ")), "EINVAL")
  end
  if #studies == 1 and contents.has_runs(db, name) and studies[1] ~= name then
    raise(("%s is a study and a configuration: write %s:%s for the latter"):format(name,
      studies[1], name), "EINVAL")
  end
  if #studies == 1 then return configuration(db, studies[1], name) end
  for at in name:gmatch "():" do
    local study, label = name:sub(1, at - 1), name:sub(at + 1)
    if contents.has_runs(db, study) then
      local found = configuration(db, study, label)
      if found then return found end
      local labels = {}
      for i, group in ipairs(groups_of.of_study(db, study)) do labels[i] = group.label end
      raise(("study %s has no finished configuration %s (it has: %s)"):format(study, label,
        table.concat(labels, ", ")), "ENOTFOUND")
    end
  end
end

local function by_list(db, name)
  if not name:find "," then return nil end
  local runs = {}
  for part in name:gmatch "[^,]+" do
    local run = db:find(part)
    if not run then return nil end
    runs[#runs + 1] = run
  end
  return { runs = runs, short = name, long = name }
end

local function by_filter(db, name)
  if not name:find "[=<>~]" and not name:find "^tag:" then return nil end
  local filters, counted, runs = {}, groups_of.counted_ids(db), {}
  for word in name:gmatch "%S+" do filters[#filters + 1] = word end
  for _, run in ipairs(must(db:select(filters))) do
    if counted[run.run_id] then table.insert(runs, 1, run) end
  end
  if #runs == 0 then raise(("no finished run fits %s"):format(name), "ENOTFOUND") end
  return { runs = runs, short = name, long = name }
end

local function resolve(db, name)
  if name:find "^@" or name:find "^%d+$" or #name == 26 and db:find(name) then
    return single(must(db:find(name)))
  end
  local found = by_label(db, name)
  if found then return found end
  if contents.has_runs(db, name) then
    local labels = {}
    for i, group in ipairs(groups_of.of_study(db, name)) do
      labels[i] = name .. ":" .. group.label
    end
    raise(("%s is a study: alone it compares its configurations; otherwise name one (%s)"):format(name,
      table.concat(labels, ", ")), "EINVAL")
  end
  return by_list(db, name) or by_filter(db, name) or single(must(db:find(name)))
end

-- The configurations of a study, the baseline first (groups.choose_baseline() decides which that is).
local function study_groups(db, study, baseline)
  local found, groups = groups_of.of_study(db, study), {}
  if #found < 2 then
    raise(("study %s has %d finished configuration%s: nothing to compare"):format(study, #found,
      #found == 1 and "" or "s"), "ENOTFOUND")
  end
  local base = groups_of.baseline(db, found, baseline)
  for _, group in ipairs(found) do
    local runs = {}
    for _, list in ipairs { group.members, group.members ~= group.incomplete and group.incomplete or {} } do
      for _, member in ipairs(list) do
        for _, part in ipairs(member.parts or { member }) do runs[#runs + 1] = must(db:find(part.run_id)) end
      end
    end
    table.insert(groups, group == base and 1 or #groups + 1,
      { runs = runs, short = group.label, long = study .. ":" .. group.label })
  end
  return groups
end

-- Numbers the labels that are still equal.
local function number_equal(groups)
  local count = {}
  for _, group in ipairs(groups) do count[group.label] = (count[group.label] or 0) + 1 end
  for i, group in ipairs(groups) do
    if count[group.label] > 1 then group.label = ("%s (%d)"):format(group.label, i) end
  end
end

-- Two names of the same runs cannot be compared.
local function refuse_equal(groups, names)
  local known = {}
  for i, group in ipairs(groups) do
    local ids = {}
    for k, run in ipairs(group.runs) do ids[k] = run.run_id end
    table.sort(ids)
    local all = table.concat(ids, " ")
    if known[all] then
      raise(("%s and %s are the same runs: name two that differ"):format(names[known[all]], names[i]),
        "EINVAL")
    end
    known[all] = i
  end
end

-- Each group gets the shortest label that is unique; configurations of one label are distinguished by
-- their options.
local function set_labels(db, groups)
  for _, group in ipairs(groups) do
    local run = group.runs[1]
    group.run = run
    if group.single then
      group.short = folds.name(label_of(run), run.seed, run.fold)
      group.long = ("%s:%s"):format(run.study, group.short)
      group.longest = ("%s #%d"):format(group.short, run.run_id)
    end
  end
  for _, form in ipairs { "short", "long", "longest" } do
    local count = {}
    for _, group in ipairs(groups) do
      group.label = group.label or group[form]
      if group.label then count[group.label] = (count[group.label] or 0) + 1 end
    end
    for _, group in ipairs(groups) do
      if group.label and count[group.label] > 1 and (group.long or group.longest) then group.label = nil end
    end
  end
  local complete = true
  for _, group in ipairs(groups) do
    complete = complete and group.label ~= nil
    group.label = group.label or group.short
  end
  if complete then return end
  groups_of.distinguish(groups, require("aniso.store.keys").new(db))
  number_equal(groups)
end

-- resolve(db, names [, {baseline = label}]) → groups {label, runs}, the baseline first; raises a
-- failure (db_error.lua). A single name is that of a study.
function references.resolve(db, names, options)
  local groups = {}
  if #names == 1 then
    if not contents.has_runs(db, names[1]) then
      raise(("compare needs two things or the name of a study, and %s is not a study (%s lists them)")
        :format(names[1], hint.command(db, "ls")), "EINVAL")
    end
    groups = study_groups(db, names[1], options and options.baseline)
  else
    for i, name in ipairs(names) do groups[i] = resolve(db, tostring(name)) end
    refuse_equal(groups, names)
  end
  set_labels(db, groups)
  return groups
end

return references
