-- The λ policy `manual` (METHOD §3): given levels, which may follow the name. An entry of lambda.policies.
local literal = require "aniso.recipe.literal"
local options = require "aniso.recipe.options"

local manual_levels = {}

manual_levels.policy = {
  text = 'Levels worked out elsewhere: {"manual", 0.8, 1, 1.3}.',
  options = { values = options.list("number", {},
    "K levels, finite and above 0; also written right after the name") },
  levels = function(_, o)
    return o.values
  end,
}

-- {"manual", 1, 1, 2, max = 3} → {"manual", values = {1, 1, 2}, max = 3}
function manual_levels.gather(given)
  if type(given) ~= "table" or given[1] ~= "manual" or given.values then return given end
  local out = options.copy(given)
  out.values = {}
  for i = 2, #given do out.values[i - 1], out[i] = given[i], nil end
  return out
end

-- An invalid level is reported with its class.
function manual_levels.check(given, where)
  local values = type(given) == "table" and given[1] == "manual" and given.values
  for j, level in ipairs(type(values) == "table" and values or {}) do
    if not (type(level) == "number" and level > 0 and level < math.huge) then
      error(("option %s: class %d has the level %s: a noise level must be finite and above 0")
        :format(where, j, level ~= level and "nan" or literal.describe(level)), 0)
    end
  end
end

return manual_levels
