-- lesions: synthetic skin lesions, drawn from their seed by the engine.
local fields = require "aniso.method.data.fields"
local options = require "aniso.recipe.options"

local lesions = { kind = "lesions",
  options = fields.any { n = options.integer { default = 1400, min = 70 } } }

function lesions.open(given)
  return { source = "lesions", name = "lesions (synthetic)", n = given.n, test = 0.3 }
end

return lesions
