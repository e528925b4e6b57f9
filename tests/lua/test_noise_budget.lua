-- The slopes of the noise budgets against finite differences, and gradients along a budget.
local lu = require "luaunit"
local noise_budget = require "aniso.method.noise_budget"
local budget = dofile "tests/lua/budget_fixture.lua"

local COUNTS = { 400, 60, 25, 9 }
local K = #COUNTS
local own = budget.of(COUNTS)
local assert_near, counts_of, value_of, pseudo_gradient = budget.assert_near, own.counts_of, own.value_of,
  own.gradient
local KINDS = { "mean", "geometric", "prior", "max", "head" }

local Budget = {}

function Budget.test_slopes_are_those_of_finite_differences()
  local levels, step = { 0.7, 1.2, 0.9, 1.6 }, 1e-6
  for _, normalise in ipairs(KINDS) do
    local slopes = noise_budget.kinds[normalise].slopes(levels, counts_of(normalise))
    for j = 1, K do
      local up, down = { table.unpack(levels) }, { table.unpack(levels) }
      up[j], down[j] = up[j] * math.exp(step), down[j] * math.exp(-step)
      local expected = (math.log(value_of(normalise, up)) - math.log(value_of(normalise, down))) / (2 * step)
      assert_near(slopes[j], expected, 1e-8, normalise)
    end
  end
  lu.assertEquals(noise_budget.kinds.max.slopes { 1, 0.5, 1 }, { 0.5, 0, 0.5 })
end

-- A small step along the result changes the budget to second order only, and no held level.
function Budget.test_a_tangent_keeps_budget_and_limits_to_first_order()
  local levels = { 0.5, 1, 1.5, 0.9 } -- the first at min, the third at max
  for _, normalise in ipairs(KINDS) do
    for i = 1, 8 do
      local o = { normalise = normalise, min = 0.5, max = 1.5 }
      local along = noise_budget.tangent(pseudo_gradient(i), levels, o, COUNTS)
      lu.assertTrue(along[1] <= 0 and along[3] >= 0, normalise) -- the step is against it
      local moved, step = {}, 1e-5
      for j = 1, K do moved[j] = levels[j] * math.exp(-step * along[j]) end
      local change = math.log(value_of(normalise, moved)) - math.log(value_of(normalise, levels))
      assert_near(change / step, 0, 1e-4, normalise)
    end
  end
end

function Budget.test_without_a_budget_a_gradient_stays_as_it_is()
  local o = { normalise = "none", min = 0.5 }
  lu.assertEquals(noise_budget.tangent({ 1, -2, 3, 0 }, { 1, 0.5, 0.5, 2 }, o, COUNTS), { 1, -2, 0, 0 })
end

return { Budget = Budget }
