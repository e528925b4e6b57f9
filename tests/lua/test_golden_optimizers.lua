-- Optimisers against PyTorch's: the weights after each step on given gradients.

local core = require "aniso.core"
local golden = dofile "tests/lua/golden.lua"

local function zeros(x) return core.tensor.zeros { x:numel() } end

-- rule → function(case, weights) that returns step(gradient, number)
local rules = {}

function rules.adamw(case, p)
  local m, v = zeros(p), zeros(p)
  return function(gradient, t)
    core.step.adamw(p, gradient, m, v, { lr = case.lr, beta1 = case.beta1, beta2 = case.beta2,
      eps = case.eps, weight_decay = case.decay, t = t })
  end
end

function rules.sgd(case, p)
  local buffer = case.momentum > 0 and zeros(p) or nil
  return function(gradient, t)
    core.step.sgd(p, gradient, buffer, { lr = case.lr, momentum = case.momentum,
      weight_decay = case.decay, nesterov = case.nesterov, first = t == 1 })
  end
end

-- A copy of row `step` of a matrix.
local function row(matrix, step)
  return matrix:narrow(1, step, 1):reshape { -1 }
end

local function check(case)
  local p = case.tensor "start":clone()
  local step = rules[case.rule](case, p)
  for t = 1, case.steps do
    step(row(case.tensor "gradients", t), t)
    golden.assert_near("weights after step " .. t, p, row(case.tensor "weights", t), 1e-5)
  end
end

return { test_optimizers = golden.tests("optimizers", check) }
