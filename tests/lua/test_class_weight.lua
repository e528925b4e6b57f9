-- The weights of classes in the denoising loss: the loss of a step equals a weighted mean
-- computed independently, and a weight of 1 for every class changes no bit.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local objective = require "aniso.method.objective"

local ADDRESS = { seed = 3, step = 1, progress = 0 }

local function session(class_weight)
  return aniso.trainer.prepare { seed = 3, config = config.complete {
    data = { "lesions", n = 140, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40, lambda = "bound" }, denoiser = { "film", dim = 8 },
    loss = { class_weight = class_weight }, train = { batch = 28, draws = 2 } } }
end

-- The denoising loss of the session on one batch of the training part.
local function loss_of(s)
  local images, labels = s.dataset:batch("train", 0, 28)
  return core.ops.no_grad(function()
    local features, prior = s.model:encode(images)
    return objective.diffusion_loss(s, features, prior, labels, ADDRESS)
  end):item(), labels
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

function T.test_equal_weights_change_no_bit()
  local plain, ones = session "none", session { "power", gamma = 0 }
  lu.assertNil(plain.class_weights)
  lu.assertNotNil(ones.class_weights)
  lu.assertEquals((loss_of(ones)), (loss_of(plain)))
end

return T
