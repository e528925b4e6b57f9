-- The maximum mean discrepancy between two sets of rows, as a loss: mmd{…}(a, b).
-- Its kernels have the bandwidths base·multiplier; base 0 means 2K, the mean squared
-- distance between two standard normal draws in K dimensions.
local core = require "aniso.core"
local options = require "aniso.recipe.options"

local mmd = {}

mmd.options = {
  multipliers = options.list(options.number { above = 0 }, { 0.25, 0.5, 1, 2, 4 }),
  base = options.number { default = 0, min = 0 },
  unbiased = false,
}

function mmd.new(given)
  return core.mmd.new(options.check(given or {}, mmd.options, "mmd"))
end

return setmetatable(mmd, { __call = function(_, given) return mmd.new(given) end })
