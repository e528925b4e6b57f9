-- A process that ends between the file of a checkpoint and its row: the run resumes behind the epoch of
-- the file, with all of its metrics, and the row is that of the file afterwards.
local lu = require "luaunit"
local aniso = require "aniso"
local checkpoint_check = require "aniso.store.checkpoint_check"
local core = require "aniso.core"
local recorder = require "aniso.store.recorder"
local fixture = dofile "tests/lua/store_fixture.lua"
local plain = dofile "tests/lua/plain_fixture.lua"

local T = {}

-- Runs f; what is not yet in the database is lost with the first checkpoint of the kind at `step`.
local function dying(kind, step, f)
  local write = recorder.methods.checkpoint
  recorder.methods.checkpoint = function(self, of)
    if of.kind ~= kind or of.step ~= step then return write(self, of) end
    self.metrics, self.lines = {}, {}
    error("the process ends here", 0)
  end
  local ok, problem = pcall(f)
  recorder.methods.checkpoint = write
  lu.assertFalse(ok)
  lu.assertStrContains(problem, "the process ends here")
end

local function resume(db, uid)
  aniso.trainer.resume(db, assert(db:find(uid)), assert(io.open("/dev/null", "w")))
end

function T.test_no_epoch_is_lost()
  local a <close> = plain.new_db(fixture.folder(), "a")
  local b <close> = plain.new_db(fixture.folder(), "b")
  local changes = { ["train.prior_epochs"] = 4, ["select.every"] = 4 } -- a best checkpoint writes metrics too
  local whole = plain.run(a, changes).uid
  dying("last", 2, function() plain.run(b, changes) end)
  local uid = fixture.one(b, "SELECT uid FROM run")
  resume(b, uid)
  lu.assertEquals(fixture.one(b, "SELECT resumes FROM run"), 1)
  lu.assertEquals(plain.stored(b, uid), plain.stored(a, whole))
  lu.assertEquals(fixture.one(b, "SELECT count(*) FROM metric_value JOIN metric USING(metric_id) "
    .. "WHERE name = 'loss' AND part = 'train'"), 4)
end

-- Another run trains the first stage before the killed one is resumed: the curve is that run's, and what the
-- killed one had begun of it is removed.
function T.test_a_fragment_of_the_curve_that_another_run_has_is_removed()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local changes = { ["train.prior_epochs"] = 4 }
  local function curve(uid)
    return fixture.one(db, "SELECT count(*) FROM metric_value JOIN metric USING(metric_id) "
      .. "JOIN run USING(run_id) WHERE metric.name = 'loss' AND part = 'train' AND uid = ?1", uid)
  end
  dying("last", 3, function() plain.run(db, changes) end)
  local uid = fixture.one(db, "SELECT uid FROM run")
  lu.assertTrue(curve(uid) > 0)
  local other = plain.run(db, changes).uid
  lu.assertEquals(curve(other), 4)
  resume(db, uid)
  lu.assertEquals({ curve(uid), curve(other) }, { 0, 4 })
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM log JOIN run USING(run_id) WHERE uid = ?1 "
    .. "AND message LIKE 'first stage taken from %; its curve is that of run ' || ?2", uid, other), 1)
  lu.assertEquals(fixture.one(db, "SELECT status FROM run WHERE uid = ?1", uid), "finished")
end

-- The last epoch is the one after which no further checkpoint replaces the row.
function T.test_the_row_is_that_of_the_file()
  local db <close> = plain.new_db(fixture.folder(), "a")
  dying("last", 2, function() plain.run(db) end)
  local uid = fixture.one(db, "SELECT uid FROM run")
  local file = ("%s/%s/last.safetensors"):format(db:folder(), uid)
  local _, meta, sha256 = core.checkpoint.load(file)
  lu.assertEquals(meta.epoch, 2)
  lu.assertNotEquals(fixture.one(db, "SELECT sha256 FROM checkpoint WHERE kind = 'last'"), sha256)
  lu.assertEquals(checkpoint_check(db), {}) -- the run can still be resumed
  resume(db, uid)
  lu.assertEquals(fixture.one(db, "SELECT step FROM checkpoint WHERE kind = 'last'"), 2)
  lu.assertEquals(fixture.one(db, "SELECT sha256 FROM checkpoint WHERE kind = 'last'"), sha256)
  lu.assertEquals(checkpoint_check(db), {})
end

-- A damaged last checkpoint: the row is that of the previous one until the next is saved.
function T.test_the_row_is_that_of_the_previous_file_where_that_was_loaded()
  local db <close> = plain.new_db(fixture.folder(), "a")
  dying("last", 2, function() plain.run(db) end)
  local uid = fixture.one(db, "SELECT uid FROM run")
  local file = ("%s/%s/last.safetensors"):format(db:folder(), uid)
  assert(io.open(file, "w")):write("damaged"):close()
  local record = recorder.methods.checkpoint
  local steps = {}
  recorder.methods.checkpoint = function(self, of)
    if of.kind == "last" then steps[#steps + 1] = of.path:match "[^/]*$" .. " " .. of.step end
    return record(self, of)
  end
  resume(db, uid)
  recorder.methods.checkpoint = record
  lu.assertEquals(steps, { "last.previous.safetensors 1", "last.safetensors 2" })
end

function T.test_a_wrong_row_is_a_fault_of_the_check()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local uid = plain.run(db).uid
  lu.assertEquals(checkpoint_check(db), {})
  assert(db:exec("UPDATE checkpoint SET sha256 = replace(sha256, substr(sha256, 1, 8), 'ffffffff') "
    .. "WHERE kind = 'best'"))
  local faults = checkpoint_check(db)
  lu.assertEquals(#faults, 1)
  lu.assertStrContains(faults[1], uid .. "/best.safetensors holds epoch")
  lu.assertStrContains(faults[1], "the database recorded epoch")
end

return T
