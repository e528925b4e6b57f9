-- Runs in lock-step: which runs form a group, the same bits as single runs (weights and all stored
-- results), failures of one point, and a damaged shared first stage.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local first_stage = require "aniso.train.first_stage"
local lockstep = require "aniso.train.lockstep"
local fixture = dofile "tests/lua/store_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"

local points, complete, jobs_of = lock_step.points, lock_step.complete, lock_step.jobs_of
local new_db, stored = lock_step.new_db, lock_step.stored

local function epochs(db, uid)
  return fixture.one(db, "SELECT count(*) FROM metric_value JOIN metric USING(metric_id) JOIN run "
    .. "USING(run_id) WHERE metric.name = 'loss' AND part = 'train' AND uid = ?1", uid)
end

local T = {}

function T.test_a_group_has_the_points_of_one_seed()
  local jobs = jobs_of(nil, { points[1], points[2], { ["train.lr"] = 1 }, points[3],
    { ["train.mode"] = "joint" }, { ["train.mode"] = "joint" } })
  jobs[4].seed = 1
  local sizes = {}
  for i, group in ipairs(lockstep.groups(jobs)) do sizes[i] = #group end
  lu.assertEquals(sizes, { 2, 1, 1, 1, 1 })
  lu.assertEquals(#lockstep.groups(jobs, true), 6)
end

function T.test_lock_step_gives_the_bits_of_single_runs()
  local folder_a, folder_b = fixture.folder(), fixture.folder()
  local a <close> = new_db(folder_a, "a")
  local b <close> = new_db(folder_b, "b")
  local outcomes = aniso.trainer.run_together(jobs_of(a, points))
  for i, job in ipairs(jobs_of(b, points)) do
    local alone = aniso.trainer.run(job)
    lu.assertNil(outcomes[i].problem)
    lu.assertEquals(stored(a, outcomes[i].uid), stored(b, alone.uid), job.label)
    lu.assertEquals(outcomes[i].metrics.nll, alone.metrics.nll)
    lu.assertEquals(epochs(a, outcomes[i].uid), i == 1 and 4 or 3)
  end
  lu.assertNotEquals(outcomes[1].metrics.nll, outcomes[2].metrics.nll)
end

function T.test_a_point_that_fails_does_not_stop_the_others()
  local db <close> = new_db(fixture.folder(), "a")
  local outcomes = aniso.trainer.run_together(jobs_of(db,
    { { ["loss.denoising"] = 1e300, ["schedule.lambda"] = "isotropic" }, points[1], points[2] }))
  lu.assertStrContains(tostring(outcomes[1].problem), "the loss became")
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM run WHERE status = 'failed'"), 1)
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM run WHERE status = 'finished'"), 2)
  local other <close> = new_db(fixture.folder(), "b")
  local alone = aniso.trainer.run(jobs_of(other, { points[2] })[1])
  lu.assertEquals(stored(db, outcomes[3].uid), stored(other, alone.uid))
end

function T.test_a_point_that_cannot_start_is_a_failed_outcome()
  local db <close> = new_db(fixture.folder(), "a")
  local outcomes = aniso.trainer.run_together(jobs_of(db,
    { { ["schedule.lambda"] = { "manual", 1, 2 } }, points[1] }))
  lu.assertNotNil(outcomes[1].problem)
  lu.assertNil(outcomes[1].uid)
  lu.assertNotNil(outcomes[2].metrics)
end

function T.test_the_first_stage_is_shared_by_databases_of_a_folder()
  local folder = fixture.folder()
  local a <close> = new_db(folder, "a")
  local b <close> = new_db(folder, "b")
  local first = aniso.trainer.run(jobs_of(a, points)[1])
  local second = aniso.trainer.run(jobs_of(b, points)[2])
  lu.assertEquals(epochs(a, first.uid), 4)
  lu.assertEquals(epochs(b, second.uid), 3)
end

-- A damaged first stage is trained again, with the same results.
local function assert_recovery_from(damage)
  local folder = fixture.folder()
  local db <close> = new_db(folder, "a")
  local first = aniso.trainer.run(jobs_of(db, points)[1])
  local names = core.sys.list(folder .. "/first-stage")
  lu.assertEquals(#names, 1)
  local path = folder .. "/first-stage/" .. names[1]
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  assert(core.sys.write_atomic(path, damage(text)))
  local log = assert(io.tmpfile())
  local again = aniso.trainer.run(jobs_of(db, points, log)[1])
  log:seek "set"
  local _, lines = log:read "a":gsub("first stage is trained again", "")
  lu.assertEquals(lines, 1)
  lu.assertEquals(epochs(db, again.uid), 4)
  lu.assertEquals(stored(db, first.uid), stored(db, again.uid))
  local third = aniso.trainer.run(jobs_of(db, points)[2])
  lu.assertEquals(epochs(db, third.uid), 3)
end

function T.test_a_truncated_first_stage_is_trained_again()
  assert_recovery_from(function(text) return text:sub(1, #text - 100) end)
end

function T.test_an_empty_first_stage_is_trained_again()
  assert_recovery_from(function() return "" end)
end

function T.test_a_changed_bit_of_the_first_stage_is_detected()
  assert_recovery_from(function(text)
    return text:sub(1, -50) .. string.char(text:byte(-49) ~ 1) .. text:sub(-48)
  end)
end

-- What a link leads to may be a file of someone else.
function T.test_a_link_in_the_place_of_a_first_stage_is_not_written_through()
  local folder = fixture.folder()
  local db <close> = new_db(folder, "a")
  aniso.trainer.run(jobs_of(db, points)[1])
  local name = core.sys.list(folder .. "/first-stage")[1]
  local path, target = folder .. "/first-stage/" .. name, folder .. "/elsewhere"
  assert(os.rename(path, target))
  assert(os.execute(("ln -s ../elsewhere '%s'"):format(path)))
  assert(core.sys.write_atomic(target, "damaged"))
  lu.assertErrorMsgContains("it is a link", aniso.trainer.run, jobs_of(db, points)[1])
  lu.assertEquals(core.sys.size(target), #"damaged")
  assert(os.remove(path))
  aniso.trainer.run(jobs_of(db, points)[1])
  lu.assertEquals(core.sys.list(folder .. "/first-stage"), { name })
end

local function key(changes, seed)
  return first_stage.key(aniso.trainer.prepare { config = complete(changes or {}), seed = seed or 0 })
end

function T.test_the_hash_depends_only_on_what_determines_the_stage()
  local own = key()
  for _, same in ipairs { { ["schedule.lambda"] = "bound" }, { ["train.epochs"] = 9 },
    { ["loss.mmd"] = 0 }, { ["denoiser.dim"] = 16 }, { ["select.draws"] = 3 },
    { ["train.prediction"] = "v" } } do
    lu.assertEquals(key(same), own)
  end
  lu.assertNotEquals(key(nil, 1), own)
  for _, other in ipairs { { ["train.prior_epochs"] = 2 }, { ["train.lr"] = 1 }, { ["data.size"] = 16 },
    { ["data.n"] = 150 }, { ["loss.prior"] = "ldam" }, { ["prior.top_percent"] = 30 },
    { ["backbone.width"] = 8 }, { ["select.keep"] = "last" } } do
    lu.assertNotEquals(key(other), own)
  end
end

function T.test_a_lock_is_held_once_and_released()
  local path = fixture.folder() .. "/x"
  local lock = assert(core.sys.lock(path))
  local none, message, code = core.sys.lock(path)
  lu.assertNil(none)
  lu.assertStrContains(message, "this process")
  lu.assertEquals(code, "EBUSY")
  lock:close()
  local again <close> = assert(core.sys.lock(path))
  lu.assertStrContains(tostring(again), "Lock")
end

return T
