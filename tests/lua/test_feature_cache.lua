-- Runs in lock-step share more than the batch: the frozen net's output where it is the same in every epoch,
-- and the metrics of the prior.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local metric = require "aniso.stats.metric"
local objective = require "aniso.method.objective"
local feature_cache = require "aniso.train.feature_cache"
local stage = require "aniso.train.stage"
local fixture = dofile "tests/lua/store_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"

local points, jobs_of = lock_step.points, lock_step.jobs_of
local new_db, stored = lock_step.new_db, lock_step.stored

local T = {}

-- Calls f; returns its result and the number of calls of of[name].
local function counting(of, name, f)
  local plain, calls = of[name], 0
  of[name] = function(...)
    calls = calls + 1
    return plain(...)
  end
  local ok, result = pcall(f)
  of[name] = plain
  return assert(ok and result, result), calls
end

-- The options of the points, without augmentation: the frozen net's output does not change.
local function without_augmentation(changes)
  local out = { ["train.augment"] = { flip = false } }
  for name, value in pairs(changes) do out[name] = value end
  return out
end

function T.test_images_are_encoded_once_with_the_bits_of_single_runs()
  local a <close> = new_db(fixture.folder(), "a")
  local b <close> = new_db(fixture.folder(), "b")
  local changes = { without_augmentation(points[1]), without_augmentation(points[4]) }
  local outcomes, encoded = counting(objective, "encode_frozen", function()
    return aniso.trainer.run_together(jobs_of(a, changes))
  end)
  lu.assertEquals(encoded, 3) -- 84 images by 28
  for i, job in ipairs(jobs_of(b, changes)) do
    lu.assertEquals(stored(a, outcomes[i].uid), stored(b, aniso.trainer.run(job).uid), job.label)
  end
end

local function in_second_stage(changes)
  local session = aniso.trainer.prepare { config = lock_step.complete(changes), seed = 0 }
  stage.begin(session, 2)
  session.model:train(true)
  return session
end

function T.test_cached_rows_equal_encoded_rows()
  for _, mode in ipairs { "both", "global", "uniform" } do
    local session = in_second_stage(without_augmentation { ["prior.mode"] = mode, ["train.batch"] = 8 })
    local positions = core.tensor.from({ 5, 83, 0, 5, 40, 41, 2 }, "int64")
    local batch = stage.batch(session, positions)
    local cached = stage.batch(session, positions, assert(feature_cache.new(session)))
    lu.assertEquals(cached.labels:list(), batch.labels:list())
    local pairs_of = { { cached.frozen.features, batch.frozen.features } }
    for _, name in ipairs { "m", "mg", "ml", "crops" } do
      lu.assertEquals(cached.frozen.prior[name] == nil, batch.frozen.prior[name] == nil, name)
      if cached.frozen.prior[name] then
        pairs_of[#pairs_of + 1] = { cached.frozen.prior[name], batch.frozen.prior[name] }
      end
    end
    for _, pair in ipairs(pairs_of) do
      lu.assertEquals(pair[1]:shape(), pair[2]:shape())
      local x, y = pair[1]:list(), pair[2]:list()
      for i = 1, #x do lu.assertAlmostEquals(x[i], y[i], 1e-5) end
    end
  end
end

function T.test_a_cache_requires_constant_output_and_enough_memory()
  lu.assertNotNil(feature_cache.new(in_second_stage(without_augmentation {})))
  lu.assertNil(feature_cache.new(in_second_stage {}))
  lu.assertNil(feature_cache.new(in_second_stage(without_augmentation { ["train.epochs"] = 1 })))
  local most = feature_cache.max_bytes
  feature_cache.max_bytes = 1000
  local kept = feature_cache.new(in_second_stage(without_augmentation {}))
  feature_cache.max_bytes = most
  lu.assertNil(kept)
end

function T.test_the_shared_prior_is_evaluated_once()
  local db <close> = new_db(fixture.folder(), "a")
  local _, intervals = counting(metric, "interval", function()
    return aniso.trainer.run_together(jobs_of(db, { points[1], points[2] }))
  end)
  lu.assertEquals(intervals, 3)
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM evaluation WHERE sampler = 'prior'"), 4)
end

return T
