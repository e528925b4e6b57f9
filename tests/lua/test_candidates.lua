-- The option denoiser.candidates: training and prediction through it, what it refuses, and the bits of a
-- denoiser without it.
local lu = require "luaunit"
local aniso = require "aniso"
local config = require "aniso.method.config"
local core = require "aniso.core"
local predict = require "aniso.method.predict"
local stage = require "aniso.train.stage"
local lr_schedule = require "aniso.method.lr_schedule"

local T = {}

local function complete(candidates, other)
  local given = {
    data = { "lesions", n = 140, size = 16 }, backbone = { "resnet", depth = 8, width = 8 },
    prior = { crops = 2 }, schedule = { T = 20, lambda = "bound" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2, candidates = candidates },
    train = { batch = 16, draws = 2, augment = {} },
  }
  for section, values in pairs(other or {}) do
    for key, value in pairs(values) do given[section][key] = value end
  end
  return config.complete(given)
end

-- The weights after three steps, and the probabilities that the test images get.
local function trained(candidates, other)
  local session = aniso.trainer.prepare { config = complete(candidates, other), seed = 3 }
  stage.begin(session, 1)
  session.lr_schedule = lr_schedule.cosine {}
  session.model:train(true)
  local at = session.dataset:order("train", { sampling = "instance", seed = 0, epoch = 1, epochs = 1 })
    :narrow(1, 1, 16)
  for _ = 1, 3 do stage.step(session, at, 100) end
  local how = { seed = 0 }
  for key, value in pairs(session.config.sampler) do how[key] = value end
  how.steps, how.draws = 4, 2
  local out = predict.predict(session.model, session.dataset, "test", how)
  return session.model.den:flat():list(), out.chain
end

function T.test_it_trains_and_predicts_the_same_at_any_number_of_threads()
  for _, prediction in ipairs { "y0", "class" } do
    local before, results = core.sys.threads(), {}
    for i, threads in ipairs { 1, 2 } do
      core.sys.threads(threads)
      local weights, probs = trained(3, { train = { prediction = prediction } })
      results[i] = { weights, probs }
    end
    core.sys.threads(before)
    lu.assertEquals(results[1], results[2])
    for _, row in ipairs(results[1][2]) do
      local sum = 0
      for _, p in ipairs(row) do sum = sum + p end
      lu.assertAlmostEquals(sum, 1, 1e-5)
    end
  end
end

function T.test_enough_candidates_change_no_bit()
  local weights, probs = trained(nil)
  local as_many, of_all = trained(7)
  lu.assertEquals(as_many, weights)
  lu.assertEquals(of_all, probs)
  lu.assertNotEquals((trained(3)), weights)
end

-- A stored configuration without the option is unchanged by it.
function T.test_the_option_is_absent_by_default()
  lu.assertNil(complete(nil).denoiser.candidates)
end

function T.test_the_denoiser_names_its_candidates()
  local d = aniso.denoiser { "cross_attention", K = 20, features = 4, dim = 8, candidates = 5 }
  lu.assertStrContains(tostring(d), "20 classes")
  lu.assertStrContains(tostring(d), "5 candidates")
end

function T.test_what_does_not_go_with_it()
  lu.assertErrorMsgContains("prior.mode = uniform", complete, 3, { prior = { mode = "uniform" } })
  lu.assertErrorMsgContains("train.prediction is y0 or class, not epsilon", complete, 3,
    { train = { prediction = "epsilon" } })
  lu.assertErrorMsgContains("denoiser.candidates", complete, 0)
end

return T
