-- Optimisers over a module's flat tensors. State is a plain table of a count and tensors,
-- {t =, m =, v =} or {t =, buf =}, so that it can be checkpointed as it is; `slots` names the tensors it
-- holds after a step. The arithmetic is in core.step. Weight decay follows the module: none on biases and
-- normalisations.
--   local o = optim.adamw { weight_decay = 0.05 }      o:step(module, lr)
-- A step can also scale the gradient and update an average, in the same pass over memory:
--   o:step(module, lr, { scale = 0.5, average = values, keep = 0.999 })
local core = require "aniso.core"
local options = require "aniso.recipe.options"

local number = options.number

local function zeros_like(values)
  return core.tensor.zeros { values:numel() }
end

-- Calls update(arguments) for each range of the parameters, with the range's weight decay.
local function each_range(module, arguments, weight_decay, with, update)
  if with then
    arguments.scale, arguments.average, arguments.keep = with.scale, with.average, with.keep
  end
  for _, range in ipairs(module:decay_ranges()) do
    arguments.from, arguments.length = range.first, range.length
    arguments.weight_decay = range.decay and weight_decay or 0
    update(arguments)
  end
end

-- AdamW (1711.05101). `momentum` is its β1, so that both optimisers share the option.
local AdamW = { __name = "aniso.AdamW" }
AdamW.__index = AdamW

function AdamW:step(module, lr, with)
  local values, gradient = module:flat()
  local o, s = self.options, self.state
  s.m, s.v = s.m or zeros_like(values), s.v or zeros_like(values)
  s.t = s.t + 1
  local arguments = { lr = lr, beta1 = o.momentum, beta2 = o.beta2, eps = o.eps, t = s.t }
  each_range(module, arguments, o.weight_decay, with, function(a)
    core.step.adamw(values, gradient, s.m, s.v, a)
  end)
end

function AdamW:__tostring()
  local o = self.options
  return ("AdamW: momentum %g, beta2 %g, weight_decay %g, %d steps done")
    :format(o.momentum, o.beta2, o.weight_decay, self.state.t)
end

-- SGD with momentum; weight decay is added to the gradient.
local SGD = { __name = "aniso.SGD" }
SGD.__index = SGD

function SGD:step(module, lr, with)
  local values, gradient = module:flat()
  local o, s = self.options, self.state
  local first = s.t == 0
  if o.momentum > 0 then s.buf = s.buf or zeros_like(values) end
  s.t = s.t + 1
  local arguments = { lr = lr, momentum = o.momentum, nesterov = o.nesterov, first = first }
  each_range(module, arguments, o.weight_decay, with, function(a)
    core.step.sgd(values, gradient, s.buf, a)
  end)
end

function SGD:__tostring()
  local o = self.options
  return ("SGD: momentum %g%s, weight_decay %g, %d steps done")
    :format(o.momentum, o.nesterov and " (Nesterov)" or "", o.weight_decay, self.state.t)
end

local optim = { lr_schedule = require "aniso.method.lr_schedule" }

optim.options = {
  adamw = {
    momentum = number { default = 0.9, min = 0, below = 1 },
    beta2 = number { default = 0.999, min = 0, below = 1 },
    eps = number { default = 1e-8, above = 0 },
    weight_decay = number { default = 0.01, min = 0 },
  },
  sgd = {
    momentum = number { default = 0.9, min = 0, below = 1 },
    nesterov = false,
    weight_decay = number { default = 0, min = 0 },
  },
}

function optim.adamw(given)
  local o = options.check(given or {}, optim.options.adamw, "optim.adamw")
  return setmetatable({ state = { t = 0 }, slots = { "m", "v" }, options = o }, AdamW)
end

function optim.sgd(given)
  local o = options.check(given or {}, optim.options.sgd, "optim.sgd")
  return setmetatable({ state = { t = 0 }, slots = { o.momentum > 0 and "buf" or nil }, options = o }, SGD)
end

return optim
