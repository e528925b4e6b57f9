-- The option `long_tail` of every kind of data: the training part is cut to a profile
-- (engine/data/long_tail.h has the formulas and their sources).
local options = require "aniso.recipe.options"

local long_tail = {}

local function profile(more)
  more.ratio = options.number { default = 100, above = 1 } -- largest over smallest class
  more.order = options.one_of { "class", "size" }
  return more
end

long_tail.option = options.optional(options.kinds {
  exp = profile {},
  step = profile { share = options.number { default = 0.5, above = 0, below = 1 } },
})

-- The engine's form of the option; nil for nil.
function long_tail.spec(given)
  return given and { profile = given[1], ratio = given.ratio, share = given.share,
    by_size = given.order == "size" }
end

return long_tail
