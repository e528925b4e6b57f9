-- The precision of the numbers that a training step multiplies: train.precision (engine/base/precision.h).
-- Validation and evaluation multiply float32, so a trained model predicts the same wherever it is used.
--   local _ <close> = precision.of_steps(config)      until the end of the block
--   precision.note(config) → a sentence if this processor has no instructions for it, else nil
local core = require "aniso.core"

local precision = {}

local Scope = {}
function Scope:__close() core.sys.precision(self.before) end

function precision.of_steps(config)
  local before = core.sys.precision()
  core.sys.precision(config.train.precision or "float32")
  return setmetatable({ before = before }, Scope)
end

function precision.note(config)
  if config.train.precision ~= "bfloat16" or core.sys.host().bf16 ~= "emulated" then return nil end
  return "train.precision is bfloat16, for which this processor has no instructions: products are emulated, "
    .. "and take longer than with float32"
end

return precision
