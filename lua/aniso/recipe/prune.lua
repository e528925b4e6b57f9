-- The option `prune` of a study: variants that are worse than the leader on validation get no further seeds
-- (stats/pruning.lua holds the rule, train/pruning.lua carries it out).
--   prune = true, or { metric = "bacc", min_seeds = 3, level = 0.95 }
local literal = require "aniso.recipe.literal"
local options = require "aniso.recipe.options"

local prune = {}

local LEAST_PAIRS = 3 -- with fewer pairs of seeds a difference has no interval (stats/paired.lua)

local FIELDS = {
  metric = options.optional "string",
  min_seeds = options.integer { default = LEAST_PAIRS, min = 1, max = 10000 },
  level = options.number { default = 0.95, above = 0, below = 1 },
}

local EXPECTED = "option %s must be true, false or a table such as { min_seeds = 3, level = 0.95 }, got %s"

-- → {metric or nil, min_seeds, level}; nil for a study that prunes nothing
prune.option = options.custom(function(given, where)
  if given == false then return nil end
  if given == true then given = {} end
  if type(given) ~= "table" then error(EXPECTED:format(where, literal.describe(given)), 0) end
  return options.check(given, FIELDS, where)
end)

-- Raises if the option does not fit the folds of the study.
function prune.check(of)
  local folds = math.tointeger(of.folds)
  if not of.prune then return end
  if folds and folds < LEAST_PAIRS then
    error(("option prune: %d folds are too few for the test over folds; give at least %d")
      :format(folds, LEAST_PAIRS), 0)
  elseif of.folds == nil and of.prune.min_seeds < LEAST_PAIRS then
    error(("option prune.min_seeds must be at least %d without folds, got %d: fewer seeds have no interval")
      :format(LEAST_PAIRS, of.prune.min_seeds), 0)
  end
end

return prune
