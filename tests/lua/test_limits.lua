-- Values that a run would fail with are refused before the first run starts (method/limits.lua).
local lu = require "luaunit"
local class_weight = require "aniso.method.class_weight"
local config = require "aniso.method.config"
local folds = require "aniso.recipe.folds"
local study = require "aniso.recipe.study"

local T = {}

-- The conflicts of a configuration on three classes.
local function conflicts(given)
  given.data = given.data or { "folder", root = "x", classes = { "a", "b", "c" } }
  return config.conflicts(config.complete(given))
end

local function refused(given, text)
  local found = conflicts(given)
  lu.assertEquals(#found, 1, text)
  lu.assertStrContains(found[1], text)
end

function T.test_sizes_that_the_engine_does_not_take()
  refused({ schedule = { T = 100001 } }, "option schedule.T must be at most 100000, got 100001")
  refused({ train = { epochs = 99999999999 } }, "option train.epochs must be at most 1000000")
  refused({ train = { draws = 99999999999 } }, "option train.draws must be at most 65536, got 99999999999")
  refused({ select = { draws = 65537 } }, "option select.draws must be at most 65536")
  refused({ data = { "lesions", n = 1000000000000 } }, "option data.n must be at most 10000000")
  refused({ backbone = { width = 65537 } }, "option backbone.width must be at most 65536, got 65537")
  refused({ denoiser = { dim = 100000000 } }, "option denoiser.dim must be at most 65536, got 100000000")
  for option, most in pairs { crops = 65536, crop_size = 1024, local_width = 65536, attention = 65536 } do
    refused({ prior = { [option] = most + 1 } }, ("option prior.%s must be at most %d"):format(option, most))
  end
  for _, size in ipairs { 0, 1025, 2.5, "32", { 32 }, { 32, 0 }, {} } do
    refused({ data = { "lesions", size = size } }, "option data.size must be a whole number from 1 to 1024")
  end
  lu.assertEquals(conflicts { data = { "lesions", n = 10000000, size = { 1, 1024 } },
    sampler = { draws = 65536 }, schedule = { T = 100000 } }, {})
end

function T.test_options_without_effect_are_named()
  local function unused(given, evaluation)
    given.data = { "lesions", n = 100 }
    return config.unused(config.complete(given), evaluation)
  end
  lu.assertEquals(unused { select = { steps = 50 }, schedule = { T = 20 } },
    { "option select.steps is 50, but schedule.T is 20: validation takes 20 steps" })
  lu.assertEquals(unused({ select = { steps = 50 }, schedule = { T = 20 } }, true), {})
  for _, level in ipairs { "max", "min", 7 } do
    local text = "option sampler.level is %s and has no effect: it belongs to schedule.coupling = sample, "
      .. "and the coupling is variance"
    lu.assertEquals(unused { sampler = { level = level } }, { text:format(level) })
  end
  lu.assertEquals(#unused({ sampler = { level = 7 } }, true), 1)
  lu.assertEquals(unused { sampler = { level = 7 }, schedule = { coupling = "sample" } }, {})
  lu.assertEquals(unused { schedule = { T = 4 }, sampler = { steps = 2 } }, {}) -- the defaults of today
  lu.assertEquals(unused { select = { steps = 50 }, sampler = { level = 7 }, schedule = { T = 20 },
    denoiser = "none" }, {})
end

function T.test_shapes_of_networks()
  refused({ backbone = { depth = 9 } }, "option backbone.depth is 9: a ResNet for small images has 6n+2")
  refused({ backbone = { depth = 1208 } }, "option backbone.depth is 1208")
  refused({ denoiser = { dim = 18 } }, "option denoiser.dim is 18: it must be a multiple of 4")
  refused({ denoiser = { dim = 16, heads = 3 } }, "and of denoiser.heads, 3")
  lu.assertEquals(conflicts { backbone = { depth = 1202 }, denoiser = { dim = 12, heads = 3 } }, {})
  lu.assertEquals(conflicts { backbone = "resnet18", denoiser = { "film", dim = 7 } }, {})
end

function T.test_a_number_per_class()
  refused({ schedule = { lambda = { "manual", values = { 1, 2 } } } },
    "option schedule.lambda.values has 2 numbers for 3 classes (data.classes)")
  refused({ loss = { class_weight = { "manual", values = { 1, 2 } } } }, "loss.class_weight.values has 2 num")
  refused({ sampler = { tilt = { "manual", values = { 1 } } } }, "sampler.tilt.values has 1 numbers for 3")
  local unknown = { "folder", root = "x" }
  refused({ data = unknown, schedule = { lambda = { "manual", values = { 1, 2 } } },
    sampler = { tilt = { "manual", values = { 1, 2, 3 } } } },
    "option sampler.tilt.values has 3 numbers for 2 classes (schedule.lambda.values)")
  refused({ data = { "lesions" }, schedule = { lambda = { "manual", values = { 1, 2 } } } }, "for 7 classes")
  lu.assertEquals(conflicts { data = unknown, schedule = { lambda = { "manual", values = { 1, 2 } } } }, {})
end

function T.test_losses_and_tilts()
  refused({ loss = { denoising = 0, mmd = 0 } }, "so the denoiser would never be trained: method = softmax")
  lu.assertEquals(conflicts { loss = { denoising = 0 } }, {})
  lu.assertEquals(conflicts { method = "softmax", loss = { denoising = 0, mmd = 0 } }, {})
  refused({ loss = { multipliers = {} } }, "option loss.multipliers has 0 numbers, expected 1 to 8")
  refused({ loss = { multipliers = { 1, -1 } } }, "option loss.multipliers: -1 must be above 0")
  refused({ loss = { prior = { "focal", gamma = -1 } } }, "option loss.prior.gamma must be at least 0, got")
  refused({ loss = { prior = { "ce", smoothing = 1 } } }, "smoothing must be at least 0 and below 1, got 1")
  refused({ loss = { prior = { "ldam", margin = -1 } } }, "option loss.prior.margin must be at least 0")
  refused({ loss = { prior = { "ldam", scale = 0 } } }, "option loss.prior.scale must be above 0")
  refused({ loss = { prior = { "logit_adjustment", tau = 1e300 } } },
    "option loss.prior.tau must be from -1000 to 1000")
  refused({ sampler = { tilt = { "prior", tau = -1e300 } } }, "option sampler.tilt.tau must be from -1000 to")
end

function T.test_parts_and_groups_of_the_data()
  refused({ data = { "lesions", groups = { "relative", head = 3, tail = 2 } } }, "head is 3 and tail is 2")
  refused({ data = { "lesions", val = 0.5, test = 0.5 } }, "no image is left to train on")
  lu.assertEquals(conflicts { data = { "lesions", val = 0.4, test = 0.5 } }, {})
end

-- Weights up to the largest double: their sum overflows, or float32 holds none of the smaller ones.
function T.test_class_weights_that_are_too_far_apart()
  local function weights(values)
    return class_weight.list({ "manual", values = values }, { 10, 10, 10 }, { 1, 1, 1 })
  end
  lu.assertErrorMsgContains("too far apart for float32", weights, { 1e308, 1e308, 1e308 })
  lu.assertErrorMsgContains("class 2 would weigh", weights, { 1e60, 1, 1 })
  lu.assertAlmostEquals(weights({ 1e30, 1, 1 })[1], 3, 1e-12)
end

function T.test_each_fold_and_seed_once()
  local function chosen(text)
    local out = {}
    for i, one in ipairs(folds.of(5, text)) do out[i] = one.fold end
    return out
  end
  lu.assertEquals(chosen "1,1,0..2", { 1, 0, 2 })
  for _, text in ipairs { "", ",", "5", "0..5", "2..1", "a" } do
    lu.assertErrorMsgContains("--fold takes folds from 0 to 4", chosen, text)
  end
  lu.assertEquals(study.seeds "1,1,0..2", { 1, 0, 2 })
  lu.assertEquals(study.seeds { 4, 4 }, { 4 })
  for _, given in ipairs { "0..1000000000", { "a" }, { 1.5 }, { -1 }, -1, 10001 } do
    lu.assertErrorMsgContains("seeds must be", study.seeds, given)
  end
end

return T
