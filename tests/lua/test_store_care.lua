-- Files of earlier versions, backups while a run is in progress, and the checks that find derived numbers
-- which do not agree with their sources.
local lu = require "luaunit"
local core = require "aniso.core"
local check = require "aniso.store.check"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation, one = fixture.description, fixture.evaluation, fixture.one

local Maintenance = {}

-- Files of earlier versions of the schema, and their contents.
local EARLIER = {
  { version = 1, file = "tests/golden/runs-v1.sqlite", fits = 1, tags = 0, runs = 2, removed = 0 },
  { version = 2, file = "tests/golden/runs-v2.sqlite", fits = 0, tags = 1, runs = 5, removed = 0 },
  { version = 3, file = "tests/golden/runs-v3.sqlite", fits = 2, tags = 1, runs = 5, removed = 1 },
  { version = 4, file = "tests/golden/runs-v4.sqlite", fits = 0, tags = 1, runs = 2, removed = 0 },
  { version = 5, file = "tests/golden/runs-v5.sqlite", fits = 0, tags = 1, runs = 2, removed = 0 },
  { version = 6, file = "tests/golden/runs-v6.sqlite", fits = 0, tags = 1, runs = 3, removed = 0 },
  { version = 7, file = "tests/golden/runs-v7.sqlite", fits = 0, tags = 1, runs = 2, removed = 0 },
  { version = 8, file = "tests/golden/runs-v8.sqlite", fits = 0, tags = 1, runs = 2, removed = 0 },
  { version = 9, file = "tests/golden/runs-v9.sqlite", fits = 0, tags = 1, runs = 2, removed = 0 },
}

local function old_file(of)
  local path = fixture.folder() .. "/old.db"
  local from, to = assert(io.open(of.file, "rb")), assert(io.open(path, "wb"))
  to:write(from:read "a"):close()
  from:close()
  return path
end

-- The statements that created the tables and views, without comments and spacing: ALTER TABLE formats an
-- added column differently.
local function structure(db)
  local rows = assert(db:query [[
    SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name]])
  local out = {}
  for i, row in ipairs(rows) do
    local sql = row.sql:gsub("%-%-[^\n]*", ""):gsub("%s+", " "):gsub(" ?([(),]) ?", "%1")
    out[i] = row.type .. " " .. row.name .. "\n" .. sql
  end
  return table.concat(out, "\n")
end

local function count(db, name)
  return one(db, "SELECT count(*) FROM " .. name)
end

function Maintenance.test_every_earlier_version_has_its_file()
  lu.assertEquals(#EARLIER, core.db.VERSION - 1)
end

function Maintenance.test_reading_an_old_file_does_not_change_it()
  for _, of in ipairs(EARLIER) do
    local path = old_file(of)
    local db <close> = assert(store.open(path, { readonly = true }))
    lu.assertEquals(db:version(), of.version)
    lu.assertEquals(#db:runs(), of.runs)
    lu.assertEquals(#db:select { "status=finished", "acc>0.8" }, of.fits)
    local tagged = 0
    for _ in pairs(db:tags()) do tagged = tagged + 1 end
    lu.assertEquals(tagged, of.tags)
    lu.assertEquals(#db:notes(db:find "2"), of.tags)
    lu.assertEquals(#db:runs { removed = true }, of.removed)
    lu.assertEquals(db:version(), of.version)
    lu.assertNil(core.sys.exists(("%s.v%d.bak"):format(path, of.version)))
  end
end

function Maintenance.test_an_old_plan_is_kept_and_has_no_units()
  local path = old_file(EARLIER[8])
  local before, after
  do
    local old <close> = assert(store.open(path, { readonly = true }))
    before = assert(old:query "SELECT seq, label, seed, config, uid, fold FROM plan_run ORDER BY 1")
  end
  local db <close> = assert(store.open(path))
  after = assert(db:query "SELECT seq, label, seed, config, uid, fold FROM plan_run ORDER BY 1")
  lu.assertEquals(#before, 2)
  lu.assertEquals(after, before)
  lu.assertEquals(one(db, "SELECT count(unit) FROM plan_run"), 0)
end

function Maintenance.test_migrating_an_old_file_loses_nothing()
  local new <close> = fixture.new()
  for _, of in ipairs(EARLIER) do
    local path = old_file(of)
    do
      local db <close> = assert(store.open(path))
      lu.assertEquals(db:version(), core.db.VERSION)
      lu.assertEquals(structure(db), structure(new))
      lu.assertEquals(one(db, "PRAGMA integrity_check"), "ok")
      lu.assertEquals(one(db, [[
        SELECT count(*) FROM sqlite_schema t, pragma_foreign_key_list(t.name) WHERE "to" IS NULL]]), 0)
      db:tag(db:find "1", { "mine" })
      lu.assertEquals(#db:select { "tag:mine" }, 1)
      db:remove { db:find "1" }
      lu.assertEquals(#db:runs(), of.runs - 1)
      db:restore { db:find("1", { removed = true }) }
    end
    local db <close> = assert(store.open(path, { readonly = true }))
    local before <close> = assert(store.open(("%s.v%d.bak"):format(path, of.version), { readonly = true }))
    lu.assertEquals(before:version(), of.version)
    for _, name in ipairs { "run", "evaluation", "confusion", "prediction", "metric_value",
      "checkpoint", "log" } do
      lu.assertTrue(count(before, name) > 0, name)
      lu.assertEquals(count(db, name), count(before, name))
    end
    for _, name in ipairs { "v_eval", "v_class", "v_confusion", "v_group", "v_ece" } do
      lu.assertEquals(db:query("SELECT * FROM " .. name), before:query("SELECT * FROM " .. name), name)
    end
    lu.assertEquals(#db:runs(), of.runs)
    for _, result in ipairs(assert(check(db))) do lu.assertEquals(result.faults, {}, result.name) end
  end
end

-- What has the name of the copy stays, and nothing is written through it.
function Maintenance.test_the_copy_before_a_migration_replaces_nothing()
  local path = old_file(EARLIER[9])
  local copy, outside = path .. ".v9.bak", path .. ".outside"
  for _, plant in ipairs { "echo mine >'%s'", "ln -s " .. outside .. " '%s'", "mkfifo '%s'", "mkdir '%s'" } do
    os.execute(plant:format(copy))
    local db, message = store.open(path)
    lu.assertNil(db)
    lu.assertStrContains(message, copy .. " exists and is not a copy of the file that is to be migrated")
    lu.assertNil(core.sys.exists(outside))
    if core.sys.exists(copy) == "file" then lu.assertEquals(core.sys.read(copy, 9), "mine\n") end
    os.execute(("rm -r '%s'"):format(copy))
  end
  for _ = 1, 2 do -- the second time the name has a copy of the same file
    os.execute(("cp '%s' '%s' && echo half >'%s.tmp'"):format(EARLIER[9].file, path, copy))
    assert(store.open(path)):close()
  end
  lu.assertNil(core.sys.exists(copy .. ".tmp"))
end

-- Version 10 has other checks of curves, in the very text of a new file: they allow what those before did.
function Maintenance.test_the_checks_of_curves_allow_the_same_values()
  local new <close> = fixture.new()
  local of = "SELECT sql FROM sqlite_schema WHERE name = 'metric_value'"
  local path = old_file(EARLIER[9])
  local db <close> = assert(store.open(path))
  lu.assertEquals(one(db, of), one(new, of))
  local before <close> = assert(store.open(path .. ".v9.bak", { readonly = true }))
  lu.assertNotEquals(one(before, of), one(new, of))
  local function insert(part, kind, value)
    return db:exec("INSERT INTO metric_value VALUES(1, 1, ?1, 1000, ?3, ?2)", part, kind, value)
  end
  for _, part in ipairs { "train", "val", "test" } do lu.assertNotNil(insert(part, "finite", 0.5)) end
  assert(db:exec "DELETE FROM metric_value WHERE step = 1000")
  for _, kind in ipairs { "nan", "inf", "-inf" } do
    assert(insert("val", kind, nil))
    assert(db:exec "DELETE FROM metric_value WHERE step = 1000")
  end
  for _, row in ipairs { { "Val", "finite", 1.0 }, { "", "finite", 1.0 }, { "val", "", nil },
    { "val", "NaN", nil }, { "val", "finite", nil }, { "val", "inf", 1.0 } } do
    local done, message = insert(row[1], row[2], row[3])
    lu.assertNil(done)
    lu.assertStrContains(message, "CHECK constraint failed")
  end
end

-- Version 6 stored no costs: passes follow from steps and draws, seconds are unknown.
function Maintenance.test_migrating_gives_evaluations_their_passes()
  local path = old_file(EARLIER[6])
  local db <close> = assert(store.open(path))
  lu.assertEquals(db:query [[
    SELECT sampler, passes FROM evaluation WHERE run_id = 1 AND part = 'test' ORDER BY eval_id]], {
    { sampler = "ddim", passes = 6 }, { sampler = "prior", passes = 0 },
    { sampler = "ddim + calibrated", passes = 6 }, { sampler = "prior + calibrated", passes = 0 },
    { sampler = "dpmpp", passes = 8 } })
  lu.assertEquals(one(db, "SELECT count(image_s) FROM evaluation"), 0)
end

local function filled()
  local db, path = fixture.new()
  local run = db:start_run(description())
  run:evaluation(evaluation({ { 2, 1 }, { 0, 1 } },
    { predictions = { true_idx = { 0, 0, 0, 1 }, pred_idx = { 0, 1, 0, 1 } } }))
  return db, path, run
end

function Maintenance.test_a_backup_of_a_file_that_is_being_written()
  local db, path, run = filled()
  local copy = path .. ".copy"
  do
    local reader <close> = assert(store.open(path, { readonly = true }))
    lu.assertTrue(reader.core:backup(copy))
    local again, message, code = reader.core:backup(copy)
    lu.assertNil(again)
    lu.assertEquals(code, "EIO")
    lu.assertStrContains(message, "exists already")
    lu.assertEquals(select(3, reader.core:backup(path .. "/no/folder")), "EIO")
  end
  run:finish()
  db:close()
  local whole <close> = assert(store.open(copy, { readonly = true }))
  lu.assertEquals(one(whole, "PRAGMA integrity_check"), "ok")
  lu.assertEquals(count(whole, "confusion"), 3)
  lu.assertEquals(one(whole, "SELECT status FROM run"), "crashed") -- the state at that moment
end

local function faults_of(db)
  local out = {}
  for _, result in ipairs(assert(check(db))) do
    if #result.faults > 0 then out[result.name] = result.faults end
  end
  return out
end

function Maintenance.test_checks()
  local db <close> = filled()
  lu.assertEquals(faults_of(db), {})
  local function assert_fault(sql, name, text)
    assert(db.core:begin())
    assert(db:exec(sql))
    local faults = faults_of(db)
    db.core:rollback()
    lu.assertStrContains(table.concat(faults[name] or { "none: " .. name }, "\n"), text)
  end
  local counts = "class_count follows from confusion"
  assert_fault("UPDATE class_count SET tp = tp - 1 WHERE class_idx = 0", counts,
    "stored 3, 2, 1; counted 3, 2, 2")
  assert_fault("UPDATE class_count SET support = 9 WHERE class_idx = 1", counts, "class 1: stored 9")
  assert_fault("UPDATE confusion SET n = 7 WHERE true_idx = 1", counts, "counted 7")
  assert_fault("UPDATE confusion SET n = 7 WHERE true_idx = 1", "evaluation.n is the sum of confusion",
    "counts 10")
  assert_fault("DELETE FROM class_count WHERE class_idx = 1", "every counted class is in class_count",
    "counts class 1, which class_count lacks")
  assert_fault("UPDATE prediction SET pred_idx = 0 WHERE sample_idx = 1",
    "confusion follows from predictions", "1 images of class 0 called 1, the predictions have 0")
  assert_fault("UPDATE prediction SET true_idx = 1, pred_idx = 0 WHERE sample_idx = 3",
    "confusion follows from predictions", "class 1")
  assert_fault("UPDATE evaluation SET is_primary = 0", "every finished run has primary evaluations",
    "none: ") -- the run is in progress
  assert(db:exec "UPDATE run SET status = 'finished'")
  assert_fault("UPDATE evaluation SET is_primary = 0", "every finished run has primary evaluations",
    ("run %s: 1 evaluations of part test, none of them primary"):format(one(db, "SELECT uid FROM run")))
  lu.assertEquals(faults_of(db), {})
  assert(db:exec "PRAGMA foreign_keys = OFF")
  assert_fault("UPDATE run SET split_id = 77", "references between tables",
    "a row of run names a row of data_split")
end

return { Maintenance = Maintenance }
