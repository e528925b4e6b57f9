-- The weights of classes in the denoising loss: the loss of a step equals a weighted mean
-- computed independently, and a weight of 1 for every class changes no bit. Weights that begin later,
-- and the weight of an image by its prior.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local class_weight = require "aniso.method.class_weight"
local config = require "aniso.method.config"
local objective = require "aniso.method.objective"

local fixture = dofile "tests/lua/store_fixture.lua"

local nowhere = assert(io.open("/dev/null", "w"))

local function session(weights, hardness)
  return aniso.trainer.prepare { seed = 3, config = config.complete {
    data = { "lesions", n = 140, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40, lambda = "bound" }, denoiser = { "film", dim = 8 },
    loss = { class_weight = weights, hardness = hardness }, train = { batch = 28, draws = 2 } } }
end

-- The denoising loss of one batch of the training part after a share of the training, its labels and the
-- prior means of its images.
local function loss_of(s, progress)
  local mixed = s.dataset:order("train", { sampling = "instance", seed = 0, epoch = 1, epochs = 1 })
  local images, labels = s.dataset:batch("train", mixed:narrow(1, 1, 28))
  local address, m = { seed = 3, step = 1, progress = progress or 0 }, nil
  local loss = core.ops.no_grad(function()
    local features, prior = s.model:encode(images)
    m = prior.m:totable()
    return objective.diffusion_loss(s, features, prior, labels, address)
  end):item()
  return loss, labels, m
end

local T = {}

-- The output of a new denoiser is 0 and the target y0 is one-hot, so the error of an image is 1/K for
-- any noise, and the loss is the mean weight divided by K.
function T.test_an_image_is_weighted_by_its_class()
  local s = session { "power", gamma = 0.5 }
  local K, sum = s.dataset.K, 0
  local weights = s.class_weights:list()
  local loss, labels = loss_of(s)
  for _, label in ipairs(labels:list()) do sum = sum + weights[label + 1] end
  lu.assertAlmostEquals(loss, sum / labels:numel() / K, 1e-6)
  lu.assertNotAlmostEquals(loss, 1 / K, 1e-3)
end

function T.test_the_mean_weight_of_a_training_image_is_1()
  local s = session { "power", gamma = 0.5 }
  local sum, n = 0, 0
  for c, weight in ipairs(s.class_weights:list()) do
    sum, n = sum + weight * s.dataset.counts[c], n + s.dataset.counts[c]
  end
  lu.assertAlmostEquals(sum / n, 1, 1e-6)
end

function T.test_deferred_weights_count_from_their_share_on()
  local s, plain = session { "power", gamma = 0.5, defer = 0.75 }, session "none"
  local now = session { "power", gamma = 0.5 }
  lu.assertEquals((loss_of(s, 0.7499)), (loss_of(plain)))
  lu.assertEquals((loss_of(s, 0.75)), (loss_of(now)))
  lu.assertNotEquals((loss_of(s, 0.75)), (loss_of(plain)))
end

function T.test_a_recipes_own_weights_can_be_deferred()
  local function root(counts)
    local out = {}
    for c, n in ipairs(counts) do out[c] = n ^ -0.5 end
    return out
  end
  local s, now = session { root, defer = 0.5 }, session { "power", gamma = 0.5 }
  lu.assertEquals((loss_of(s, 0.25)), (loss_of(session "none")))
  lu.assertEquals((loss_of(s, 0.5)), (loss_of(now)))
end

-- The mean of (1 + α(1 − m_c)) w_c over the images, by K.
function T.test_hardness_weighs_by_what_the_prior_expects()
  for _, kind in ipairs { "none", "power" } do
    local s = session(kind, 1.5)
    local loss, labels, m = loss_of(s)
    local weights, sum = s.class_weights and s.class_weights:list(), 0
    for i, label in ipairs(labels:list()) do
      sum = sum + (1 + 1.5 * (1 - m[i][label + 1])) * (weights and weights[label + 1] or 1)
    end
    lu.assertAlmostEquals(loss, sum / #m / s.dataset.K, 1e-6)
  end
end

local function list(choice, counts, levels)
  local complete = config.complete({ loss = { class_weight = choice } }).loss.class_weight
  return class_weight.list(complete, counts, levels)
end

function T.test_every_kind_has_its_ratios()
  local counts, levels = { 900, 90, 9 }, { 0.5, 1, 2 }
  for _, case in ipairs {
    { { "power", gamma = 1 }, 10, 10 }, { { "bound", p = 1, q = 1 }, 10 ^ 0.25, 10 ^ 0.25 },
    { { "bound", p = 2, q = 0.5 }, 10 ^ 0.2, 10 ^ 0.2 }, { "lambda", 2, 2 },
    { { "manual", values = { 1, 3, 1.5 } }, 3, 0.5 },
  } do
    local w = list(case[1], counts, levels)
    lu.assertAlmostEquals(w[2] / w[1], case[2], 1e-12)
    lu.assertAlmostEquals(w[3] / w[2], case[3], 1e-12)
    lu.assertAlmostEquals((w[1] * 900 + w[2] * 90 + w[3] * 9) / 999, 1, 1e-12)
  end
  lu.assertErrorMsgContains("has 1 weights for 3 classes", list, { "manual", values = { 1 } }, counts, levels)
  lu.assertErrorMsgContains("class 2 has the weight 0", list, { "manual", values = { 1, 0, 1 } }, counts,
    levels)
end

-- A run that is killed before its weights begin goes on to the same bits.
function T.test_a_resumed_run_has_the_bits_of_a_whole_one()
  local folder = fixture.folder()
  local db <close> = assert(aniso.store.open(folder .. "/runs.db"))
  local function job()
    return { db = db, seed = 1, label = "run", study = "s", stream = nowhere, config = {
      data = { "lesions", n = 140, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
      prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
      schedule = { "cosine", T = 40, lambda = "bound", coupling = "class_speed" },
      denoiser = { "film", dim = 8 }, select = { steps = 2, draws = 1 }, sampler = { steps = 2, draws = 1 },
      loss = { class_weight = { "lambda", defer = 0.5 }, hardness = 0.5 },
      train = { epochs = 2, batch = 28, draws = 2 } } }
  end
  local function results()
    return assert(db:query [[SELECT kind, sha256 FROM checkpoint UNION ALL
      SELECT name || part || step, value FROM metric_value JOIN metric USING(metric_id) ORDER BY 1, 2]])
  end
  local uid = aniso.trainer.run(job()).uid
  local whole = results()
  local last = ("%s/%s/last"):format(db:folder(), uid)
  assert(os.rename(last .. ".previous.safetensors", last .. ".safetensors"))
  assert(db:exec("UPDATE run SET status = 'crashed', ended_at = NULL"))
  aniso.trainer.resume(db, assert(db:find(uid)), nowhere)
  lu.assertEquals(results(), whole)
end

function T.test_equal_weights_change_no_bit()
  local plain, ones = session "none", session { "power", gamma = 0 }
  lu.assertNil(plain.class_weights)
  lu.assertNotNil(ones.class_weights)
  lu.assertEquals((loss_of(ones)), (loss_of(plain)))
end

return T
