-- Exponential moving averages of a module's weights and buffers, which evaluation uses.
-- The decay grows as min(decay, (1+t)/(10+t)), so that the first steps do not weigh for
-- ever. State is plain tensors: { values, buffers, t }.
local core = require "aniso.core"

local Average = {}
Average.__index = Average

local average = {}

function average.new(module, decay)
  local values = module:flat()
  return setmetatable({ module = module, decay = decay, t = 0,
    values = values:clone(), buffers = module:flat_buffers():clone() }, Average)
end

-- Counts a step and lets the buffers follow; → what makes an optimiser's step let the values
-- follow: average and keep.
function Average:advance()
  self.t = self.t + 1
  local keep = math.min(self.decay, (1 + self.t) / (10 + self.t))
  core.step.ema(self.buffers, self.module:flat_buffers(), keep)
  return self.values, keep
end

-- Exchanges the module's weights with the averages; twice is as if never.
function Average:swap()
  self.module:swap(self.values, self.buffers)
end

return average
