-- Runs with the λ policy `learned`: the levels move and are stored, the evaluation runs at those of the
-- evaluated weights, and a run is the same bits across a kill and at any number of threads.
local lu = require "luaunit"
local aniso = require "aniso"
local core = require "aniso.core"
local config = require "aniso.method.config"
local learned_levels = require "aniso.method.learned_levels"
local objective = require "aniso.method.objective"
local Session = require "aniso.train.session"
local checkpoint = require "aniso.train.checkpoint"
local first_stage = require "aniso.train.first_stage"
local stage = require "aniso.train.stage"
local fixture = dofile "tests/lua/store_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"

local nowhere = assert(io.open("/dev/null", "w"))

-- In these a level moves by up to 0.05 per step.
local CASES = {
  { ["schedule.lambda"] = { "learned", lr = 0.05 } },
  { ["schedule.lambda"] = { "learned", lr = 0.05, start = "bound", normalise = "prior" },
    ["schedule.coupling"] = "speed", ["train.mode"] = "joint", ["train.prior_epochs"] = 0,
    ["train.prediction"] = "v" },
  { ["schedule.lambda"] = { "learned", lr = 0.05, from = 0.4, objective = "plain" },
    ["schedule.coupling"] = "sample", ["denoiser"] = { "film", dim = 8 }, ["train.prediction"] = "epsilon",
    ["loss.class_weight"] = { "lambda", defer = 0.5 }, ["sampler.tilt"] = "lambda" },
  { ["schedule.lambda"] = { "learned", lr = 0.05 }, ["schedule.coupling"] = "image" },
}

local function run(db, changes)
  return aniso.trainer.run(lock_step.jobs_of(db, { changes })[1]).uid
end

local function levels_of(db, uid)
  return db:lambda(assert(db:find(uid)))
end

-- The λ_k that an epoch recorded.
local function recorded(db, uid, epoch)
  local out = {}
  for _, row in ipairs(assert(db:query([[SELECT metric.name, value FROM metric_value JOIN metric
      USING(metric_id) JOIN run USING(run_id) WHERE uid = ?1 AND step = ?2 AND metric.name LIKE 'lambda_%']],
      uid, epoch))) do
    out[tonumber(row.name:match "%d+")] = row.value
  end
  return out
end

-- The primary evaluation of the test part.
local function primary(db, uid)
  return assert(db:query([[SELECT eval_id, value AS nll FROM evaluation JOIN result USING(eval_id) JOIN metric
    USING(metric_id) JOIN run USING(run_id) WHERE uid = ?1 AND part = 'test' AND metric.name = 'nll' AND
    is_primary = 1]], uid))[1]
end

local Runs = {}

function Runs.test_the_levels_move_and_the_budget_holds()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  for i, changes in ipairs(CASES) do
    local uid = run(db, changes)
    local complete = lock_step.complete(changes)
    local first = Session.new { config = complete, seed = 0 }
    local counts, start = first.dataset.counts, first.model.schedule.levels
    local last = recorded(db, uid, i == 2 and 3 or 4)
    lu.assertEquals(#last, #counts)
    local moved, sum, total = 0, 0, 0
    for j, level in ipairs(last) do
      local weight = complete.schedule.lambda.normalise == "prior" and counts[j] or 1
      moved, sum, total = math.max(moved, math.abs(level - start[j])), sum + weight * level, total + weight
      lu.assertTrue(level >= 0.5 and level <= 2)
    end
    lu.assertTrue(moved > 0.02, "case " .. i)
    lu.assertAlmostEquals(sum / total, 1, 1e-12)
    lu.assertEquals(recorded(db, uid, 1)[1] ~= nil, i == 2) -- nothing in a stage that trains no denoiser
  end
end

-- What is stored as the run's levels are those of the best weights, and another evaluation runs at them.
function Runs.test_a_stored_run_is_evaluated_at_its_levels()
  local db <close> = lock_step.new_db(fixture.folder(), "a")
  for i, changes in ipairs(CASES) do
    local uid = run(db, changes)
    local row = assert(db:find(uid))
    local tensors = assert(core.checkpoint.load(("%s/%s/best.safetensors"):format(db:folder(), uid)))
    local raw = levels_of(db, uid)
    for j, theta in ipairs(tensors["levels.theta"]:list()) do
      lu.assertAlmostEquals(raw[j], math.exp(theta), 1e-3 * raw[j]) -- the average is brought to the budget
    end
    local before = primary(db, uid)
    aniso.trainer.evaluate(db, row, db:config(row).sampler)
    local after = primary(db, uid)
    lu.assertNotEquals(after.eval_id, before.eval_id)
    lu.assertEquals(after.nll, before.nll, "case " .. i)
    lu.assertEquals(levels_of(db, uid), raw)
  end
end

-- Killed after the second epoch of the levels' stage.
function Runs.test_a_killed_run_goes_on_to_the_same_bits()
  for i, changes in ipairs(CASES) do
    local db <close> = lock_step.new_db(fixture.folder(), "a")
    local uid = run(db, changes)
    local whole, levels = lock_step.stored(db, uid), levels_of(db, uid)
    local last = ("%s/%s/last"):format(db:folder(), uid)
    assert(os.rename(last .. ".previous.safetensors", last .. ".safetensors"))
    assert(db:exec("UPDATE run SET status = 'crashed', ended_at = NULL"))
    assert(db:exec("UPDATE lambda SET value = 1")) -- as before the end; the checkpoint determines the rest
    aniso.trainer.resume(db, assert(db:find(uid)), nowhere)
    lu.assertEquals(fixture.one(db, "SELECT resumes FROM run"), 1)
    lu.assertEquals(levels_of(db, uid), levels, "case " .. i)
    lu.assertEquals(lock_step.stored(db, uid), whole, "case " .. i)
  end
end

function Runs.test_any_number_of_threads_gives_the_same_bits()
  local before, stored = core.sys.threads(), {}
  for threads = 1, 2 do
    core.sys.threads(threads)
    local db <close> = lock_step.new_db(fixture.folder(), "a")
    stored[threads] = lock_step.stored(db, run(db, CASES[1])) .. lock_step.stored(db, run(db, CASES[2]))
  end
  core.sys.threads(before)
  lu.assertEquals(stored[1], stored[2])
end

-- ── one session, step by step ───────────────────────────────────────────────────────────
local Steps = {}

local function session_of(changes)
  local session = Session.new { config = lock_step.complete(changes), seed = 1 }
  stage.begin(session, #session.plan)
  session.model:train(true)
  return session
end

local function step(session, i)
  return stage.step(session, core.tensor.arange(28), i or 10)
end

local function flat(module)
  local values = module:flat()
  return values:list()
end

function Steps.test_the_weights_take_the_steps_of_the_same_levels_held()
  local moving = session_of { ["schedule.lambda"] = { "learned", lr = 0.1 } }
  local held = session_of { ["schedule.lambda"] = "isotropic" }
  step(moving)
  step(held)
  lu.assertEquals(flat(moving.model.den), flat(held.model.den)) -- the levels move behind the weights
  lu.assertNotEquals(moving.model.schedule.levels, held.model.schedule.levels)
  local _, gradient = moving.model.den:flat()
  for _, one in ipairs(gradient:list()) do lu.assertEquals(one, 0) end
  lu.assertFalse(moving.model.den:frozen())
  step(moving)
  step(held)
  lu.assertNotEquals(flat(moving.model.den), flat(held.model.den))
end

-- Through the whole denoiser: the loss at levels on both sides, on the same draws.
function Steps.test_the_gradient_is_that_of_the_loss_at_other_levels()
  for _, denoiser in ipairs { { "cross_attention", dim = 8, blocks = 1, heads = 2 }, { "film", dim = 8 } } do
    local session = session_of { denoiser = denoiser, ["train.lr"] = 0.03, ["train.prediction"] = "epsilon",
      ["schedule.lambda"] = { "learned", normalise = "none" }, ["schedule.coupling"] = "speed" }
    for _ = 1, 60 do step(session, 100) end -- the last layer begins at 0, where no gradient reaches y_t
    local batch <close> = stage.batch(session, core.tensor.arange(28))
    local model, at = session.model, session.model.levels:list()
    local function loss_at(levels)
      model.levels:set(levels)
      model:follow_levels()
      return objective.levels_loss(session, batch.frozen, batch.labels, { seed = 1, step = 9 }, batch.frozen)
    end
    model.den:freeze(true)
    local loss, rows = loss_at(at)
    loss:backward()
    local got, along, square, size = learned_levels.gradient("speed", rows), {}, 0, 5e-2
    for _, one in ipairs(got) do square = square + one * one end
    for j, one in ipairs(got) do along[j] = one / math.sqrt(square) end
    local two = {}
    for i, sign in ipairs { 1, -1 } do
      local moved = {}
      for j, level in ipairs(at) do moved[j] = level * math.exp(sign * size * along[j]) end
      two[i] = loss_at(moved):item()
      core.ops.clear_tape()
    end
    lu.assertAlmostEquals((two[1] - two[2]) / (2 * size) / math.sqrt(square), 1, 0.005, denoiser[1])
  end
end

function Steps.test_joint_training_steps_the_levels_without_a_second_pass_of_the_backbone()
  local session = session_of { ["schedule.lambda"] = "learned", ["train.mode"] = "joint" }
  local encode, calls = session.model.encode, 0
  session.model.encode = function(...)
    calls = calls + 1
    return encode(...)
  end
  local values = step(session)
  lu.assertEquals(calls, 1)
  lu.assertTrue(values.loss_levels > 0)
  lu.assertEquals(core.ops.tape_length(), 0)
end

function Steps.test_levels_stay_until_their_share_of_the_training()
  local session = session_of { ["schedule.lambda"] = { "learned", from = 0.5 } }
  for i = 1, 4 do lu.assertNil(step(session).loss_levels, i) end
  lu.assertEquals(session.model.schedule.levels, { 1, 1, 1, 1, 1, 1, 1 })
  lu.assertNotNil(step(session).loss_levels)
  lu.assertNotEquals(session.model.schedule.levels, { 1, 1, 1, 1, 1, 1, 1 })
end

function Steps.test_averages_are_evaluated_at_averaged_levels()
  local session = session_of { ["schedule.lambda"] = { "learned", lr = 0.1 } }
  local sums, n = {}, 3
  for i = 1, n do step(session, 10 * i) end
  local trained, averaged = session.model.schedule.levels, nil
  checkpoint.with_averages({ session }, function() averaged = session.model.schedule.levels end)
  lu.assertEquals(session.model.schedule.levels, trained)
  lu.assertNotEquals(averaged, trained)
  for j, level in ipairs(averaged) do -- between the start and the trained ones, apart from the budget
    sums[1], sums[2] = (sums[1] or 0) + level, (sums[2] or 0) + math.abs(level - 1) - math.abs(trained[j] - 1)
  end
  lu.assertAlmostEquals(sums[1], 7, 1e-12)
  lu.assertTrue(sums[2] < 0)
end

function Steps.test_class_weights_of_the_levels_follow_them()
  local session = session_of { ["schedule.lambda"] = { "learned", lr = 0.1 },
    ["loss.class_weight"] = "lambda" }
  local before = session.class_weights:list()
  step(session)
  local now, levels = session.class_weights:list(), session.model.schedule.levels
  lu.assertNotEquals(now, before)
  for c = 2, #now do lu.assertAlmostEquals(now[c] / now[1], levels[c] / levels[1], 1e-6) end
end

function Steps.test_the_first_stage_is_shared_with_other_policies()
  local function key(changes)
    return first_stage.key(Session.new { config = lock_step.complete(changes), seed = 0 })
  end
  lu.assertEquals(key { ["schedule.lambda"] = "learned" }, key { ["schedule.lambda"] = "isotropic" })
end

function Steps.test_a_run_without_a_denoiser_has_no_levels()
  local session = Session.new { seed = 0, config = config.complete(aniso.options.apply(
    { method = "softmax", data = { "lesions", n = 140, size = 12 } }, { ["schedule.lambda"] = "learned" })) }
  lu.assertNil(session.model.levels)
end

return { Runs = Runs, Steps = Steps }
