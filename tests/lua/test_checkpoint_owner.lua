-- Checkpoints of another run, kind, configuration or content in a run's folder: resume, eval and the first
-- stage refuse them with one line that names both, and nothing of the file is loaded.
local lu = require "luaunit"
local aniso = require "aniso"
local core = require "aniso.core"
local fixture = dofile "tests/lua/store_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"
local plain = dofile "tests/lua/plain_fixture.lua"

local T = {}

local function copy(from, to)
  local source <close> = assert(io.open(from, "rb"))
  local target <close> = assert(io.open(to, "wb"))
  assert(target:write((source:read "a")))
end

local function file_of(db, uid, kind)
  return ("%s/%s/%s.safetensors"):format(db:folder(), uid, kind)
end

-- Saves a file again with other metadata, as change(meta) leaves them.
local function rewrite(path, change)
  local tensors, meta = core.checkpoint.load(path)
  change(meta)
  assert(core.checkpoint.save(path, tensors, meta, { previous = false }))
end

local function resume(db, uid)
  return aniso.trainer.resume(db, assert(db:find(uid)), assert(io.open("/dev/null", "w")))
end

local function evaluate(db, uid)
  return aniso.trainer.evaluate(db, assert(db:find(uid)), { "ddim", steps = 2, draws = 1 })
end

-- The message of an error, in one line.
local function refusal(f, ...)
  local ok, problem = pcall(f, ...)
  lu.assertFalse(ok)
  lu.assertNil(tostring(problem):find "\n")
  return tostring(problem)
end

function T.test_resume_refuses_the_file_of_another_run()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local one, other = plain.run(db).uid, plain.run(db, { ["train.lr"] = 0.02 }).uid
  local before = fixture.one(db, "SELECT count(*) FROM metric_value")
  copy(file_of(db, other, "last"), file_of(db, one, "last"))
  assert(db:exec("UPDATE run SET status = 'interrupted' WHERE uid = ?1", one))
  local line = refusal(resume, db, one)
  for _, words in ipairs { "is of run " .. other, "not of run " .. one, "put the run's own file back" } do
    lu.assertStrContains(line, words)
  end
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM metric_value"), before)
end

-- The checksums of a file are its own, so that a forged file may hold any state.
function T.test_resume_refuses_a_state_that_no_run_writes()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local uid = plain.run(db).uid
  local path = file_of(db, uid, "last")
  assert(db:exec("UPDATE run SET status = 'interrupted' WHERE uid = ?1", uid))
  os.remove(core.checkpoint.previous(path))
  local tensors, written = core.checkpoint.load(path)
  for field, value in pairs { epoch = -1, stage = 3, step = "1", best = 5, t = 0, ema_t = 1,
    unwritten = { metrics = { 7 } } } do
    local state = {}
    for name, one in pairs(written) do state[name] = one end
    state[field] = value
    assert(core.checkpoint.save(path, tensors, state, { previous = false }))
    lu.assertStrContains(refusal(resume, db, uid), "is damaged: its state has no valid " .. field)
  end
  written.epoch = written.epoch - 1 -- an older file needs no row
  local states = 0
  for name in pairs(tensors) do
    local others = {}
    for one, tensor in pairs(tensors) do others[one] = one ~= name and tensor or nil end
    assert(core.checkpoint.save(path, others, written, { previous = false }))
    assert(db:exec "DELETE FROM checkpoint WHERE kind = 'last'") -- a refused resume has stored the file
    lu.assertStrContains(refusal(resume, db, uid), "missing")
    if name:find "^optim%." then states = states + 1 end
  end
  lu.assertEquals(states, 2, "moments of the optimiser")
end

-- The parts of the line that eval prints after change(path of the best weights, db, uid).
local function evaluation_refused(change, parts)
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local uid = aniso.trainer.run(lock_step.jobs_of(db, lock_step.points)[1]).uid
  local before = fixture.one(db, "SELECT count(*) FROM evaluation")
  change(file_of(db, uid, "best"), db, uid)
  local line = refusal(evaluate, db, uid)
  for _, part in ipairs(parts) do lu.assertStrContains(line, part) end
  lu.assertStrContains(line, uid)
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM evaluation"), before)
end

function T.test_eval_refuses_the_weights_of_another_run()
  evaluation_refused(function(path)
    rewrite(path, function(meta) meta.uid = ("0"):rep(26) end)
  end, { "is of run " .. ("0"):rep(26) .. ", not of run", "train the run again" })
end

function T.test_eval_refuses_a_file_without_a_run()
  evaluation_refused(function(path)
    rewrite(path, function(meta) meta.uid = nil end)
  end, { "records no run" })
  evaluation_refused(function(path)
    rewrite(path, function(meta) meta.uid = "../../elsewhere" end)
  end, { "records no run" })
end

function T.test_eval_refuses_the_last_checkpoint_as_the_best()
  evaluation_refused(function(path, db, uid)
    copy(file_of(db, uid, "last"), path)
  end, { "is another file of run", "best.safetensors" })
end

function T.test_eval_refuses_another_configuration()
  evaluation_refused(function(path)
    rewrite(path, function(meta) meta.config = ("a"):rep(64) end)
  end, { "another configuration (aaaaaaaaaaaa)" })
end

function T.test_eval_refuses_other_weights_than_were_recorded()
  evaluation_refused(function(_, db)
    assert(db:exec("UPDATE checkpoint SET sha256 = ?1 WHERE kind = 'best'", ("b"):rep(64)))
  end, { "the database recorded epoch", "bbbbbbbbbbbb" })
  evaluation_refused(function(path)
    local tensors, meta = core.checkpoint.load(path)
    local _, some = next(tensors)
    some:fill_(3)
    meta.epoch = meta.epoch + 1 -- a run that finished has no newer file than its row
    assert(core.checkpoint.save(path, tensors, meta, { previous = false }))
  end, { "the database recorded epoch" })
end

-- A migration may change hashes, and earlier versions recorded neither the kind nor the schema.
function T.test_files_of_earlier_versions_are_evaluated()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local uid = aniso.trainer.run(lock_step.jobs_of(db, lock_step.points)[1]).uid
  rewrite(file_of(db, uid, "best"), function(meta)
    meta.kind, meta.schema, meta.config = nil, nil, ("a"):rep(64)
  end)
  lu.assertNotNil(evaluate(db, uid).acc)
end

function T.test_a_first_stage_has_the_name_that_it_records()
  local folder = fixture.folder()
  local db <close> = lock_step.new_db(folder, "a")
  aniso.trainer.run(lock_step.jobs_of(db, lock_step.points)[1])
  local path = folder .. "/first-stage/" .. core.sys.list(folder .. "/first-stage")[1]
  rewrite(path, function(meta) meta.key = ("c"):rep(64) end)
  local line = refusal(aniso.trainer.run, lock_step.jobs_of(db, lock_step.points)[2])
  lu.assertStrContains(line, "is the first stage cccccccccccc, not " .. path:match "(%x+)%.safe":sub(1, 12))
  lu.assertEquals(select(2, core.checkpoint.load(path)).key, ("c"):rep(64))
  rewrite(path, function(meta) meta.key = nil end) -- as earlier versions wrote it
  local uid = aniso.trainer.run(lock_step.jobs_of(db, lock_step.points)[2]).uid
  lu.assertEquals(fixture.one(db, "SELECT min(step) FROM metric_value JOIN run USING(run_id) WHERE uid = ?1",
    uid), 2)
end

return { CheckpointOwner = T }
