-- Coupling class_speed in training, sampling and exploring: λ ≡ 1 is the isotropic process to the bit,
-- the chain is isotropic whatever λ is, and a class is noised at its own log-SNR.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local curves = require "aniso.prompt.explore.curves"
local objective = require "aniso.method.objective"
local sampler = require "aniso.method.sampler"
local schedule = require "aniso.method.schedule"

local COUNTS = { 900, 100, 10 }

local T = {}

local function session(given, prediction)
  return aniso.trainer.prepare { seed = 3, config = config.complete {
    data = { "lesions", n = 140, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = given, denoiser = { "film", dim = 8 }, train = { batch = 28, draws = 3,
      prediction = prediction } } }
end

-- The denoising loss of one batch, what the denoiser was given, and ε̂.
local function pass(s)
  local mixed = s.dataset:order("train", { sampling = "instance", seed = 0, epoch = 1, epochs = 1 })
  local images, labels = s.dataset:batch("train", mixed:narrow(1, 1, 28))
  local seen
  local forward = s.model.denoiser.forward
  s.model.denoiser = setmetatable({ forward = function(_, context, y, t)
    seen = { y = y:list(), t = t:list() }
    return forward(s.model.den_of, context, y, t)
  end }, { __index = function(_, key) return s.model.den_of[key] end })
  local loss, _, hat = core.ops.no_grad(function()
    local features, prior = s.model:encode(images)
    return objective.diffusion_loss(s, features, prior, labels, { seed = 3, step = 1, progress = 1 })
  end)
  return { loss = loss:item(), seen = seen, hat = hat:list(), labels = labels:list() }
end

local function pass_of(given, prediction)
  local s = session(given, prediction)
  s.model.den_of = s.model.denoiser
  s.model.context = function(model, features, prior)
    return model.den_of:encode { features = features, crops = prior.crops, mg = prior.mg, ml = prior.ml }
  end
  local out = pass(s)
  out.schedule = s.model.schedule
  return out
end

function T.test_levels_of_1_are_the_isotropic_process_to_the_bit()
  for _, prediction in ipairs { "y0", "epsilon", "v" } do
    local ones = pass_of({ "cosine", T = 40, coupling = "class_speed", lambda = "isotropic" }, prediction)
    local plain = pass_of({ "cosine", T = 40, coupling = "variance", lambda = "isotropic" }, prediction)
    lu.assertEquals({ ones.loss, ones.seen, ones.hat }, { plain.loss, plain.seen, plain.hat })
  end
end

-- The network is given the moved times, and a rare class is noisier than a frequent one.
function T.test_the_network_is_given_the_time_of_the_images_class()
  local levels = { 0.5, 0.8, 1, 1, 1.2, 2, 4 }
  local moved = pass_of { "cosine", T = 40, coupling = "class_speed",
    lambda = { "manual", values = levels, normalise = "none" } }
  local plain = pass_of { "cosine", T = 40, lambda = "isotropic" }
  local above, below = 0, 0
  for row, t in ipairs(plain.seen.t) do
    local level = levels[moved.labels[(row - 1) // 3 + 1] + 1]
    local now = moved.seen.t[row]
    lu.assertTrue(level == 1 and now == t or level > 1 and now >= t or level < 1 and now <= t)
    above, below = above + (now > t and 1 or 0), below + (now < t and 1 or 0)
  end
  lu.assertTrue(above > 0 and below > 0)
end

function T.test_the_chain_is_isotropic_whatever_the_levels()
  local results = {}
  for i, given in ipairs { { coupling = "class_speed", lambda = "bound" }, { lambda = "isotropic" } } do
    given[1], given.T, given.counts = "linear", 60, COUNTS
    local s = schedule(given)
    local m = core.tensor.full({ 4, 3 }, 1 / 3)
    lu.assertNil(sampler.levels(s, m, "mixture"))
    results[i] = sampler.run { schedule = s, m = m, steps = 6, kind = "ddpm", seed = 2, prediction = "v",
      denoise = function(y) return y * 0.3 end }:list()
  end
  lu.assertEquals(results[1], results[2])
end

-- ℓ' = ℓ − 2 ln λ, a² + s² = 1.
function T.test_curves_show_an_image_of_each_class()
  local s <close> = schedule { "cosine", T = 60, counts = COUNTS, lambda = "bound", coupling = "class_speed" }
  local tables = curves.of(s)
  for j = 1, 3 do
    for i = 2, 60 do
      local bar = s:alpha_bar(tables.t[i])
      local level = math.log(bar / (1 - bar)) - 2 * math.log(s.levels[j])
      lu.assertAlmostEquals(tables.snr[j][i], level, 1e-4 * (1 + math.abs(level)))
      lu.assertAlmostEquals(tables.signal[j][i] ^ 2 + tables.noise[j][i] ^ 2, 1, 1e-5)
    end
  end
  lu.assertStrContains(curves.label(s, 3), "images of class 3")
  lu.assertStrContains(tostring(s), "coupling  class_speed")
  lu.assertErrorMsgContains("coupling class_speed takes its level from a class", s.simulate, s,
    { y0 = { 1, 0, 0 } })
end

function T.test_visits_of_all_steps_are_T()
  local s <close> = schedule { "cosine", T = 30, counts = COUNTS, lambda = "bound", coupling = "class_speed" }
  local sums = { 0, 0, 0 }
  for t = 1, 30 do
    for j, visits in ipairs(s:visits(t)) do sums[j] = sums[j] + visits end
  end
  for j = 1, 3 do lu.assertAlmostEquals(sums[j], 30, 1e-9) end
  lu.assertErrorMsgContains("no image is trained at t = 0", s.visits, s, 0)
end

return { ClassSpeed = T }
