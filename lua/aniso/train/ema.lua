-- Exponential moving averages of a module's weights and buffers, which evaluation uses. The decay
-- grows as min(decay, (1+t)/(10+t)), so that the first steps do not dominate the average. The state
-- is plain tensors: { values, buffers, t }.
local core = require "aniso.core"

local Ema = {}
Ema.__index = Ema

local ema = {}

function ema.new(module, decay)
  local values = module:flat()
  return setmetatable({ module = module, decay = decay, t = 0,
    values = values:clone(), buffers = module:flat_buffers():clone() }, Ema)
end

-- Counts a step and updates the averaged buffers; ranges [opt]: only these, a list of {average, own}. → what
-- an optimiser's step requires to update the averaged values in the same pass: average, keep.
function Ema:advance(ranges)
  self.t = self.t + 1
  local keep = math.min(self.decay, (1 + self.t) / (10 + self.t))
  for _, range in ipairs(ranges or { { self.buffers, self.module:flat_buffers() } }) do
    core.step.ema(range[1], range[2], keep)
  end
  return self.values, keep
end

-- Exchanges the module's weights with the averages; applying it twice restores the original.
function Ema:swap()
  self.module:swap(self.values, self.buffers)
end

return ema
