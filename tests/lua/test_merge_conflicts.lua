-- What a merge accepts from another file: a uid names one run, a configuration has the hash of its text, and
-- the later state of a run is the one that came further, whatever the clocks were; a finished run stays.
local lu = require "luaunit"
local check = require "aniso.store.check"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation, one = fixture.description, fixture.evaluation, fixture.one

local Conflicts = {}

local function copy_file(from, to)
  local source <close> = assert(io.open(from, "rb"))
  local target <close> = assert(io.open(to, "wb"))
  target:write(source:read "a")
end

-- A database with one run that has ended as `how`, and a copy of the file that the rest, SQL, changed.
local function pair_of(how, ...)
  local mine, path = fixture.new()
  local run = mine:start_run(description())
  run:metric("train", 3, { loss = 0.5 })
  run:evaluation(evaluation { { 2, 1 }, { 0, 1 } })
  run[how](run)
  mine:close()
  local other = path:gsub("%.db$", "-other.db")
  copy_file(path, other)
  do
    local db <close> = assert(store.open(other))
    assert(db:exec "PRAGMA foreign_keys = OFF")
    for statement in table.concat({ ... }, ";"):gmatch "[^;]+" do assert(db:exec(statement)) end
  end
  return path, other
end

local function pair(...) return pair_of("finish", ...) end

local function merged_of(how, ...)
  local path, other = pair_of(how, ...)
  local db <close> = assert(store.open(path))
  local results, message, code = db:merge { other }
  return results and results[1], message, code, one(db, "SELECT acc FROM v_eval"),
    one(db, "SELECT status FROM run")
end

local function merged(...) return merged_of("finish", ...) end

-- Every image is correct.
local NUMBERS = "DELETE FROM confusion WHERE true_idx <> pred_idx;"
  .. "UPDATE confusion SET n = 3 WHERE true_idx = 0;"
  .. "UPDATE class_count SET tp = support, predicted = support"

function Conflicts.test_a_clock_decides_nothing()
  local result, _, _, acc = merged("UPDATE run SET heartbeat_at = '9999', ended_at = '9999'", NUMBERS)
  lu.assertEquals({ result.known, result.updated, acc }, { 1, 0, 0.75 })
end

function Conflicts.test_the_run_that_came_further_is_the_later()
  for _, sql in ipairs { "resumes = 1", "resumes = 1, heartbeat_at = '2001-01-01T00:00:00.000Z'" } do
    local result, _, _, acc = merged_of("interrupt", "UPDATE run SET " .. sql, NUMBERS)
    lu.assertEquals({ result.known, result.updated, acc }, { 0, 1, 1 }, sql)
  end
  local result = merged_of("interrupt", "UPDATE metric_value SET step = 4")
  lu.assertEquals(result.updated, 1)
  result = merged_of("interrupt", "UPDATE metric_value SET step = 2")
  lu.assertEquals(result.known, 1)
end

-- Otherwise a file of someone else replaces numbers by claiming more resumes or steps.
function Conflicts.test_nothing_replaces_a_finished_run()
  for _, sql in ipairs { "UPDATE run SET resumes = 99", "UPDATE metric_value SET step = 4" } do
    local result, _, _, acc = merged(sql, NUMBERS)
    lu.assertEquals({ result.known, result.updated, acc }, { 1, 0, 0.75 }, sql)
  end
end

function Conflicts.test_an_earlier_state_does_not_replace_the_end()
  local result, _, _, _, status = merged("UPDATE run SET status = 'interrupted'", NUMBERS)
  lu.assertEquals({ result.known, status }, { 1, "finished" })
end

function Conflicts.test_two_runs_of_one_uid_are_refused()
  for name, sql in pairs {
    configuration = "UPDATE config SET json = '{}', "
      .. "sha256 = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'",
    split = "UPDATE data_split SET sha256 = 'other'",
    seed = "UPDATE run SET seed = 7",
    fold = "UPDATE run SET fold = 0",
  } do
    local folds = name == "fold" and "UPDATE data_split SET folds = 2" or "SELECT 1"
    local result, message, code, acc = merged("UPDATE run SET resumes = 5", sql, folds, NUMBERS)
    lu.assertNil(result)
    lu.assertStrContains(message, "is another run than the one with this id here: its " .. name .. " differs")
    lu.assertEquals({ code, acc }, { "EFORMAT", 0.75 })
  end
end

function Conflicts.test_counts_that_contradict_their_matrix_are_refused_in_both_files()
  for change, words in pairs {
    ["UPDATE class_count SET tp = 1 WHERE class_idx = 0"] =
      "evaluation 1, class 0: stored 3, 2, 1; counted 3, 2, 2",
    ["DELETE FROM class_count WHERE class_idx = 1"] = "evaluation 1 counts class 1, which class_count lacks",
    ["UPDATE evaluation SET n = 5"] = "evaluation 1: n is 5, its matrix counts 4",
  } do
    local path, other = pair(change)
    for into, from in pairs { [path] = other, [other] = path } do
      local db <close> = assert(store.open(into))
      local result, message, code = db:merge { from }
      lu.assertNil(result)
      lu.assertStrContains(message, ("%s: %s; nothing was merged"):format(other, words))
      lu.assertEquals(code, "EFORMAT")
    end
  end
end

function Conflicts.test_a_metric_that_the_file_lacks()
  local result, message, code = merged("UPDATE run SET uid = '01ARZ3NDEKTSV4RRFFQ69G5FAV'",
    "DELETE FROM metric WHERE name = 'loss'")
  lu.assertNil(result)
  lu.assertStrContains(message, "lacks row ")
  lu.assertStrContains(message, " of metric")
  lu.assertEquals(code, "EFORMAT")
end

function Conflicts.test_a_wrong_hash_of_a_configuration_is_refused()
  local change = [[UPDATE config SET json = replace(json, '"epochs":30', '"epochs":3')]]
  local result, message = merged(change, "UPDATE run SET resumes = 5")
  lu.assertNil(result)
  lu.assertStrContains(message, "configuration 1 of ")
  lu.assertStrContains(message, "does not have the hash")
  local _, other = pair(change)
  local db <close> = assert(store.open(other, { readonly = true }))
  local faults = {}
  for _, found in ipairs(assert(check(db))) do
    for _, fault in ipairs(found.faults) do faults[#faults + 1] = fault end
  end
  lu.assertEquals(faults, { "configuration 1 does not have the hash of its text" })
end

return { Conflicts = Conflicts }
