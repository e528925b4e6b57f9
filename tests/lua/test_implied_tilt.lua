-- The implied tilt of a coupling and class weights: the closed forms of METHOD §2, and the shift that the
-- posterior of a simulated training set has.
local lu = require "luaunit"
local core = require "aniso.core"
local schedule = require "aniso.method.schedule"

local COUNTS = { 900, 90, 10 }
local LEVELS = { 0.6, 1.2, 1.5 }

local function make(coupling, more)
  local given = { "cosine", T = 100, counts = COUNTS, coupling = coupling,
    lambda = { "manual", LEVELS[1], LEVELS[2], LEVELS[3], normalise = "none" } }
  for key, value in pairs(more or {}) do given[key] = value end
  return schedule(given)
end

local T = {}

function T.test_variance_and_speed_have_none()
  for _, coupling in ipairs { "variance", "speed" } do
    local s <close> = make(coupling)
    for k = 1, 3 do
      for _, value in ipairs(s:tilt().tilt[k]) do lu.assertEquals(value, 0) end
    end
  end
end

-- sech(ℓ/2 + ln λ)/sech(ℓ/2), which the tables approach as T grows.
function T.test_class_speed_has_the_closed_form_of_the_cosine()
  local s <close> = make("class_speed", { T = 4000, offset = 0 })
  local times = { 400, 1000, 2000, 3000, 3600 }
  local r = s:tilt { times = times }
  for i, t in ipairs(times) do
    local bar = s:alpha_bar(t)
    local half = math.log(bar / (1 - bar)) / 2
    for k, level in ipairs(LEVELS) do
      local function cosh(x) return (math.exp(x) + math.exp(-x)) / 2 end
      lu.assertAlmostEquals(r.tilt[k][i], math.log(cosh(half) / cosh(half + math.log(level))), 2e-3)
    end
  end
end

-- Images are drawn by class share, moved to the step of their class and weighted: the log-odds of the classes
-- at a step exceed those of the class shares by the tilt.
function T.test_class_speed_and_weights_shift_a_simulated_training_set()
  local s <close> = make("class_speed", { T = 8, counts = { 400, 300, 300 } })
  local r = s:tilt { class_weight = "power", times = { 1, 2, 3, 4, 5, 6, 7, 8 } }
  local weights = require("aniso.method.class_weight").list({ "power", gamma = 0.5 }, s.counts)
  local each, at = 20000, {}
  for k, n in ipairs(s.counts) do
    local within, t = {}, {}
    for i = 1, each do within[i], t[i] = (i - 0.5) * 7919 % each / each, 1 + i % 8 end
    local labels = core.tensor.full({ each }, k - 1):to "int64"
    local moved = s:times_of_labels(labels, core.tensor.from(t, "int64"), core.tensor.from(within))
    at[k] = { 0, 0, 0, 0, 0, 0, 0, 0 }
    for _, step in ipairs(moved:list()) do at[k][step] = at[k][step] + n * weights[k] end
  end
  for t = 1, 8 do
    for k = 2, 3 do
      local found = math.log(at[k][t] / at[1][t]) - math.log(s.counts[k] / s.counts[1])
      lu.assertAlmostEquals(found, r.tilt[k][t] - r.tilt[1][t], 0.05)
    end
  end
end

-- ln q_k − ln q_1 of the exact posterior of `sample` at y_T, y_T drawn with the test level, in the mean.
function T.test_sample_shifts_the_exact_posterior_at_the_noisy_end()
  local s <close> = make "sample"
  local n = 20000
  local noise = core.tensor.randn { shape = { n, 3 }, seed = 2, stream = "y" }:totable()
  for _, level in ipairs { "mixture", "max", "min", 0.8 } do
    local r = s:tilt { level = level }
    local own = type(level) == "number" and level
      or ({ mixture = 0.9 * 0.6 + 0.09 * 1.2 + 0.01 * 1.5, max = 1.5, min = 0.6 })[level]
    lu.assertAlmostEquals(r.level, own, 1e-12)
    local a, sd = s:signal(100):get(1), s:noise(100):get(1)
    local function log_density(y, k)
      local sum = 0
      for j = 1, 3 do
        local width, away = LEVELS[k] * sd, y[j] * own * sd - (j == k and a or 0)
        sum = sum - math.log(width) - (away / width) ^ 2 / 2
      end
      return sum
    end
    for k = 2, 3 do
      local sum, squares = 0, 0
      for i = 1, n do
        local odds = log_density(noise[i], k) - log_density(noise[i], 1)
        sum, squares = sum + odds, squares + odds ^ 2
      end
      local error = ((squares / n - (sum / n) ^ 2) / n) ^ 0.5
      lu.assertAlmostEquals(sum / n, r.at_T[k] - r.at_T[1], 4 * error)
    end
  end
end

function T.test_levels_and_weights_of_1_have_none()
  for _, coupling in ipairs { "variance", "speed", "sample", "class_speed" } do
    local s <close> = schedule { "linear", T = 30, counts = COUNTS, coupling = coupling }
    lu.assertEquals(s:tilt().at_T, { 0, 0, 0 })
    local values = s:tilt { class_weight = { "manual", values = { 0.8, 2, 11 } } }.at_T
    local scale = 1000 / (900 * 0.8 + 90 * 2 + 10 * 11)
    for k, w in ipairs { 0.8, 2, 11 } do lu.assertAlmostEquals(values[k], math.log(w * scale), 1e-12) end
  end
end

function T.test_it_prints_itself_and_mistakes_are_named()
  local s <close> = make "sample"
  local r = s:tilt()
  lu.assertStrContains(tostring(r), "cosine, T = 100, coupling sample, λ manual, test level 0.663")
  lu.assertStrContains(tostring(r), "class 3: n 10, λ 1.5, ")
  lu.assertErrorMsgContains("t = 101 is outside 1 … T = 100", s.tilt, s, { times = { 101 } })
  lu.assertErrorMsgContains("tilt.level must be mixture", s.tilt, s, { level = "median" })
  lu.assertErrorMsgContains("did you mean power?", s.tilt, s, { class_weight = "powr" })
  local bare <close> = schedule { K = 2 }
  lu.assertErrorMsgContains("needs the training images", bare.tilt, bare, { class_weight = "power" })
end

return { ImpliedTilt = T }
