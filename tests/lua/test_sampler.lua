-- Reverse chains with an oracle that returns the true y0, for every sampler, coupling and prediction; noise
-- that does not depend on the batches; probabilities of known label vectors.
local lu = require "luaunit"
local core = require "aniso.core"
local sampler = require "aniso.method.sampler"
local schedule = require "aniso.method.schedule"

local tensor = core.tensor
local B, K = 6, 3

local function make(coupling)
  return schedule { "linear", T = 60, counts = { 90, 9, 3 }, lambda = "bound", coupling = coupling }
end

local function labels()
  local y0 = tensor.zeros { B, K }
  for b = 1, B do y0:set(b, (b - 1) % K + 1, 1) end
  return y0
end

local function prior()
  return tensor.full({ B, K }, 1 / K)
end

-- The output of a perfect network at (y, t) under each prediction.
local function oracle(s, prediction, y0, m, level)
  return function(y, t)
    local a, sd = s:gather("signal", t, level), s:gather("noise", t, level)
    local epsilon = (y - m - a * (y0 - m)) / sd
    return s:target(prediction, y0, m, t, epsilon, level)
  end
end

local function assert_close(got, expected, tolerance)
  local value_of = expected:list()
  for i, value in ipairs(got:list()) do lu.assertAlmostEquals(value, value_of[i], tolerance) end
end

local Test = {}

function Test.test_a_perfect_oracle_returns_the_label()
  local y0, m = labels(), prior()
  for _, coupling in ipairs { "variance", "speed", "sample", "class_speed", "image" } do
    local s = make(coupling)
    local level = sampler.levels(s, m, "mixture")
    for kind in pairs(sampler.kinds) do
      for _, prediction in ipairs { "epsilon", "y0", "v" } do
        for _, steps in ipairs { 2, 7, 60 } do
          local got = sampler.run { schedule = s, m = m, level = level, kind = kind, seed = 3,
            steps = steps, prediction = prediction, eta = 0.5,
            denoise = oracle(s, prediction, y0, m, level) }
          assert_close(got, y0, 1e-4)
        end
      end
    end
  end
end

function Test.test_chains_go_from_T_to_zero()
  local s, m = make "variance", prior()
  local times = {}
  sampler.run { schedule = s, m = m, steps = 4, denoise = function(y, t)
    times[#times + 1] = t:get(B)
    return y
  end }
  lu.assertEquals(times, { 60, 45, 30, 15 })
end

function Test.test_the_start_has_the_noise_of_T()
  local s, n = make "variance", 4000
  local m = tensor.full({ n, K }, 1 / K)
  local start
  sampler.run { schedule = s, m = m, steps = 1, seed = 9, denoise = function(y)
    start = y
    return y
  end }
  for j = 1, K do
    local sum, squares = 0, 0
    for i = 1, n do
      local z = start:get(i, j) - 1 / K
      sum, squares = sum + z, squares + z * z
    end
    local sd = s:noise(s.T):get(j)
    lu.assertAlmostEquals(sum / n, 0, 5 * sd / n ^ 0.5)             -- five standard errors
    lu.assertAlmostEquals(squares / n / sd ^ 2, 1, 5 * (2 / n) ^ 0.5)
  end
end

-- A network with a fixed error, so that the result depends on the noise.
local function biased_network(y)
  return y * 0.3
end

local function slice(x, from, count)
  return x:narrow(1, from, count)
end

function Test.test_noise_belongs_to_the_row_not_to_the_batch()
  local s, m = make "speed", prior()
  for _, kind in ipairs { "ddpm", "ddim", "dpmpp" } do
    local given = { schedule = s, kind = kind, steps = 5, seed = 4, clip = 1, denoise = biased_network }
    given.m = m
    local whole = sampler.run(given)
    given.m, given.first = slice(m, 3, 4), 2 * K
    lu.assertEquals(sampler.run(given):list(), slice(whole, 3, 4):list())
    given.seed = 5
    lu.assertNotEquals(sampler.run(given):list(), slice(whole, 3, 4):list())
  end
end

function Test.test_ddpm_is_ddim_with_eta_one()
  local s, m = make "variance", prior()
  local given = { schedule = s, m = m, steps = 9, seed = 1, clip = 1, denoise = biased_network }
  given.kind = "ddpm"
  local ddpm = sampler.run(given):list()
  given.kind, given.eta = "ddim", 1
  lu.assertEquals(sampler.run(given):list(), ddpm)
  given.eta = 0
  lu.assertNotEquals(sampler.run(given):list(), ddpm)
end

function Test.test_a_sampler_is_added_in_one_place()
  sampler.kinds.nothing = { step = function(_, y) return y end }
  local ok, y = pcall(sampler.run, { schedule = make "speed", m = prior(), kind = "nothing",
    steps = 3, denoise = biased_network })
  sampler.kinds.nothing = nil
  lu.assertTrue(ok)
  lu.assertEquals(y:shape(), { B, K })
  sampler.kinds.bare = function() end
  lu.assertErrorMsgContains("sampler.kinds.bare is an entry {step = function}", sampler.step_of, "bare")
  sampler.kinds.bare = nil
  lu.assertErrorMsgContains("did you mean ddim?", sampler.run, { kind = "dim" })
end

function Test.test_probabilities_of_known_vectors()
  local y0 = tensor.from { { 1, 0, 0 }, { 0, 1, 0 }, { -1, -2, 0 }, { 3, 1, 0 } }
  local plain = sampler.probabilities(y0, "plain"):totable()
  lu.assertEquals(plain[1], { 1, 0, 0 })
  lu.assertAlmostEquals(plain[3][1], 1 / 3, 1e-6)
  lu.assertAlmostEquals(plain[4][1], 0.75, 1e-6)
  local distance = sampler.probabilities(y0, "distance", 0.5):totable()
  lu.assertAlmostEquals(distance[1][1], 1 / (1 + 2 * math.exp(-2)), 1e-6)
  lu.assertAlmostEquals(distance[4][2], 1 / (1 + math.exp(-2) + math.exp(-8)), 1e-6)

  local mean, width, agreement = sampler.probabilities(y0, "plain", 1, 2)
  lu.assertEquals(mean:totable()[1], { 0.5, 0.5, 0 })
  lu.assertAlmostEquals(width:get(1, 1), 0.95, 1e-6)
  lu.assertEquals(width:get(1, 3), 0)
  lu.assertEquals(agreement:list(), { 0.5, 1 }) -- a tie goes to the first class
end

function Test.test_probabilities_reject_nan()
  local y0 = tensor.from { { 1, 0 }, { 0 / 0, 0 } }
  lu.assertErrorMsgContains("row 2", sampler.probabilities, y0, "plain")
  lu.assertErrorMsgContains("temperature = 0", sampler.probabilities, tensor.zeros { 2, 2 },
    "distance", 0)
  lu.assertErrorMsgContains("multiple", sampler.probabilities, tensor.zeros { 3, 2 }, "plain", 1, 2)
end

return { Sampler = Test }
