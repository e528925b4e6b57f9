-- Removing hides a run from every view and list, restoring undoes it; gc permanently deletes removed runs
-- and orphaned files, but nothing that another database of the folder uses.
local lu = require "luaunit"
local core = require "aniso.core"
local gc = require "aniso.store.collect"
local check = require "aniso.store.check"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation, one = fixture.description, fixture.evaluation, fixture.one
local sys = core.sys

local key_of = require("aniso.train.first_stage").key_of

local Removal = {}

local function record(db, changes)
  local run = db:start_run(description(changes))
  run:metric("train", 1, { loss = 0.5 })
  run:log("info", "a line")
  run:evaluation(evaluation({ { 2, 1 }, { 0, 1 } }, { bins = { { n = 4, sum_conf = 3.5, n_correct = 3 } },
    results = { nll = 1 }, predictions = { true_idx = { 0, 0, 0, 1 }, pred_idx = { 0, 1, 0, 1 } } }))
  run:finish()
  return run
end

local function write(path, bytes)
  assert(sys.mkdir_p(path:match "^(.*)/"))
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes or "12345")
end

-- Writes the files of a run where the trainer does.
local function checkpoints(db, run)
  local path = db:folder() .. "/" .. run.uid
  write(path .. "/best.safetensors")
  write(path .. "/last.safetensors")
  run:checkpoint { kind = "best", step = 1, path = path .. "/best.safetensors", sha256 = "c", bytes = 5 }
  return path
end

local SHOWN = { "v_run", "v_class", "v_eval", "v_ece", "v_confusion", "v_counted", "v_group", "v_lambda" }

function Removal.test_a_removed_run_is_hidden_until_it_is_restored()
  local db <close> = fixture.new()
  local run, other = record(db, { seed = 1 }), record(db, { seed = 2, name = "late" })
  local before = {}
  for _, view in ipairs(SHOWN) do before[view] = assert(db:query("SELECT * FROM " .. view)) end
  lu.assertEquals(db:remove { db:find(other.uid) }, 1)
  for _, view in ipairs(SHOWN) do
    local rows = db:query("SELECT * FROM " .. view)
    local n = view == "v_group" and #before[view] or #before[view] // 2
    if view == "v_lambda" then n = #before[view] end
    lu.assertEquals(#rows, n, view) -- of two seeds one is left, in groups n is 1
    for _, row in ipairs(rows) do
      lu.assertTrue(row.n ~= 2 or view == "v_confusion", view .. " still counts two seeds")
    end
  end
  lu.assertEquals(#db:runs(), 1)
  lu.assertEquals(#db:select { "late" }, 0)
  lu.assertEquals(#db:scores(), 1)
  lu.assertEquals(db:find("@last").uid, run.uid)
  lu.assertEquals(db:find("@best:nll").uid, run.uid)
  local _, message, code = db:find(other.uid)
  lu.assertEquals(code, "ENOTFOUND")
  lu.assertStrContains(message, "aniso restore " .. other.uid)
  lu.assertEquals(#db:runs { removed = true }, 1)
  lu.assertEquals(db:find("late", { removed = true }).uid, other.uid)
  lu.assertEquals(select(3, db:find(run.uid, { removed = true })), "ENOTFOUND")
  lu.assertEquals(db:remove { db:find("late", { removed = true }) }, 0)
  lu.assertEquals(db:restore { db:find("late", { removed = true }) }, 1)
  for _, view in ipairs(SHOWN) do
    lu.assertEquals(db:query("SELECT * FROM " .. view), before[view], view)
  end
end

-- The number of an attempt is never reused, not even that of a removed one.
function Removal.test_repeating_a_removed_run_is_a_new_attempt()
  local db <close> = fixture.new()
  record(db, {})
  db:remove { db:find "1" }
  record(db, {})
  lu.assertEquals(db:find("@last").attempt, 2)
  db:restore { db:find("1", { removed = true }) }
  lu.assertEquals(#db:runs(), 2)
end

local function items(plan, what)
  local out = {}
  for _, one_item in ipairs(plan) do
    if one_item.what == what then out[#out + 1] = one_item end
  end
  return out
end

function Removal.test_gc_deletes_only_rows_and_files_of_removed_runs()
  local db <close> = fixture.new()
  local a, b = record(db, { seed = 1 }), record(db, { seed = 2, config = { other = 1 }, study = "gone" })
  local kept, gone = checkpoints(db, a), checkpoints(db, b)
  assert(sys.remove(kept .. "/last.safetensors")) -- which gc would list
  lu.assertEquals(items(gc.plan(db, key_of), "removed run"), {})
  db:remove { db:find(b.uid) }
  local plan = gc.plan(db, key_of)
  lu.assertEquals({ #plan, plan[1].what, plan[1].bytes }, { 1, "removed run", 10 })
  lu.assertEquals(sys.exists(gone), "directory") -- a plan changes nothing
  lu.assertEquals(gc.carry_out(db, plan), 10)
  lu.assertNil(sys.exists(gone))
  lu.assertEquals(sys.exists(kept .. "/best.safetensors"), "file")
  lu.assertEquals(one(db, "SELECT group_concat(uid) FROM run"), a.uid)
  for _, name in ipairs { "study", "config", "evaluation", "checkpoint" } do
    lu.assertEquals(one(db, "SELECT count(*) FROM " .. name), 1, name)
  end
  lu.assertEquals(one(db, "SELECT count(*) FROM prediction"), 4)
  lu.assertEquals(one(db, "PRAGMA integrity_check"), "ok")
  assert(sys.remove(kept .. "/best.safetensors")) -- which is no checkpoint, as the check would state
  for _, result in ipairs(assert(check(db))) do lu.assertEquals(result.faults, {}, result.name) end
  lu.assertEquals(gc.plan(db, key_of), {})
end

function Removal.test_orphans_are_deleted_only_on_request()
  local db <close> = fixture.new()
  local run = record(db, {})
  local own = checkpoints(db, run)
  assert(sys.remove(own .. "/last.safetensors"))
  local home = own:match "^(.*)/"
  local orphan = home .. "/01ARZ3NDEKTSV4RRFFQ69G5FAV"
  write(orphan .. "/best.safetensors", "1234567")
  write(home .. "/notes/mine.txt")                 -- not a run's name
  write(home .. "/01ARZ3NDEKTSV4RRFFQ69G5FAW/deep/file") -- contains a folder, so it is kept
  local plan = gc.plan(db, key_of)
  lu.assertEquals({ #plan, plan[1].what, plan[1].name, plan[1].bytes }, { 1, "orphan", orphan, 7 })
  lu.assertEquals(gc.carry_out(db, plan), 0)
  lu.assertEquals(sys.exists(orphan), "directory")
  lu.assertEquals(gc.carry_out(db, gc.plan(db, key_of), { orphans = true }), 7)
  lu.assertNil(sys.exists(orphan))
  lu.assertEquals(sys.exists(own), "directory")
  lu.assertEquals(sys.exists(home .. "/notes/mine.txt"), "file")
end

function Removal.test_a_link_is_not_followed()
  local db <close> = fixture.new()
  local run = record(db, {})
  local elsewhere = fixture.folder()
  write(elsewhere .. "/precious")
  local home = db:folder()
  assert(sys.mkdir_p(home))
  assert(os.execute(("ln -s '%s' '%s/%s'"):format(elsewhere, home, run.uid)))
  db:remove { db:find(run.uid) }
  local plan = gc.plan(db, key_of)
  lu.assertStrContains(plan[1].keep, "is a link: it stays")
  gc.carry_out(db, plan, { orphans = true })
  lu.assertEquals(sys.exists(elsewhere .. "/precious"), "file")
  lu.assertEquals(one(db, "SELECT count(*) FROM run"), 0)
end

-- Names that the trainer does not make, links and folders stay, and so does the folder with them.
function Removal.test_only_files_of_the_trainer_are_deleted()
  local db <close> = fixture.new()
  local run = record(db, {})
  local path = checkpoints(db, run)
  local elsewhere = fixture.folder() .. "/precious"
  write(elsewhere)
  write(path .. "/thesis.tex")
  write(path .. "/deep/best.safetensors")
  write(path .. "/last.safetensors.4711-0a1b2c.tmp")
  assert(os.execute(("ln -s '%s' '%s/last.previous.safetensors'"):format(elsewhere, path)))
  db:remove { db:find(run.uid) }
  local plan = gc.plan(db, key_of)
  lu.assertStrContains(plan[1].keep,
    path .. " stays, it has other files: deep, last.previous.safetensors, thesis.tex")
  lu.assertEquals(gc.paths(plan[1]), { path .. "/best.safetensors", path .. "/last.safetensors",
    path .. "/last.safetensors.4711-0a1b2c.tmp" })
  gc.carry_out(db, plan, { orphans = true })
  lu.assertEquals(sys.list(path), { "deep", "last.previous.safetensors", "thesis.tex" })
  lu.assertEquals(sys.exists(elsewhere), "file")
  lu.assertEquals(gc.plan(db, key_of), {}) -- nothing of ours is left there
end

-- A path in the database is a record, not an instruction.
function Removal.test_a_recorded_path_elsewhere_is_not_touched()
  local db <close> = fixture.new()
  local run = record(db, {})
  local elsewhere = ("%s/%s"):format(fixture.folder(), run.uid)
  write(elsewhere .. "/last.safetensors")
  run:checkpoint { kind = "last", step = 1, path = elsewhere .. "/last.safetensors", sha256 = "c", bytes = 5 }
  db:remove { db:find(run.uid) }
  local plan = gc.plan(db, key_of)
  lu.assertEquals({ #plan, gc.paths(plan[1]) }, { 1, {} })
  gc.carry_out(db, plan, { orphans = true })
  lu.assertEquals(sys.exists(elsewhere .. "/last.safetensors"), "file")
end

function Removal.test_a_uid_that_is_a_path_names_no_folder()
  local db <close> = fixture.new()
  for _, uid in ipairs { "..", "../../home", "Documents", "", "01ARZ3NDEKTSV4RRFFQ69G5FAV/x", ("a"):rep(26),
    "01ARZ3NDEKTSV4RRFFQ69G5FA\0" } do
    local ok, problem = pcall(db.run_folder, db, uid)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(problem), "is no ULID")
  end
  lu.assertEquals(db:run_folder "01ARZ3NDEKTSV4RRFFQ69G5FAV", db:folder() .. "/01ARZ3NDEKTSV4RRFFQ69G5FAV")
end

-- The checkpoints of a merged database's runs are in the folder of the original database.
function Removal.test_files_of_another_database_in_the_folder_are_kept()
  local folder = fixture.folder()
  local db <close> = assert(store.open(folder .. "/one.db"))
  local run = record(db, {})
  local path = checkpoints(db, run)
  do
    local all <close> = assert(store.open(folder .. "/all.db"))
    assert(all:merge { db.path })
  end
  db:remove { db:find(run.uid) }
  local plan = gc.plan(db, key_of)
  lu.assertStrContains(plan[1].keep, "all.db has the run too")
  gc.carry_out(db, plan, { orphans = true })
  lu.assertEquals(sys.exists(path), "directory")
  lu.assertEquals(one(db, "SELECT count(*) FROM run"), 0)
  lu.assertEquals(gc.plan(db, key_of), {}) -- no orphan either
  local all <close> = assert(store.open(folder .. "/all.db"))
  all:remove { all:find(run.uid) }
  gc.carry_out(all, gc.plan(all, key_of)) -- the path that all.db has is in another database's folder
  lu.assertEquals(sys.exists(path), "directory")
  plan = gc.plan(db, key_of)
  lu.assertEquals({ plan[1].what, plan[1].name, plan[1].bytes }, { "orphan", path, 10 })
  gc.carry_out(db, plan, { orphans = true })
  lu.assertNil(sys.exists(path))
end

function Removal.test_an_unreadable_sibling_database_prevents_deletion()
  local db <close> = fixture.new()
  local home = db:folder()
  write(home .. "/01ARZ3NDEKTSV4RRFFQ69G5FAV/best.safetensors")
  local bytes = ("SQLite format 3\0" .. ("\0"):rep(52) .. "ADP1"):sub(1, 72) .. ("x"):rep(500)
  write(db.path:match "^(.*)/" .. "/damaged.db", bytes)
  local plan = gc.plan(db, key_of)
  lu.assertStrContains(items(plan, "orphan")[1].keep, "damaged.db cannot be read")
  gc.carry_out(db, plan, { orphans = true })
  lu.assertEquals(sys.exists(home .. "/01ARZ3NDEKTSV4RRFFQ69G5FAV"), "directory")
end

return { Removal = Removal }
