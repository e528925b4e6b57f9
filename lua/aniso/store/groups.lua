-- The groups (stats/groups.lua) of a database's runs: which runs count in the statistics of a study, and
-- which group the others are compared with. Every table, curve, comparison and report begins here.
local db_error = require "aniso.store.db_error"
local groups = require "aniso.stats.groups"
local complete = require "aniso.store.member_metrics"
local trial_label = require "aniso.recipe.trial_label"
local must = db_error.must

local read = {}

-- Sets split_sha256, the hash of their split, in runs, and n_train, the number of their training images, in
-- runs of folds.
local function add_split(db, runs)
  local folded, of_split, hash_of = false, {}, {}
  for _, row in ipairs(must(db:query "SELECT split_id, sha256 FROM data_split")) do
    hash_of[row.split_id] = row.sha256
  end
  for _, run in ipairs(runs) do
    folded, run.split_sha256 = folded or run.fold ~= nil, hash_of[run.split_id]
  end
  if not folded then return end
  local sums = must(db:query "SELECT split_id, sum(n_train) AS n FROM split_class GROUP BY split_id")
  for _, row in ipairs(sums) do
    of_split[row.split_id] = row.n
  end
  for _, run in ipairs(runs) do run.n_train = run.fold and of_split[run.split_id] end
end

-- groups.form() of rows of db:runs() and their scores; groups of pruned variants have .pruned, the decision
-- (store/pruned.lua).
local function form(db, runs, scores)
  local out = groups.form(runs, scores, function(member)
    if member.parts then complete(db, member) end
  end)
  local decisions = must(db:pruned_of())
  for _, group in ipairs(out) do group.pruned = decisions[group.run.run_id] end
  return out
end

-- of_runs(db, runs [, {prior = true}]) → groups.form() of rows of db:runs(); prior: adds groups of the
-- prior's own predictions.
function read.of_runs(db, runs, options)
  add_split(db, runs)
  return form(db, runs, must(db:scores { prior = options and options.prior, runs = runs }))
end

-- All test evaluations of the best weights of some runs, primary and further ones, as groups over seeds and
-- folds (stats/groups.lua, of_evaluations()).
function read.of_evaluations(db, runs)
  add_split(db, runs)
  return groups.of_evaluations(runs, must(db:evaluations_of_best(runs)), function(some, scores)
    return form(db, some, scores)
  end)
end

-- The positions of a study's labels in its recipe, as in the latest plan; labels of searches come last.
local function places_of(db, study)
  local plan, places, n = must(db:plan_of(study)) or {}, {}, 0
  table.sort(plan, function(a, b)
    if a.round ~= b.round then return a.round < b.round end -- nil in a file older than version 9
    return a.seq < b.seq
  end)
  for _, row in ipairs(plan) do
    if not places[row.label] then n, places[row.label] = n + 1, n + 1 end
  end
  return places
end

-- The planned runs of a list, by study: {{run, index = in the list, place = of its label in the recipe}, …}
local function planned_of(db, runs)
  local places, out = {}, {}
  for i, run in ipairs(runs) do
    local study = run.study
    places[study], out[study] = places[study] or places_of(db, study), out[study] or {}
    local place = places[study][run.label]
    if place then table.insert(out[study], { run = run, index = i, place = place }) end
  end
  return out
end

-- in_recipe_order(db, runs) → rows of db:runs() with the labels of a study in the order of its recipe,
-- whatever the order in which its workers began them. Runs that are not in the latest plan keep their
-- positions.
function read.in_recipe_order(db, runs)
  local out = table.move(runs, 1, #runs, 1, {})
  for _, planned in pairs(planned_of(db, runs)) do
    local sorted = table.move(planned, 1, #planned, 1, {})
    table.sort(sorted, function(a, b)
      if a.place ~= b.place then return a.place < b.place end
      return a.index < b.index
    end)
    for i, one in ipairs(sorted) do out[planned[i].index] = one.run end
  end
  return out
end

-- The runs that count in the statistics of a study (view v_counted), as rows of db:runs(), in the order of
-- the recipe, without the trials of a search. trials [opt]: only the trials; runs [opt]: all rows of the
-- study, if they have been read.
function read.counted(db, study, trials, runs)
  local counted, out = {}, {}
  local known = must(db:query("SELECT study_id FROM study WHERE name = ?1", study))[1]
  -- a number, since SQLite does not push the result of a query into the view
  local rows = known and must(db:query("SELECT run_id FROM v_counted WHERE study_id = ?1", known.study_id))
  for _, row in ipairs(rows or {}) do counted[row.run_id] = true end
  for _, run in ipairs(runs or must(db:runs { study = study })) do
    if counted[run.run_id] and trial_label.is(run.label) == (trials or false) then out[#out + 1] = run end
  end
  return read.in_recipe_order(db, out)
end

-- The groups of the counted runs of a study; options {prior, trials} and runs: see of_runs() and counted().
function read.of_study(db, study, options, runs)
  return read.of_runs(db, read.counted(db, study, options and options.trials, runs), options)
end

-- All counted runs but trials: run_id → true.
function read.counted_ids(db)
  local out = {}
  for _, row in ipairs(must(db:query "SELECT run_id, label FROM v_counted")) do
    out[row.run_id] = not trial_label.is(row.label) or nil
  end
  return out
end

-- The studies that have counted runs with this label, in the order of their first runs. The view is read only
-- for studies with the label in any run, one at a time: reading it for all takes longer than a comparison.
function read.studies_with(db, label)
  local found, out = {}, {}
  for _, study in ipairs(must(db:query([[
    SELECT study_id, s.name FROM study s WHERE study_id IN (
      SELECT study_id FROM run WHERE coalesce(label, name) = ?1)]], label))) do
    study.first = must(db:query([[
      SELECT min(run_id) AS run_id FROM v_counted JOIN run r USING(run_id)
       WHERE v_counted.study_id = ?1 AND coalesce(r.label, r.name) = ?2]], study.study_id, label))[1].run_id
    if study.first then found[#found + 1] = study end
  end
  table.sort(found, function(a, b) return a.first < b.first end)
  for i, study in ipairs(found) do out[i] = study.name end
  return out
end

local function is_isotropic(db, group)
  local levels = must(db:lambda(group.run))
  for _, level in ipairs(levels) do
    if math.abs(level - levels[1]) > 1e-6 then return false end
  end
  return #levels > 0
end

-- The group of a study that the others are compared with, by groups.choose_baseline(); label [opt]: its
-- label. Raises a failure (db_error.lua), ENOTFOUND, if no group has it.
function read.baseline(db, list, label)
  local named = list[1] and db:baseline_of(list[1].run.study)
  local base, message = groups.choose_baseline(list, label, named, function(group)
    return is_isotropic(db, group)
  end)
  return base or db_error.raise(message, "ENOTFOUND")
end

-- The value of an option as text.
function read.value(value)
  if value == nil then return "n/a" end
  return type(value) == "number" and ("%.14g"):format(value) or tostring(value)
end

-- Appends to equal labels the options that differ between their groups, or else the split:
-- "ddpm (train.epochs=3)". catalog: a keys.new(db).
function read.distinguish(list, catalog)
  local by_label = {}
  for _, group in ipairs(list) do
    by_label[group.label] = by_label[group.label] or {}
    table.insert(by_label[group.label], group)
  end
  for label, same in pairs(by_label) do
    local runs = {}
    for i, group in ipairs(same) do runs[i] = group.run end
    for _, group in ipairs(#same > 1 and same or {}) do
      local parts = {}
      for i, name in ipairs(catalog:varying(runs)) do
        parts[i] = ("%s=%s"):format(name, read.value(catalog:key(name):get(group.run)))
      end
      if #parts == 0 then
        parts[1] = group.folds and ("%d folds"):format(group.folds) or "split " .. group.run.split_id
      end
      group.label = ("%s (%s)"):format(label, table.concat(parts, ", "))
    end
  end
end

-- How the weights of each test evaluation of a study were selected: {{run_id, rule}, …}.
function read.selection_rules(db, study)
  return must(db:query([[
    SELECT DISTINCT e.selected_by AS rule, r.run_id FROM evaluation e JOIN run r USING(run_id)
      JOIN study s USING(study_id) WHERE s.name = ?1 AND e.part = 'test']], study))
end

-- db:groups(study [, {prior = true}]) → the groups of a study, each with group:of "tail" → {n, mean, sd,
-- seeds, values}: the numbers that `aniso table` prints.
function read.with_numbers(db, study, options)
  local out = read.of_study(db, study, options)
  for _, group in ipairs(out) do group.of = groups.of end
  return out
end

return read
