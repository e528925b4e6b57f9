-- Optimisers against closed forms, their state, and argument errors of core.step.
local lu = require "luaunit"
local core = require "aniso.core"
local optim = require "aniso.method.optim"

local tensor = core.tensor

-- A module of four parameters, of which the first two decay.
local function module_of(values, gradient)
  local p, g = tensor.from(values), tensor.from(gradient)
  return {
    flat = function() return p, g end,
    decay_ranges = function()
      return { { first = 1, length = 2, decay = true }, { first = 3, length = 2, decay = false } }
    end,
  }, p, g
end

local function assert_near(got, expected, what)
  for i, value in ipairs(expected) do lu.assertAlmostEquals(got:list()[i], value, 1e-6, what) end
end

local AdamW = {}

-- With a constant gradient the corrected moments are g and g², so each step is lr·sign(g).
function AdamW.test_constant_gradient()
  local module, p = module_of({ 1, 1, 1, 1 }, { 0.5, -3, 0.5, -3 })
  local o = optim.adamw { weight_decay = 0.1, eps = 1e-12 }
  o:step(module, 0.01)
  assert_near(p, { 1 * 0.999 - 0.01, 1 * 0.999 + 0.01, 0.99, 1.01 })
  o:step(module, 0.01)
  assert_near(p, { 0.989 * 0.999 - 0.01, 1.009 * 0.999 + 0.01, 0.98, 1.02 })
  lu.assertEquals(o.state.t, 2)
  assert_near(o.state.m, { 0.5 * (1 - 0.9 ^ 2), -3 * (1 - 0.9 ^ 2) })
  assert_near(o.state.v, { 0.25 * (1 - 0.999 ^ 2), 9 * (1 - 0.999 ^ 2) })
end

-- A restored state gives the same numbers.
function AdamW.test_the_state_is_complete()
  local one, p = module_of({ 1, 2, 3, 4 }, { 1, -2, 0.3, 0.4 })
  local two, q = module_of({ 1, 2, 3, 4 }, { 1, -2, 0.3, 0.4 })
  local o, first, second = optim.adamw {}, optim.adamw {}, optim.adamw {}
  for _ = 1, 4 do o:step(one, 0.1) end
  for _ = 1, 2 do first:step(two, 0.1) end
  second.state = { t = first.state.t, m = first.state.m:clone(), v = first.state.v:clone() }
  for _ = 1, 2 do second:step(two, 0.1) end
  lu.assertEquals(q:list(), p:list())
end

function AdamW.test_minimises_a_quadratic()
  local module, p, g = module_of({ 5, -4, 3, -2 }, { 0, 0, 0, 0 })
  local o = optim.adamw { weight_decay = 0 }
  for _ = 1, 300 do
    g:copy_(p)
    o:step(module, 0.1)
  end
  for _, x in ipairs(p:list()) do lu.assertTrue(math.abs(x) < 1e-2) end
end

local SGD = {}

function SGD.test_without_momentum()
  local module, p = module_of({ 1, 2, 3, 4 }, { 1, 1, 1, 1 })
  local o = optim.sgd { momentum = 0, weight_decay = 0.5 }
  o:step(module, 0.1)
  assert_near(p, { 1 - 0.1 * 1.5, 2 - 0.1 * 2, 2.9, 3.9 })
  lu.assertNil(o.state.buf)
end

-- A constant gradient: after n steps the buffer is (1 − μ^n)/(1 − μ)·g.
function SGD.test_momentum_is_a_geometric_sum()
  local module, p = module_of({ 0, 0, 0, 0 }, { 1, 1, 1, -2 })
  local o = optim.sgd { momentum = 0.5 }
  for _ = 1, 3 do o:step(module, 1) end
  assert_near(o.state.buf, { 1.75, 1.75, 1.75, -3.5 })
  assert_near(p, { -(1 + 1.5 + 1.75), -4.25, -4.25, 8.5 })
end

function SGD.test_nesterov_looks_ahead()
  local module, p = module_of({ 0, 0, 0, 0 }, { 1, 1, 1, 1 })
  local o = optim.sgd { momentum = 0.5, nesterov = true }
  o:step(module, 1)
  assert_near(p, { -1.5, -1.5 })
  o:step(module, 1)
  assert_near(p, { -1.5 - (1 + 0.5 * 1.5) })
end

local Options = {}

function Options.test_a_mistake_names_the_option()
  lu.assertErrorMsgContains("optim.adamw.deacy", optim.adamw, { deacy = 1 })
  lu.assertErrorMsgContains("optim.sgd.momentum", optim.sgd, { momentum = 1 })
  lu.assertErrorMsgContains("optim.adamw.eps", optim.adamw, { eps = 0 })
end

function Options.test_they_print_themselves()
  lu.assertEquals(tostring(optim.adamw { weight_decay = 0.5 }),
    "AdamW: momentum 0.9, beta2 0.999, weight_decay 0.5, 0 steps done")
  lu.assertStrContains(tostring(optim.sgd { nesterov = true }), "Nesterov")
end

local Step = {}

function Step.test_norm_clip_and_average()
  local g = tensor.from { 6, -8 }
  lu.assertEquals(core.step.grad_norm(g), 10)
  lu.assertEquals(core.step.clip(g, 100), 10)
  lu.assertEquals(g:list(), { 6, -8 })
  lu.assertEquals(core.step.clip(g, 5), 10)
  lu.assertEquals(g:list(), { 3, -4 })
  local e = tensor.from { 1, 1 }
  core.step.ema(e, g, 0.75)
  lu.assertEquals(e:list(), { 1.5, -0.25 })
end

function Step.test_a_stretch_leaves_other_elements_unchanged()
  local p, g = tensor.from { 1, 1, 1, 1 }, tensor.from { 1, 1, 1, 1 }
  core.step.sgd(p, g, nil, { lr = 0.5, from = 2, length = 2 })
  lu.assertEquals(p:list(), { 1, 0.5, 0.5, 1 })
end

-- Scaling and averaging fused into a step equal separate calls.
function Step.test_a_fused_step_equals_three_calls()
  for _, make in ipairs { optim.adamw, optim.sgd } do
    local one, p = module_of({ 1, 2, 3, 4 }, { 1, -2, 0.5, 8 })
    local three, q = module_of({ 1, 2, 3, 4 }, { 0.25, -0.5, 0.125, 2 })
    local e, f = tensor.from { 0, 0, 0, 1 }, tensor.from { 0, 0, 0, 1 }
    local o, other = make { weight_decay = 0.1 }, make { weight_decay = 0.1 }
    for _ = 1, 3 do
      o:step(one, 0.1, { scale = 0.25, average = e, keep = 0.75 })
      other:step(three, 0.1)
      core.step.ema(f, q, 0.75)
    end
    lu.assertEquals(p:list(), q:list())
    lu.assertEquals(e:list(), f:list())
  end
end

function Step.test_mistakes_raise()
  local p, g = tensor.from { 1, 2 }, tensor.from { 1, 2, 3 }
  local index = tensor.from({ 1, 2 }, "int64")
  lu.assertErrorMsgContains("(3,)", core.step.ema, p, g, 0.5)
  lu.assertErrorMsgContains("float32", core.step.grad_norm, index)
  lu.assertErrorMsgContains("momentum needs a buffer", core.step.sgd, p, p, nil, { momentum = 0.5 })
  lu.assertErrorMsgContains("length = 2: expected 0 to 1", core.step.sgd, p, p, nil, { from = 2, length = 2 })
  lu.assertErrorMsgContains("from = 0: expected 1 to 3", core.step.sgd, p, p, nil, { from = 0 })
  lu.assertErrorMsgContains("counts steps", core.step.adamw, p, p, p, p, { t = 0 })
  lu.assertErrorMsgContains("decay", core.step.ema, p, p, 2)
  lu.assertErrorMsgContains("limit", core.step.clip, p, 0)
  lu.assertErrorMsgContains("keep", core.step.adamw, p, p, p, p, { keep = 2 })
  lu.assertErrorMsgContains("(3,)", core.step.adamw, p, p, p, p, { average = g })
end

return { AdamW = AdamW, SGD = SGD, Options = Options, Step = Step }
