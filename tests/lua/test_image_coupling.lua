-- Coupling image: the levels of each image follow its prior, the same in training and in sampling.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local curves = require "aniso.prompt.explore.curves"
local objective = require "aniso.method.objective"
local sampler = require "aniso.method.sampler"
local schedule = require "aniso.method.schedule"

local COUNTS, K = { 900, 100, 10 }, 3
local PRIORS = { { 0.98, 0.01, 0.01 }, { 0.1, 0.5, 0.4 } }

local T = {}

local function make(more)
  local given = { "cosine", T = 40, counts = COUNTS, coupling = "image" }
  for key, value in pairs(more or {}) do given[key] = value end
  return schedule(given)
end

-- By the formula, in Lua.
local function by_hand(m, lambda, floor)
  local raw, sum = {}, 0
  for j = 1, K do
    raw[j] = lambda[j] * (m[j] * (1 - m[j]) + floor / COUNTS[j] ^ 0.5) ^ 0.5
    sum = sum + raw[j]
  end
  for j = 1, K do raw[j] = raw[j] * K / sum end
  return raw
end

function T.test_the_levels_are_those_of_the_formula()
  for _, more in ipairs { {}, { lambda = "bound" }, { uncertainty_floor = 0.2 } } do
    local s <close> = make(more)
    local got = sampler.levels(s, core.tensor.from(PRIORS), "mixture")
    for i, m in ipairs(PRIORS) do
      for j, level in ipairs(by_hand(m, s.levels, more.uncertainty_floor or 1)) do
        lu.assertAlmostEquals(got:get(i, j), level, 1e-6)
      end
    end
  end
end

-- The denoiser is given labels with the noise of the levels of each image's own prior.
function T.test_training_has_the_levels_of_sampling()
  local s = aniso.trainer.prepare { seed = 3, config = config.complete {
    data = { "lesions", n = 140, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40, coupling = "image", lambda = "bound" }, denoiser = { "film", dim = 8 },
    train = { batch = 28, draws = 3, prediction = "epsilon" } } }
  local images, labels = s.dataset:batch("train", s.dataset:order("train",
    { sampling = "instance", seed = 0, epoch = 1, epochs = 1 }):narrow(1, 1, 28))
  local given, model = nil, s.model
  local forward = model.denoiser.forward
  local denoiser = model.denoiser
  model.denoiser = { forward = function(_, context, y, t)
    given = { y = y, t = t }
    return forward(denoiser, context, y, t)
  end }
  model.context = function(_, features, prior)
    return denoiser:encode { features = features, crops = prior.crops, mg = prior.mg, ml = prior.ml }
  end
  core.ops.no_grad(function()
    local features, prior = model:encode(images)
    local address = { seed = 3, step = 1, progress = 1 }
    local _, epsilon = objective.diffusion_loss(s, features, prior, labels, address)
    local levels = sampler.levels(model.schedule, prior.m, "mixture")
    local y0 = core.tensor.one_hot(labels, model.K)
    for row = 1, 28 * 3 do
      local i, t = (row - 1) // 3 + 1, given.t:get(row)
      local bar = model.schedule:alpha_bar(t)
      for j = 1, model.K do
        local m = prior.m:get(i, j)
        lu.assertAlmostEquals(given.y:get(row, j), m + bar ^ 0.5 * (y0:get(i, j) - m)
          + levels:get(i, j) * (1 - bar) ^ 0.5 * epsilon:get(row, j), 1e-4)
      end
    end
  end)
end

function T.test_exploring()
  local s <close> = make { lambda = "bound" }
  local tables, levels = curves.of(s), by_hand({ 900 / 1010, 100 / 1010, 10 / 1010 }, s.levels, 1)
  for j = 1, K do
    lu.assertAlmostEquals(tables.noise[j][41] / (1 - s:alpha_bar(40)) ^ 0.5, levels[j], 1e-5)
  end
  lu.assertEquals(s:tilt().at_T, { 0, 0, 0 })
  lu.assertEquals(s:simulate { y0 = 1, n = 20 }.t:get(1), 0)
  lu.assertErrorMsgContains("depend on each image's prior", s.share, s)
end

function T.test_mistakes()
  lu.assertErrorMsgContains("uncertainty_floor belongs to the coupling image", make,
    { coupling = "variance", uncertainty_floor = 1 })
  lu.assertErrorMsgContains("schedule.uncertainty_floor must be above 0", make, { uncertainty_floor = 0 })
  lu.assertErrorMsgContains("depend on each image's prior", make, { lambda = "share" })
end

return { ImageCoupling = T }
