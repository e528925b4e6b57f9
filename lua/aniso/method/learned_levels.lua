-- The levels of the λ policy `learned` (METHOD §3): ln λ is a module of one parameter, trained with the model
-- through the reparameterised forward process. It owns the parameter, the chain rule from the gradients of
-- signal and noise, and the step that keeps the noise budget.
--   local levels = learned_levels.new(choice, coupling, start, counts)
--   levels:list()                              λ_j in force, K doubles: a function of the parameter alone
--   levels:row_weights(labels, M)              ω_c of the rows, nil if all weigh 1
--   levels:step(optimiser, lr, rows [, ema])   one step down the gradient
-- The levels are averaged like the weights, and evaluated with the averaged weights: the average is one of
-- ln λ, brought back to the budget by list().
local core = require "aniso.core"
local bound = require "aniso.method.bound"
local class_weight = require "aniso.method.class_weight"
local noise_budget = require "aniso.method.noise_budget"
local optim = require "aniso.method.optim"
local options = require "aniso.recipe.options"

local ops, tensor = core.ops, core.tensor
local number = options.number

local learned_levels = {}

local Levels = {}
Levels.__index = Levels

-- Options of the policy besides `start`. Σ y = 1, so a nearly clean coordinate of a frequent class reveals
-- the label; the loss rewards that, and only `min` prevents it.
learned_levels.options = {
  from = number { default = 0, min = 0, below = 1,
    text = "Share of the stage's steps after which the levels move" },
  lr = number { default = 0.01, above = 0,
    text = "Largest learning rate of ln λ; train.lr_schedule scales it as it scales train.lr" },
  objective = options.one_of { "balanced", "plain",
    text = "The denoising error that the levels reduce: every class weighs the same, or every image" },
  min = number { default = 0.5, min = 0,
    text = "Smallest level; a lower one gives more of the label away" },
  max = number { default = 2, above = 0, text = "Largest level" },
}

-- Raises if λ has no gradient in the coupling.
function learned_levels.check_coupling(coupling)
  if coupling == "class_speed" then
    error("option schedule.lambda is learned, but in the coupling class_speed λ moves an integer step, which "
      .. "has no gradient: use variance, speed, sample or image", 0)
  end
end

-- choice: the complete options; start: K levels; counts: training images per class. Raises for the coupling
-- class_speed, and for the objective balanced if a class has no image.
function learned_levels.new(choice, coupling, start, counts)
  learned_levels.check_coupling(coupling)
  if choice.objective == "balanced" then bound.check_counts(counts, 'objective = "balanced"') end
  local module = core.module.new {}
  module:param("theta", { #start }, { constant = 0 })
  module:seal()
  local self = { choice = choice, coupling = coupling, counts = counts, module = module }
  setmetatable(self, Levels)
  if choice.objective == "balanced" then
    self.weights = class_weight.tensor({ "power", gamma = 1 }, counts)
  end
  self:set(start)
  return self
end

-- A new optimiser for the parameter: Adam, since decay of ln λ would pull every level towards 1.
function learned_levels.optimiser()
  return optim.adamw { weight_decay = 0 }
end

-- Sets the parameter to the logarithms of K levels.
function Levels:set(levels)
  local theta = {}
  for j, level in ipairs(levels) do theta[j] = math.log(level) end
  local values = self.module:flat()
  values:copy_(tensor.from(theta))
end

function Levels:list()
  local raw, values = {}, self.module:flat()
  for j, theta in ipairs(values:list()) do raw[j] = math.exp(theta) end
  return noise_budget.apply(raw, self.choice, self.counts)
end

-- ω_c ∝ 1/n_c with mean 1 over the training images, for each of M rows per image (B·M).
function Levels:row_weights(labels, M)
  if not self.weights then return nil end
  local of_class = self.weights:reshape { self.weights:numel(), 1 }
  return ops.embedding(of_class, labels):reshape { labels:size(1) }:repeat_rows(M)
end

-- ∂L/∂ln λ of each class (K) from rows = {signal =, noise =: leaves (B·M, K) with gradients; labels =,
-- level = of the rows, as Schedule:gather() takes it}. The clamp of a² at 1e-20 is left out: a is 1e-10
-- there, and its derivative has no effect.
local chain = {}

-- s = λ_j √(1−ᾱ): ∂s/∂ln λ_j = s
function chain.variance(rows)
  return (rows.noise.grad * rows.noise):sum(1)
end

-- a = ᾱ^(λ/2), s² = 1 − a²: ∂a/∂ln λ_j = a ln a, ∂s/∂ln λ_j = −(a²/s) ln a
function chain.speed(rows)
  local a, s = rows.signal, rows.noise
  return ((a.grad * a - s.grad * a:square() / s) * a:log()):sum(1)
end

-- s = λ_c √(1−ᾱ) in every coordinate of a row whose class is c
function chain.sample(rows)
  local of_row = (rows.noise.grad * rows.noise):sum(2)
  local n, K = rows.noise:size(1), rows.noise:size(2)
  return (tensor.one_hot(rows.labels, K) * of_row:reshape { n, 1 }):sum(1)
end

-- s_i = λ_i(x) √(1−ᾱ), λ_i(x) = K λ_i u_i / Σ_k λ_k u_k: ∂s_i/∂ln λ_j = s_i (δ_ij − λ_j(x)/K)
function chain.image(rows)
  local n, K = rows.noise:size(1), rows.noise:size(2)
  local own = rows.noise.grad * rows.noise
  return (own - rows.level * own:sum(2):reshape { n, 1 } * (1 / K)):sum(1)
end

-- The same as a list.
function learned_levels.gradient(coupling, rows)
  return ops.no_grad(chain[coupling], rows):list()
end

-- A step along the budget, down the gradient that rows hold (see chain), and the average after it. ema [opt]:
-- of the parameter.
function Levels:step(optimiser, lr, rows, ema)
  local values, gradient = self.module:flat()
  local along = noise_budget.tangent(learned_levels.gradient(self.coupling, rows), self:list(), self.choice,
    self.counts)
  gradient:copy_(tensor.from(along))
  optimiser:step(self.module, lr)
  self.module:zero_grad()
  self:set(self:list())
  if not ema then return end
  local average, keep = ema:advance()
  core.step.ema(average, values, keep)
end

return learned_levels
