-- Options for data = features, which has no images, and their conflicts with the options of images.
local networks = require "aniso.method.networks"
local options = require "aniso.recipe.options"

local feature_options = {}

local function refuse(text, ...)
  error(text:format(...), 0)
end

local function kind_of(given)
  return type(given) == "table" and given[1] or given
end

-- A configuration with the defaults of data = features: no backbone, and the global prior. given: complete or
-- not; returned unchanged for other data.
function feature_options.fill(given)
  if type(given) ~= "table" or kind_of(given.data) ~= "features" then return given end
  local out = options.copy(given)
  if out.backbone == nil then out.backbone = "none" end
  if out.prior == nil then out.prior = {} end
  if type(out.prior) == "table" and out.prior.mode == nil then out.prior.mode = "global" end
  return out
end

-- Raises for options of images with data = features, and the reverse.
function feature_options.check(of)
  local backbone, is_features = of.backbone[1], kind_of(of.data) == "features"
  if not is_features and backbone == "none" then
    refuse "option backbone is none, which belongs to data = features: images need a backbone"
  elseif is_features and backbone ~= "none" then
    refuse("option backbone is %s, but data = features has no images: leave it out", backbone)
  end
  for name, value in pairs(is_features and of.train.augment or {}) do
    if value and value ~= 0 and value ~= "none" then
      refuse("option train.augment.%s is %s, but data = features has no pixels: leave it out", name,
        tostring(value))
    end
  end
  for _, key in ipairs(is_features and { "crop_size", "local_width" } or {}) do
    if of.prior[key] ~= networks.options.prior[key].default then
      refuse("option prior.%s is %s, but data = features has no pixels: its most salient tokens take the "
        .. "place of crops", key, of.prior[key])
    end
  end
end

return feature_options
