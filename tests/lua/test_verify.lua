-- A stored run and its repetition: equal bits for every kind of run, whatever trained it, and each number
-- that was changed is found.
local lu = require "luaunit"
local aniso = require "aniso"
local fixture = dofile "tests/lua/store_fixture.lua"
local inference = dofile "tests/lua/inference_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"
local progress = require "aniso.show.progress"
local scratch = require "aniso.store.scratch"
local stored_values = require "aniso.store.stored_values"
local sys = require("aniso.core").sys
local verification = require "aniso.train.verification"
local verified_values = require "aniso.train.verified_values"

local nowhere = assert(io.open("/dev/null", "w"))

local function verify(db, run, options, place)
  local of = { board = progress.board { stream = nowhere } }
  for key, value in pairs(options or {}) do of[key] = value end
  if place then return verification.verify(db, run, place, of) end
  local own <close> = scratch.new()
  return verification.verify(db, run, own, of)
end

-- what → {n, differ}, and the names of the first differences
local function summary(result)
  local out, first = {}, {}
  for _, section in ipairs(result.sections) do
    out[section.what] = { section.n, section.differ }
    if section.first then first[#first + 1] = section.first.name end
  end
  return out, first
end

local function assert_equal(result, name)
  lu.assertEquals(result.mode, "bits", name)
  lu.assertEquals(result.left_out, {}, name)
  for _, section in ipairs(result.sections) do
    local first = section.first or {}
    lu.assertEquals(section.differ, 0, ("%s: %s: %s"):format(name, section.what, first.name))
  end
end

local T = {}

-- A repetition runs alone and trains its first stage.
function T.test_members_of_a_lock_step_repeat_alone()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local outcomes = aniso.trainer.run_together(lock_step.jobs_of(db, lock_step.points, nowhere))
  local place <close> = scratch.new()
  for i, outcome in ipairs(outcomes) do
    lu.assertNil(outcome.problem)
    local result = verify(db, assert(db:find(outcome.uid)), nil, place)
    assert_equal(result, "point " .. i)
    local n = summary(result)
    lu.assertTrue(n.curves[1] >= 20 and n.metrics[1] >= 60 and n.predictions[1] >= 40)
    lu.assertTrue(n.confusion[1] >= 14)
    lu.assertEquals(n.weights[1], 3)
  end
end

function T.test_every_kind_of_model_and_its_evaluation()
  local case = {}
  inference.begin(case)
  for _, name in ipairs { "image", "calibrated", "tilted", "margins", "normed", "retrained" } do
    local run = inference.run_of(case, name)
    assert_equal(verify(case.db, run), name)
    local again = verify(case.db, run, { evaluation = true })
    assert_equal(again, name)
    lu.assertNil(summary(again).curves)
  end
  inference.finish(case)
end

local function small_run(db, changes)
  local jobs = lock_step.jobs_of(db, { changes or lock_step.points[2] }, nowhere)
  return assert(db:find(aniso.trainer.run(jobs[1]).uid))
end

function T.test_further_evaluations_are_repeated()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local run = small_run(db)
  local own = db:config(run).sampler
  local function evaluate(how, rule)
    aniso.trainer.evaluate(db, run, how, rule, progress.board { stream = nowhere })
  end
  evaluate { "ddim", steps = 2, draws = 3 }
  evaluate { "dpmpp", steps = 2, draws = 1, temperature = 0.25 }
  evaluate { "ddim", steps = 3, draws = 2, tilt = { "prior", tau = 0.5, where = "vote" },
    probabilities = "plain" }
  evaluate(own, { metric = "bacc", tau = { 0, 1 } })
  local n = #stored_values.evaluations(db, run.uid)
  lu.assertEquals(n, 14) -- of chain and prior, calibrated too
  for _, evaluation in ipairs { false, true } do
    assert_equal(verify(db, run, { evaluation = evaluation }), "evaluation only: " .. tostring(evaluation))
  end
  -- A number of more digits than the name keeps cannot be read back.
  evaluate { "ddim", steps = 2, draws = 1, temperature = 0.1234567 }
  lu.assertEquals(verify(db, run, { evaluation = true }).left_out,
    { "test, ddim + temperature 0.123457 2 × 1", "val, ddim + temperature 0.123457 2 × 1" })
end

function T.test_a_run_that_was_resumed()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local job = lock_step.jobs_of(db, { lock_step.points[1] }, nowhere)[1]
  job.config = aniso.config.complete(job.config)
  job.until_epoch = 3
  local uid = aniso.trainer.run(job).uid
  assert(db:exec("UPDATE run SET status = 'interrupted' WHERE uid = ?1", uid))
  aniso.trainer.resume(db, assert(db:find(uid)), nowhere)
  lu.assertEquals(fixture.one(db, "SELECT resumes FROM run"), 1)
  assert_equal(verify(db, assert(db:find(uid))), "resumed")
end

function T.test_the_first_epochs_alone()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  for _, changes in ipairs { lock_step.points[2], { ["train.mode"] = "joint", ["select.every"] = 3 } } do
    local run = small_run(db, changes)
    local all = summary(verify(db, run)).curves[1]
    for _, last in ipairs { 1, 2, 100 } do
      local result = verify(db, run, { until_epoch = last })
      assert_equal(result, "up to epoch " .. last)
      lu.assertEquals(#result.sections, 1)
      local n = summary(result).curves[1]
      lu.assertTrue(last == 100 and n == all or n > 0 and n < all, tostring(n))
    end
  end
end

function T.test_a_kept_first_stage_is_taken_only_on_request()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local run = small_run(db)
  local folder = db:first_stage_folder()
  local path = ("%s/%s"):format(folder, sys.list(folder)[1])
  local core = require "aniso.core"
  local tensors, meta = assert(core.checkpoint.load(path))
  tensors["net.backbone.conv1.weight"]:fill_(0)
  assert(core.checkpoint.save(path, tensors, meta, { previous = false }))
  assert_equal(verify(db, run), "trained again")
  local taken = summary(verify(db, run, { first_stage = true }))
  lu.assertTrue(taken.weights[2] > 0 and taken.predictions[2] > 0)
  lu.assertTrue(taken.curves[1] < summary(verify(db, run)).curves[1]) -- without those of the first stage
end

function T.test_a_fold()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local job = lock_step.jobs_of(db, { { ["train.mode"] = "joint", ["train.epochs"] = 1 } }, nowhere)[1]
  job.cross = { folds = 3, fold = 1 }
  assert_equal(verify(db, assert(db:find(aniso.trainer.run(job).uid))), "fold 1")
end

local CHANGES = {
  { "UPDATE lambda SET value = value * (1 + 1e-15) WHERE class_idx = 2", { levels = 1 }, "λ of class 3" },
  { "UPDATE metric_value SET value = value + 1e-9 WHERE step = 3 AND part = 'train' AND metric_id = "
    .. "(SELECT metric_id FROM metric WHERE name = 'loss')", { curves = 1 }, "epoch 3: train loss" },
  { "UPDATE metric_value SET value = NULL, kind = 'nan' WHERE step >= 2 AND part = 'val' AND metric_id = "
    .. "(SELECT metric_id FROM metric WHERE name = 'acc')", { curves = 3 }, "epoch 2: val acc" },
  { "UPDATE checkpoint SET sha256 = replace(sha256, 'a', 'b')", { weights = 1 },
    "SHA-256 of the kept weights" },
  { "UPDATE result SET value = value + 1e-9 WHERE metric_id = (SELECT metric_id FROM metric WHERE name = "
    .. "'nll') AND eval_id = 3", { metrics = 1 }, "test, ddim 3 × 2: nll" },
  { "UPDATE prediction SET probs = zeroblob(28) WHERE sample_idx = 4 AND eval_id = 3", { predictions = 1 },
    "test, ddim 3 × 2: image 5" },
  { "DELETE FROM confusion WHERE eval_id = 3 AND true_idx = 0 AND pred_idx = 0", { confusion = 1 },
    "test, ddim 3 × 2: counts of class 1" },
  { "UPDATE confusion SET n = n + 1 WHERE eval_id = 3 AND true_idx = 0", { confusion = 1 },
    "test, ddim 3 × 2: counts of class 1" },
}

-- Every change alone, in a copy of what the run has stored.
function T.test_each_change_is_found()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local run = small_run(db)
  local before = stored_values.of(db, run.uid)
  for _, change in ipairs(CHANGES) do
    assert(db:exec "SAVEPOINT change")
    assert(db:exec(change[1]))
    local found, first = summary { sections = verified_values.compare(stored_values.of(db, run.uid), before,
      "bits") }
    assert(db:exec "ROLLBACK TO change")
    assert(db:exec "RELEASE change")
    lu.assertEquals(first, { change[3] }, change[1])
    for what, n in pairs(found) do lu.assertEquals(n[2], change[2][what] or 0, change[1]) end
  end
  assert(db:exec(CHANGES[2][1]))
  local counts, first = summary(verify(db, run))
  lu.assertEquals({ first, counts.curves[2], counts.metrics[2] }, { { "epoch 3: train loss" }, 1, 0 })
end

function T.test_weights_that_were_changed()
  local core = require "aniso.core"
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local run = small_run(db)
  local path = db:run_folder(run.uid) .. "/best.safetensors"
  local tensors, meta = assert(core.checkpoint.load(path))
  local weight = tensors["net.backbone.conv1.weight"]
  weight:copy_(weight * 1.5)
  assert(core.checkpoint.save(path, tensors, meta, { previous = false }))
  local counts, first = summary(verify(db, run))
  lu.assertEquals(first, { "SHA-256 of best.safetensors" })
  lu.assertEquals(counts.weights, { 3, 1 })
  counts = summary(verify(db, run, { evaluation = true }))
  lu.assertEquals(counts.weights, { 2, 1 })
  lu.assertTrue(counts.metrics[2] > 0 and counts.predictions[2] > 0)
end

function T.test_weights_that_cannot_be_read()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local run = small_run(db)
  local file <close> = assert(io.open(db:run_folder(run.uid) .. "/best.safetensors", "r+b"))
  assert(file:seek("end", -4))
  assert(file:write "\1\2\3\4")
  assert(file:flush())
  for _, section in ipairs(verify(db, run).sections) do
    if section.what == "weights" then
      lu.assertStrMatches(section.first.stored, "unknown %(checkpoint .* is damaged: .*%)")
    end
  end
end

-- Bounds permit rounding and find another training.
function T.test_bounds()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  local run = small_run(db)
  assert(db:exec "UPDATE host SET cpu = 'another processor'")
  local result = verify(db, run)
  lu.assertEquals(result.mode, "training")
  lu.assertStrContains(result.why[1], "the processor was another processor, here it is ")
  lu.assertEquals(select(2, summary(result)), {})
  lu.assertEquals(verify(db, run, { evaluation = true }).mode, "evaluation")
  local function raise_loss(epoch)
    assert(db:exec("UPDATE metric_value SET value = value * 1.05 WHERE part = 'train' AND step = ?1 AND "
      .. "metric_id = (SELECT metric_id FROM metric WHERE name = 'loss')", epoch))
  end
  raise_loss(3)
  lu.assertEquals(select(2, summary(verify(db, run))), {})
  raise_loss(1)
  lu.assertEquals(select(2, summary(verify(db, run))), { "epoch 1: train loss" })
  assert(db:exec "UPDATE prediction SET pred_idx = (pred_idx + 1) % 7 WHERE eval_id = 3 AND sample_idx < 5")
  lu.assertEquals(select(2, summary(verify(db, run, { evaluation = true }))), { "test, ddim 3 × 2: image 1" })
end

return T
