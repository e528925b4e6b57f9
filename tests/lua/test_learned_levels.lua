-- The λ policy `learned`: the chain rule against finite differences of the loss through Schedule:gather(),
-- steps that keep budget and limits, a known optimum, and the errors of bad options.
local lu = require "luaunit"
local aniso = require "aniso"
local core = require "aniso.core"
local config = require "aniso.method.config"
local learned_levels = require "aniso.method.learned_levels"
local noise_budget = require "aniso.method.noise_budget"
local options = require "aniso.recipe.options"
local schedule = require "aniso.method.schedule"
local budget = dofile "tests/lua/budget_fixture.lua"

local ops, tensor = core.ops, core.tensor
local COUNTS = { 400, 60, 25, 9 }
local K = #COUNTS
local own = budget.of(COUNTS)
local assert_near, value_of, pseudo_gradient = budget.assert_near, own.value_of, own.gradient

local function choice_of(given)
  local all = { "learned" }
  for name, value in pairs(given or {}) do all[name] = value end
  return options.check({ lambda = all }, { lambda = schedule.options.lambda }, "schedule").lambda
end

local function new(given, coupling, start)
  return learned_levels.new(choice_of(given), coupling or "variance", start or { 1, 1, 1, 1 }, COUNTS)
end

-- ── the chain rule ──────────────────────────────────────────────────────────────────────
local ROWS = 24

local function normal(name)
  return tensor.randn { shape = { ROWS, K }, seed = 3, stream = name }
end

-- The error of a "denoiser" that is a fixed function of y_t, at these levels: what a training step computes.
-- as_leaves [opt]: the coefficients require gradients.
local function error_at(levels, coupling, prediction, as_leaves)
  local s <close> = schedule.new { "cosine", T = 60, counts = COUNTS, coupling = coupling,
    lambda = { "manual", values = levels, normalise = "none" } }
  local labels, times = {}, {}
  for r = 1, ROWS do labels[r], times[r] = r % K, 2 + (r * 7) % 50 end
  local rows = { labels = tensor.from(labels, "int64") }
  local t = tensor.from(times, "int64")
  local y0, m, epsilon = tensor.one_hot(rows.labels, K), normal("m"):softmax(), normal "e"
  rows.level = coupling == "sample" and s:levels_of_labels(rows.labels)
    or coupling == "image" and s:levels_of_images(m) or nil
  rows.signal, rows.noise = s:gather("signal", t, rows.level), s:gather("noise", t, rows.level)
  if as_leaves then rows.signal:param(); rows.noise:param() end
  local y_t = ops.noised(y0, m, epsilon, rows.signal, rows.noise)
  local target = ops.target(prediction, y0, m, epsilon, rows.signal, rows.noise)
  local weights = tensor.rand { shape = { ROWS }, seed = 1, stream = "w" }
  return ops.mse((y_t * 0.7):tanh(), target, weights), rows
end

local Gradient = {}

function Gradient.test_of_each_coupling_and_target_is_that_of_finite_differences()
  local at = { 0.8, 1.1, 0.9, 1.3 }
  for _, coupling in ipairs { "variance", "speed", "sample", "image" } do
    for _, prediction in ipairs { "y0", "epsilon", "v" } do
      local loss, rows = error_at(at, coupling, prediction, true)
      loss:backward()
      local got, largest = learned_levels.gradient(coupling, rows), 0
      for j = 1, K do
        local step, two = 2e-2, {}
        for i, sign in ipairs { 1, -1 } do
          local moved = { table.unpack(at) }
          moved[j] = moved[j] * math.exp(sign * step)
          two[i] = error_at(moved, coupling, prediction):item()
        end
        largest = math.max(largest, math.abs(got[j]))
        assert_near(got[j], (two[1] - two[2]) / (2 * step), 2e-4, coupling .. " " .. prediction)
      end
      lu.assertTrue(largest > 5e-3, coupling .. " " .. prediction) -- far above the tolerance
    end
  end
end

-- ── the budget ──────────────────────────────────────────────────────────────────────────
local Budget = {}

local KINDS = { "mean", "geometric", "prior", "max", "head" }

-- rows whose gradient with respect to ln λ in the coupling `variance` is the list.
local function rows_of(gradient)
  local noise = tensor.full({ 1, K }, 1):param()
  ops.sum(noise * tensor.from(gradient)):backward()
  return { noise = noise }
end

function Budget.test_and_limits_hold_after_every_step()
  for _, normalise in ipairs(KINDS) do
    local levels = new({ normalise = normalise, min = 0.6, max = 1.7 }, "variance", { 0.7, 1, 1.6, 1 })
    levels:set(noise_budget.apply({ 0.7, 1, 1.6, 1 }, levels.choice, COUNTS))
    local optimiser, first = learned_levels.optimiser(), levels:list()
    for i = 1, 60 do
      levels:step(optimiser, 0.2, rows_of(pseudo_gradient(i // 10)))
      local now = levels:list()
      assert_near(value_of(normalise, now), 1, 1e-12, normalise)
      for j = 1, K do lu.assertTrue(now[j] >= 0.6 and now[j] <= 1.7, normalise) end
    end
    lu.assertNotEquals(levels:list(), first)
  end
end

-- ── a known optimum ─────────────────────────────────────────────────────────────────────
local Optimum = {}

-- Of Σ_j c_j λ_j² with respect to ln λ_j.
local C = { 1, 2, 0.8, 1.25 }
local function quadratic(levels)
  local out = {}
  for j, level in ipairs(levels) do out[j] = 2 * C[j] * level ^ 2 end
  return out
end

local function trained(given)
  local levels, optimiser, steps = new(given), learned_levels.optimiser(), 400
  for i = 1, steps do
    levels:step(optimiser, 0.05 * (1 - i / (steps + 1)), rows_of(quadratic(levels:list())))
  end
  return levels:list()
end

-- The linear denoiser x = y_t of the target y0 has the expected error Σ_j [(1−a)² E(y0_j − m_j)² + λ_j² s²]
-- in `variance`. With weights, Σ c_j λ_j² is minimised under Σ λ_j = K: λ_j ∝ 1/c_j.
function Optimum.test_of_a_quadratic_error_under_the_mean_is_found()
  local sum = 0
  for _, one in ipairs(C) do sum = sum + 1 / one end
  local free = trained { min = 0.1, max = 4 }
  for j = 1, K do assert_near(free[j], K / C[j] / sum, 2e-3, "level " .. j) end
  -- With the second level at its limit the other three share the rest: λ_j ∝ 1/c_j, Σ = K − 0.8.
  local rest, limited = sum - 1 / C[2], trained { min = 0.8, max = 4 }
  assert_near(limited[2], 0.8, 1e-9)
  for _, j in ipairs { 1, 3, 4 } do
    assert_near(limited[j], (K - 0.8) / C[j] / rest, 2e-3, "limited " .. j)
  end
end

-- Under the geometric mean Σ ln λ_j is fixed: c_j λ_j² are equal.
function Optimum.test_of_a_quadratic_error_under_the_geometric_mean_is_found()
  local got, scale = trained { normalise = "geometric", min = 0.1, max = 4 }, (1 * 2 * 0.8 * 1.25) ^ (1 / 8)
  for j = 1, K do assert_near(got[j], scale / math.sqrt(C[j]), 2e-3, "level " .. j) end
end

-- ── parameter, weights, averages ────────────────────────────────────────────────────────
local Parameter = {}

function Parameter.test_levels_are_a_function_of_the_parameter()
  local levels = new({ start = { "power", gamma = 0.5 } }, "variance", { 0.6, 0.9, 1.1, 1.4 })
  local other = new()
  other.module:load(levels.module:state())
  lu.assertEquals(other:list(), levels:list())
end

function Parameter.test_row_weights_make_every_class_count_the_same()
  local labels = {}
  for c, n in ipairs(COUNTS) do for _ = 1, n do labels[#labels + 1] = c - 1 end end
  local weights = new():row_weights(tensor.from(labels, "int64"), 2):list()
  local of_class, sum = {}, 0
  for i, weight in ipairs(weights) do
    local c = labels[(i + 1) // 2]
    of_class[c], sum = (of_class[c] or 0) + weight, sum + weight
  end
  for c = 0, K - 1 do assert_near(of_class[c], sum / K, 1e-3 * sum) end
  assert_near(sum, #weights, 1e-3 * sum)
  lu.assertNil(new { objective = "plain" }:row_weights(tensor.from({ 0 }, "int64"), 2))
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
local Options = {}

local function assert_refused(message, given, more)
  local changes = { ["schedule.lambda"] = given }
  for name, value in pairs(more or {}) do changes[name] = value end
  local ok, why = pcall(function()
    return config.complete(aniso.options.apply({ data = "lesions" }, changes))
  end)
  lu.assertFalse(ok, message)
  lu.assertStrContains(tostring(why), message)
  lu.assertNil(tostring(why):find "\n")
end

function Options.test_bad_values_are_one_clear_line()
  assert_refused("option schedule.lambda.from must be below 1, got 1", { "learned", from = 1 })
  assert_refused("option schedule.lambda.lr must be above 0, got 0", { "learned", lr = 0 })
  assert_refused("option schedule.lambda.objective must be one of balanced, plain",
    { "learned", objective = "even" })
  assert_refused("option schedule.lambda.start must be a known kind (did you mean power?)",
    { "learned", start = "powr" })
  assert_refused("option schedule.lambda.start: the levels of learned are known after a training only",
    { "learned", start = "learned" })
  assert_refused("option schedule.lambda.share_of: the levels of learned are known after a training only",
    { "isotropic", share_of = "learned" })
  assert_refused("option schedule.lambda.start: name one of the program's policies",
    { "learned", start = function() return { 1, 2 } end })
  assert_refused("in the coupling class_speed λ moves an integer step, which has no gradient", "learned",
    { ["schedule.coupling"] = "class_speed" })
end

function Options.test_a_schedule_has_the_levels_of_the_start()
  local s = aniso.schedule { "cosine", counts = COUNTS,
    lambda = { "learned", start = { "power", gamma = 0.5 }, min = 0.7 } }
  local power = aniso.schedule { "cosine", counts = COUNTS,
    lambda = { "power", gamma = 0.5, min = 0.7, max = 2 } }
  for j = 1, K do assert_near(s.levels[j], power.levels[j], 1e-12) end
  lu.assertStrContains(tostring(s), "learned (from 0, lr 0.01, start power (gamma 0.5)), mean normalised to "
    .. "1, clipped to [0.7, 2]; the levels before the training")
  lu.assertErrorMsgContains("class_speed λ moves an integer step", aniso.schedule,
    { "cosine", counts = COUNTS, lambda = "learned", coupling = "class_speed" })
  lu.assertErrorMsgContains("expected 0 <= min <= max", aniso.schedule,
    { "cosine", counts = COUNTS, lambda = { "learned", min = 3 } })
end

-- The levels of a stored run take the place of those at the start, also where other images are counted.
function Options.test_a_schedule_takes_the_levels_of_a_run()
  local stored = { 0.9, 1.1, 0.8, 1.2 }
  local given = { "cosine", lambda = "learned", counts = COUNTS }
  local s = schedule.new(given, nil, stored)
  lu.assertEquals(s.levels, stored)
  lu.assertNil(tostring(s):find "before the training")
  lu.assertEquals(schedule.new({ "cosine", counts = COUNTS, lambda = "isotropic" }, nil, stored).levels,
    { 1, 1, 1, 1 })
end

function Options.test_a_class_without_images_is_named()
  lu.assertErrorMsgContains('objective = "balanced" needs at least one image of each class',
    learned_levels.new, choice_of(), "variance", { 1, 1 }, { 3, 0 })
  lu.assertNotNil(learned_levels.new(choice_of { objective = "plain" }, "variance", { 1, 1 }, { 3, 0 }))
end

-- A loss that is not finite makes no step, and the denoiser is trained further.
function Parameter.test_a_loss_that_is_not_finite()
  local levels, objective = require "aniso.train.levels", require "aniso.method.objective"
  local before, frozen = objective.levels_loss, nil
  local session = { stage = "denoiser", model = { levels = { choice = { from = 0 } },
    den = { freeze = function(_, on) frozen = on end } } }
  for _, value in ipairs { 0 / 0, math.huge, -math.huge } do
    objective.levels_loss = function() return { item = function() return value end } end
    local got = levels.step(session, {}, {}, { progress = 1 }, 1)
    lu.assertEquals({ got == value or got ~= got, frozen }, { true, false })
  end
  objective.levels_loss = before
end

return { Gradient = Gradient, Budget = Budget, Optimum = Optimum, Parameter = Parameter, Options = Options }
