-- The stage that trains the classifier of cRT or LWS again: what moves, what stays, the loss, the sampling of
-- classes, and the same bits after a kill and with a feature cache.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local feature_cache = require "aniso.train.feature_cache"
local objective = require "aniso.method.objective"
local stage = require "aniso.train.stage"
local fixture = dofile "tests/lua/store_fixture.lua"
local plain = dofile "tests/lua/plain_fixture.lua"

local T = {}

function T.test_the_classifier_moves_and_the_features_stay()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local first = plain.weights(db, plain.run(db).uid)
  for _, kind in ipairs { "crt", "lws" } do
    local result = plain.run(db, { post_hoc = { kind, epochs = 2 } })
    local trained, heads = plain.weights(db, result.uid), 0
    for name, tensor in pairs(trained) do
      if name:find "^net%." then
        lu.assertEquals(tensor:list(), first[name]:list(), name)
      else
        heads = heads + 1
      end
    end
    lu.assertEquals(heads, kind == "crt" and 2 or 1)
    lu.assertEquals(fixture.one(db, [[SELECT count(*) FROM metric_value JOIN metric USING(metric_id) JOIN run
      USING(run_id) WHERE metric.name = 'loss' AND part = 'train' AND uid = ?1]], result.uid), 2)
    lu.assertEquals(fixture.one(db, [[SELECT group_concat(sampler, ' ') FROM (SELECT sampler FROM evaluation
      JOIN run USING(run_id) WHERE uid = ?1 AND part = 'test' ORDER BY is_primary DESC)]], result.uid),
      kind .. " prior")
    if kind == "lws" then
      local scale = trained["head.classifier.scale"]:list()
      lu.assertNotEquals(scale, { 1, 1, 1, 1, 1, 1, 1 })
    end
  end
end

-- AdamW's first step is the rate in the direction of the gradient's sign.
function T.test_its_learning_rate_is_its_own()
  for _, case in ipairs { { { "lws" }, 0.05 }, { { "lws", lr = 0.02 }, 0.02 }, { { "crt" }, 1e-3 },
    { { "crt", lr = 0.01 }, 0.01 } } do
    local session = aniso.trainer.prepare { seed = 1, config = plain.jobs_of(nil, { plain.softmax {
      post_hoc = case[1], ["train.lr_schedule"] = "constant", ["train.warmup"] = 0 } })[1].config }
    stage.begin(session, 2)
    session.model:train(true)
    lu.assertAlmostEquals(stage.step(session, core.tensor.arange(28), 10).lr, case[2], 1e-12)
  end
end

-- Whatever loss the first stage has.
function T.test_its_loss_is_cross_entropy()
  local session = aniso.trainer.prepare { seed = 1, config = plain.jobs_of(nil, { plain.softmax {
    post_hoc = "crt", ["loss.prior"] = "balanced_softmax" } })[1].config }
  stage.begin(session, 2)
  session.model:train(true)
  local batch <close> = stage.batch(session, core.tensor.arange(28))
  core.ops.no_grad(function()
    local address = { seed = 1, step = 1, progress = 0 }
    local loss = objective.step(session, nil, batch.labels, address, batch.frozen)
    local log_p, mean = session.model.classifier.logits(batch.frozen.features):log_softmax():totable(), 0
    for i, label in ipairs(batch.labels:list()) do mean = mean - log_p[i][label + 1] / 28 end
    lu.assertAlmostEquals(loss:item(), mean, 1e-5)
  end)
end

-- The labels of all steps of the classifier's stage: about as many of each class.
function T.test_the_stage_sees_every_class_as_often()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local seen, all, plainly = {}, 0, objective.step
  objective.step = function(self, images, labels, ...)
    for _, label in ipairs(self.stage == "classifier" and labels:list() or {}) do
      seen[label], all = (seen[label] or 0) + 1, all + 1
    end
    return plainly(self, images, labels, ...)
  end
  local ok, problem = pcall(plain.run, db, { post_hoc = { "lws", epochs = 10 } })
  objective.step = plainly
  assert(ok, problem)
  lu.assertEquals(all, 840)
  for label = 0, 6 do lu.assertAlmostEquals((seen[label] or 0) / all, 1 / 7, 0.05) end -- about 4 sd
end

function T.test_a_killed_stage_goes_on_to_the_same_bits()
  for _, kind in ipairs { "crt", "lws" } do
    local db <close> = plain.new_db(fixture.folder(), "a")
    local result = plain.run(db, { post_hoc = { kind, epochs = 3 }, ["train.mixup"] = 0.4 })
    local whole = plain.stored(db, result.uid)
    plain.rewind(db, result.uid, true)
    aniso.trainer.resume(db, assert(db:find(result.uid)), assert(io.open("/dev/null", "w")))
    lu.assertEquals(fixture.one(db, "SELECT resumes FROM run"), 1)
    lu.assertEquals(plain.stored(db, result.uid), whole, kind)
  end
end

-- With features from the cache or encoded anew: the same bits.
function T.test_the_feature_cache_changes_no_bit()
  local stored, limit = {}, feature_cache.max_bytes
  for i, bytes in ipairs { limit, 0 } do
    local db <close> = plain.new_db(fixture.folder(), "a")
    feature_cache.max_bytes = bytes
    local ok, result = pcall(plain.run, db, { post_hoc = { "crt", epochs = 2 },
      ["train.augment"] = { flip = false } })
    feature_cache.max_bytes = limit
    assert(ok, result)
    stored[i] = plain.stored(db, result.uid)
  end
  lu.assertEquals(stored[1], stored[2])
end

return T
