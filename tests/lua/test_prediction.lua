-- Prediction `class`: the loss, and how the output is read in training and in sampling.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local predict = require "aniso.method.predict"
local prediction = require "aniso.method.prediction"

local ops, tensor = core.ops, core.tensor
local K, ROWS = 3, 4
local LOGITS = { { 0.2, -1, 3 }, { 40, 0, -40 }, { 0, 0, 0 }, { -2, 1, 0.5 } }
local LABELS = { 2, 1, 0, 1 } -- of the second row: probability e^−40

local T = {}

local function batch()
  local function drawn(stream, low)
    return tensor.rand { shape = { ROWS, K }, seed = 1, stream = stream } + low
  end
  return { y0 = tensor.one_hot(tensor.from(LABELS, "int64"), K), m = drawn("m", 0),
    epsilon = drawn("e", -0.5), signal = drawn("a", 0.1), noise = drawn("s", 0.1) }
end

-- ln p of each row's class, by hand.
local function log_p(row)
  local most, sum = math.max(table.unpack(LOGITS[row])), 0
  for _, x in ipairs(LOGITS[row]) do sum = sum + math.exp(x - most) end
  return LOGITS[row][LABELS[row] + 1] - most - math.log(sum)
end

function T.test_the_loss_is_the_weighted_cross_entropy()
  local x, of, weights = tensor.from(LOGITS), batch(), { 1, 0.5, 2, 0.25 }
  local plain, weighted = 0, 0
  for row = 1, ROWS do
    plain, weighted = plain - log_p(row) / ROWS, weighted - weights[row] * log_p(row) / ROWS
  end
  lu.assertAlmostEquals(prediction.loss("class", x, of):item(), plain, 1e-5)
  lu.assertAlmostEquals(prediction.loss("class", x, of, tensor.from(weights)):item(), weighted, 1e-5)
end

-- (p − y0) w / rows
function T.test_its_gradient()
  local x, of, weights = tensor.from(LOGITS):param(), batch(), { 1, 0.5, 2, 0.25 }
  prediction.loss("class", x, of, tensor.from(weights)):backward()
  local p = ops.softmax(tensor.from(LOGITS))
  for row = 1, ROWS do
    for k = 1, K do
      lu.assertAlmostEquals(x.grad:get(row, k),
        weights[row] / ROWS * (p:get(row, k) - (LABELS[row] + 1 == k and 1 or 0)), 1e-6)
    end
  end
end

function T.test_the_output_is_read_as_probabilities()
  local x, of = tensor.from(LOGITS), batch()
  local p = prediction.readable("class", x)
  lu.assertEquals(prediction.read_as "class", "y0")
  local y_t = ops.noised(of.y0, of.m, of.epsilon, of.signal, of.noise)
  local got = prediction.epsilon("class", y_t, x, of)
  for row = 1, ROWS do
    for k = 1, K do
      local a, s, m = of.signal:get(row, k), of.noise:get(row, k), of.m:get(row, k)
      lu.assertAlmostEquals(got:get(row, k), (y_t:get(row, k) - m - a * (p:get(row, k) - m)) / s, 1e-4)
    end
  end
  for _, kind in ipairs { "y0", "epsilon", "v" } do
    lu.assertEquals({ prediction.read_as(kind), prediction.readable(kind, x) }, { kind, x })
  end
end

-- One step from pure noise, read plainly, is the mean of the network's probabilities over the draws.
function T.test_one_step_is_the_posterior_mean()
  local s = aniso.trainer.prepare { seed = 3, config = config.complete {
    data = { "lesions", n = 140, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 }, schedule = { "cosine", T = 40 },
    denoiser = { "film", dim = 8 }, train = { batch = 28, prediction = "class" },
    sampler = { "ddim", steps = 1, draws = 3, probabilities = "plain" } } }
  local model, outputs = s.model, {}
  local denoiser = model.denoiser
  model.denoiser = setmetatable({ forward = function(_, ...)
    local out = denoiser:forward(...)
    outputs[#outputs + 1] = out
    return out * 5 -- an untrained network's output is 0
  end }, { __index = function(_, name)
    return function(_, ...) return denoiser[name](denoiser, ...) end
  end })
  local images = s.dataset:batch("test", 0, 4)
  core.ops.no_grad(function()
    local features, prior = model:encode(images)
    local got = predict.chains(model, features, prior, s.config.sampler, 0)
    local p = ops.softmax(outputs[1] * 5)
    for i = 1, 4 do
      for k = 1, model.K do
        local sum = 0
        for r = 1, 3 do sum = sum + p:get((i - 1) * 3 + r, k) end
        lu.assertAlmostEquals(got:get(i, k), sum / 3, 1e-5)
      end
    end
  end)
end

return { Prediction = T }
