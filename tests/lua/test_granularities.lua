-- The MMD of DiffMIC: one term per granularity, each noised around its own prior and denoised with it.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local objective = require "aniso.method.objective"
local stage = require "aniso.train.stage"

local ADDRESS = { seed = 3, step = 1, progress = 0 }

-- A session in the stage of the denoiser, whose last layer is not zero, and what precedes it in a batch.
local function session(mmd_of)
  local s = aniso.trainer.prepare { seed = 3, config = config.complete {
    method = "diffmic", data = { "lesions", n = 140, size = 12 },
    backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40 }, denoiser = { "film", dim = 8 }, loss = { mmd_of = mmd_of },
    train = { mode = "staged", batch = 28, draws = 2 } } }
  local out = s.model.den:get "denoiser.out.weight"
  out:copy_(core.tensor.randn { shape = out:shape(), seed = 1, stream = "out" })
  stage.begin(s, 2)
  s.model:train(false)
  return s
end

-- The MMD part of a step with the given priors of the two granularities.
local function mmd(s, mg, ml, m)
  local images, labels = s.dataset:batch("train", 0, 28)
  local frozen = objective.encode_frozen(s, images)
  local known = { g = frozen.prior.mg, l = frozen.prior.ml }
  frozen.prior = { mg = known[mg], ml = known[ml], m = m and known[m] or frozen.prior.m,
    crops = frozen.prior.crops }
  return core.ops.no_grad(function()
    local _, parts = objective.step(s, nil, labels, ADDRESS, frozen)
    return parts.mmd:item()
  end)
end

local T = {}

-- Where both granularities agree with m, each term is the MMD of the fused estimate.
function T.test_each_term_is_the_fused_one_of_that_prior()
  local fused, each = session "fused", session "granularities"
  for _, prior in ipairs { "g", "l" } do
    local one = mmd(fused, prior, prior, prior)
    lu.assertTrue(one > 1e-3)
    lu.assertAlmostEquals(mmd(each, prior, prior), 2 * one, 1e-6)
  end
end

function T.test_the_terms_add_up_and_do_not_see_the_other_prior()
  local each = session()
  lu.assertEquals(each.config.loss.mmd_of, "granularities")
  local g, l = mmd(each, "g", "g"), mmd(each, "l", "l")
  lu.assertTrue(math.abs(g - l) > 1e-5)
  lu.assertAlmostEquals(mmd(each, "g", "l"), (g + l) / 2, 1e-6)
end

function T.test_the_weight_of_the_sum_is_w_m()
  local s = session()
  local images, labels = s.dataset:batch("train", 0, 28)
  local frozen = objective.encode_frozen(s, images)
  core.ops.no_grad(function()
    local total, parts = objective.step(s, nil, labels, ADDRESS, frozen)
    lu.assertAlmostEquals(total:item(), parts.denoising:item() + 0.5 * parts.mmd:item(), 1e-6)
  end)
end

-- The granularities differ in their estimates alone: the denoising error is that of the fused prior.
function T.test_the_denoising_error_is_unchanged()
  local function denoising(s)
    local images, labels = s.dataset:batch("train", 0, 28)
    local frozen = objective.encode_frozen(s, images)
    return core.ops.no_grad(function()
      local _, parts = objective.step(s, nil, labels, ADDRESS, frozen)
      return parts.denoising:item()
    end)
  end
  lu.assertEquals(denoising(session "granularities"), denoising(session "fused"))
end

return T
