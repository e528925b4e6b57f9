-- What gc lists and deletes of files that nothing needs any more.
local lu = require "luaunit"
local core = require "aniso.core"
local data = require "aniso.method.data"
local gc = require "aniso.store.collect"
local first_stage = require "aniso.train.first_stage"
local leftovers = require "aniso.store.leftovers"
local fixture = dofile "tests/lua/store_fixture.lua"
local plain = dofile "tests/lua/plain_fixture.lua"

local sys = core.sys
local T = {}

local HASH = ("0a"):rep(32)

local function write(path)
  assert(sys.mkdir_p(path:match "^(.*)/"))
  assert(sys.write_atomic(path, "12345"))
end

local function named(plan)
  local out = {}
  for i, one in ipairs(plan) do out[i] = one.what end
  table.sort(out)
  return out
end

function T.test_a_finished_run_needs_its_best_weights_only()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local finished, stopped = plain.run(db).uid, plain.run(db, { ["train.lr"] = 0.02 }).uid
  assert(db:exec("UPDATE run SET status = 'interrupted' WHERE uid = ?1", stopped))
  local plan = gc.plan(db, first_stage.key_of)
  lu.assertEquals(named(plan), { "last checkpoint" })
  lu.assertEquals(plan[1].folder.names, { "last.previous.safetensors", "last.safetensors" })
  gc.carry_out(db, plan)
  lu.assertEquals(#sys.list(db:run_folder(finished)), 3) -- only on request
  gc.carry_out(db, plan, { orphans = true })
  lu.assertEquals(sys.list(db:run_folder(finished)), { "best.safetensors" })
  lu.assertEquals(#sys.list(db:run_folder(stopped)), 3)
  leftovers.remove_last(db, stopped)
  lu.assertEquals(sys.list(db:run_folder(stopped)), { "best.safetensors" })
end

function T.test_pixel_caches_are_deleted_by_their_own_option()
  local folder = fixture.folder()
  local db <close> = plain.new_db(folder, "a")
  local pack, other = folder .. "/cache/" .. HASH .. ".pack", folder .. "/cache/notes.pack"
  write(pack)
  write(other)
  local plan = gc.plan(db, first_stage.key_of, folder .. "/cache")
  lu.assertEquals(named(plan), { "pixel cache" })
  lu.assertEquals(gc.carry_out(db, plan, { orphans = true }), 0)
  lu.assertEquals(gc.carry_out(db, plan, { cache = true }), 5)
  lu.assertNil(sys.exists(pack))
  lu.assertEquals(sys.exists(other), "file")
end

-- A temporary is left behind also where the first stage itself is used.
function T.test_temporaries_of_first_stages()
  local folder = fixture.folder()
  local db <close> = plain.new_db(folder, "a")
  local stage = folder .. "/first-stage/" .. HASH .. ".safetensors"
  for _, ending in ipairs { "", ".999999999-1f.tmp", "." .. ("0"):rep(26), "-lock", ".txt" } do
    write(stage .. ending)
  end
  local plan = gc.plan(db, first_stage.key_of)
  lu.assertEquals(named(plan), { "first stage", "first stage", "temporary", "temporary" })
  gc.carry_out(db, plan, { orphans = true })
  lu.assertEquals(sys.list(folder .. "/first-stage"), { HASH .. ".safetensors.txt" })
end

-- A process of another database in the folder trains a first stage: its lock is held, or its temporary has
-- the number of a running process.
function T.test_a_first_stage_in_use_stays()
  local folder = fixture.folder()
  local db <close> = plain.new_db(folder, "a")
  local stage = folder .. "/first-stage/" .. HASH .. ".safetensors"
  local running = (".%d-1f.tmp"):format(sys.pid())
  for _, ending in ipairs { "", running, ".999999999-1f.tmp" } do write(stage .. ending) end
  local orphan = db:run_folder "01M8J0HNHQBJNS10PWA5WHCCBX"
  write(orphan .. "/last.safetensors" .. running)
  local function kept(plan)
    local out = {}
    for _, one in ipairs(plan) do out[#out + 1] = one.keep end
    return out
  end
  local plan = gc.plan(db, first_stage.key_of)
  local used = ("process %d uses it"):format(sys.pid())
  lu.assertEquals(named(plan), { "first stage", "orphan", "temporary", "temporary" })
  lu.assertEquals(kept(plan), { used, used })
  local lock = assert(sys.lock(stage))
  lu.assertEquals(kept(gc.plan(db, first_stage.key_of)), { used, used, used, used, used }) -- and the lock
  gc.carry_out(db, plan, { orphans = true }) -- although it was free when the plan was made
  lu.assertEquals(#sys.list(folder .. "/first-stage"), 4)
  lu.assertStrContains(plan[2].keep, "is locked by this process")
  lock:close()
  gc.carry_out(db, gc.plan(db, first_stage.key_of), { orphans = true })
  lu.assertEquals(sys.list(folder .. "/first-stage"), { HASH .. ".safetensors" .. running })
  lu.assertEquals(sys.list(orphan), { "last.safetensors" .. running })
end

-- The folder that a database names must be a cache already.
function T.test_a_stored_cache_folder_is_not_made()
  local folder = fixture.folder()
  local given = { "folder", root = "images", cache = folder .. "/elsewhere" }
  lu.assertNil(data.of_stored(given).cache)
  assert(sys.mkdir_p(given.cache))
  lu.assertNil(data.of_stored(given).cache)
  lu.assertEquals(given.cache, folder .. "/elsewhere")
  write(given.cache .. "/0123456789abcdef.index")
  lu.assertEquals(data.of_stored(given).cache, given.cache)
  lu.assertEquals(data.of_stored({ "folder", cache = false }).cache, false)
end

-- Rows are deleted a run at a time, so that a signal waits for one. What it raises undoes the whole.
function T.test_a_signal_while_rows_are_deleted()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local uids, deleted, exec = { plain.run(db).uid, plain.run(db, { ["train.lr"] = 0.02 }).uid }, 0, db.exec
  db:remove { db:find(uids[1]), db:find(uids[2]) }
  function db.exec(self, sql, ...)
    deleted = deleted + (sql:find "^DELETE FROM run" and 1 or 0)
    if deleted == 2 then error("a signal", 0) end
    return exec(self, sql, ...)
  end
  lu.assertErrorMsgContains("a signal", gc.carry_out, db, gc.plan(db, first_stage.key_of))
  db.exec = nil
  lu.assertEquals(#db:runs { removed = true }, 2)
  for _, uid in ipairs(uids) do lu.assertEquals(#sys.list(db:run_folder(uid)), 3) end
end

-- rm and restore work next to gc: what they change after its plan was made counts.
function T.test_a_run_that_is_restored_meanwhile_keeps_its_files()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local uids = {}
  for i = 1, 3 do uids[i] = plain.run(db, { ["train.lr"] = 0.01 * i }).uid end
  db:remove { db:find(uids[1]), db:find(uids[2]) }
  local plan = gc.plan(db, first_stage.key_of)
  db:restore { db:find(uids[1], { removed = true }) }
  db:remove { db:find(uids[3]) }
  lu.assertTrue(gc.carry_out(db, plan) > 0)
  lu.assertEquals(#sys.list(db:run_folder(uids[1])), 3)
  lu.assertNil(sys.exists(db:run_folder(uids[2])))
  lu.assertEquals(#sys.list(db:run_folder(uids[3])), 3)
  lu.assertEquals(db:runs()[1].uid, uids[1])
  lu.assertEquals(db:runs({ removed = true })[1].uid, uids[3])
  lu.assertTrue(plan[1].restored and not plan[2].restored)
end

-- SQLite gives the number of the newest run, once that is deleted, to the next one.
function T.test_an_evaluation_of_a_run_that_gc_deleted_is_not_another_runs()
  local db <close> = fixture.new()
  local function finished(label)
    local run = db:start_run(fixture.description { label = label })
    run:evaluation(fixture.evaluation { { 2, 1 }, { 0, 1 } })
    run:finish()
    return run
  end
  local old = finished "old"
  local evaluating = db:record_of(old.uid)
  db:remove { db:find(old.uid) }
  gc.carry_out(db, gc.plan(db, first_stage.key_of))
  lu.assertEquals(finished "new".id, evaluating.id)
  lu.assertErrorMsgContains("was deleted while it was evaluated", evaluating.evaluation, evaluating,
    fixture.evaluation({ { 2, 1 }, { 0, 1 } }, { sampler = "ddim", steps = 2 }))
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM evaluation"), 1)
end

return { Leftovers = T }
