-- The number of folds that come with a study's data; nil if its folds are cut, or it has none.
--   official_folds(study, overrides) → number | nil
local data = require "aniso.method.data"
local folds = require "aniso.recipe.folds"
local options = require "aniso.recipe.options"

return function(study, overrides)
  if not folds.are_official(study.folds) then return nil end
  local config = { data = options.copy(study.data) }
  for _, override in ipairs(overrides or {}) do
    if override[1]:match "^data%." then options.set(config, override[1], override[2]) end
  end
  local dataset, most = data(config.data), -1
  for _, fold in ipairs(dataset.folds or {}) do most = math.max(most, fold) end
  if most < 1 then
    error(('%s has no official folds; folds = 5 cuts five'):format(dataset.name), 0)
  end
  return most + 1
end
