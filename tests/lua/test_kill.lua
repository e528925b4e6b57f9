-- A process that ends between the file of a checkpoint and its row: the run resumes behind the epoch of
-- the file, with all of its metrics.
local lu = require "luaunit"
local aniso = require "aniso"
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

function T.test_no_epoch_is_lost()
  local a <close> = plain.new_db(fixture.folder(), "a")
  local b <close> = plain.new_db(fixture.folder(), "b")
  local changes = { ["train.prior_epochs"] = 4, ["select.every"] = 4 } -- a best checkpoint writes metrics too
  local whole = plain.run(a, changes).uid
  dying("last", 2, function() plain.run(b, changes) end)
  local uid = fixture.one(b, "SELECT uid FROM run")
  aniso.trainer.resume(b, assert(b:find(uid)), assert(io.open("/dev/null", "w")))
  lu.assertEquals(fixture.one(b, "SELECT resumes FROM run"), 1)
  lu.assertEquals(plain.stored(b, uid), plain.stored(a, whole))
  lu.assertEquals(fixture.one(b, "SELECT count(*) FROM metric_value JOIN metric USING(metric_id) "
    .. "WHERE name = 'loss' AND part = 'train'"), 4)
end

return T
