-- How images are normalised, (value − mean) / deviation per channel: a property of a backbone's weights.
-- Networks trained from the start use the moments of their training part; published weights expect those of
-- ImageNet. All parts of a model use the same images: the local prior's windows are cut from them.
--   normalisation.of(backbone) → {mean = {3}, std = {3}}; nil: the moments of the training part
local options = require "aniso.recipe.options"

local normalisation = {}

local SMALLEST = 1e-4 -- deviation; values are in [0, 1], in steps of 1/255

local IMAGENET = { mean = { 0.485, 0.456, 0.406 }, std = { 0.229, 0.224, 0.225 } }

-- The option backbone.normalise; defaults to imagenet with weights and to dataset without.
normalisation.option = options.optional(options.kinds { default = "constants",
  dataset = {},
  imagenet = {},
  constants = { mean = options.list("number", { 0.5, 0.5, 0.5 }),
    deviation = options.list("number", { 0.5, 0.5, 0.5 }) } })

-- Completes the options of a recipe's backbone. Runs of versions without the option leave it absent: their
-- weights used the moments of the training part, so stored configurations do not pass through here.
function normalisation.complete(backbone)
  if backbone.weights and backbone.normalise == nil then backbone.normalise = { "imagenet" } end
end

function normalisation.of(backbone)
  local choice = backbone.normalise
  if choice == nil or choice[1] == "dataset" then return nil end
  if choice[1] == "imagenet" then return options.copy(IMAGENET) end
  return { mean = options.copy(choice.mean), std = options.copy(choice.deviation) }
end

-- What is wrong with the option's numbers, as a sentence; nil if they are valid.
function normalisation.fault(backbone)
  local choice = backbone.normalise
  if choice == nil or choice[1] ~= "constants" then return nil end
  for key, least in pairs { mean = 0, deviation = SMALLEST } do
    local list = choice[key]
    local fits = #list == 3
    for _, value in ipairs(list) do fits = fits and value >= least and value <= 1 end
    if not fits then
      return ("option backbone.normalise.%s must be 3 numbers from %g to 1, since pixels have values from 0 "
        .. "to 1"):format(key, least)
    end
  end
end

return normalisation
