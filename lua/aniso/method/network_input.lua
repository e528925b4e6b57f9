-- How a picture, or a row of features, is prepared for the network: size, shape, and the normalisation of
-- the training part. Stored with the weights, so that new images are treated like those of the training.
local normalisation = require "aniso.method.normalisation"

local network_input = {}

local MOST = 1024 -- pixels of a side
local TOKENS, WIDTH = 16384, 65536 -- of features, as in engine/data/features.h
local FLOAT = 3.4e38
local ASPECTS = { stretch = true, crop = true, pad = true }

-- dataset: aniso.Dataset; config: the complete configuration.
-- → {height, width, channels, aspect, damaged, mean = {3}, std = {3}}; for features {kind = "features",
-- height, width = the grid of the tokens, channels = D, unordered, mean = {D}, std = {D}}
function network_input.of(dataset, config)
  if dataset.number_type then
    return { kind = "features", height = dataset.height, width = dataset.width, channels = dataset.channels,
      unordered = dataset.unordered, mean = dataset.mean, std = dataset.std }
  end
  local by = normalisation.of(config.backbone) or dataset
  return { height = dataset.height, width = dataset.width, channels = dataset.channels,
    aspect = config.data.aspect, damaged = config.data.damaged, mean = by.mean, std = by.std }
end

local function is_side(value)
  return math.type(value) == "integer" and value >= 1 and value <= MOST
end

-- Whether a list holds n numbers in [least, most].
local function are(n, list, least, most)
  if type(list) ~= "table" or #list ~= n then return false end
  for _, value in ipairs(list) do
    if type(value) ~= "number" or value ~= value or value < least or value > most then return false end
  end
  return true
end

local function is_count(value, most)
  return math.type(value) == "integer" and value >= 1 and value <= most
end

-- Features described from outside, in the form of features:batch(); nil if invalid.
local function form_of_features(of)
  local is_shape = is_count(of.height, TOKENS) and is_count(of.width, TOKENS) and is_count(of.channels, WIDTH)
    and of.height * of.width <= TOKENS and type(of.unordered) == "boolean"
  local D = of.channels
  if not (is_shape and are(D, of.mean, -FLOAT, FLOAT) and are(D, of.std, 1e-45, FLOAT)) then return nil end
  return { kind = "features", height = of.height, width = of.width, channels = of.channels, mean = of.mean,
    std = of.std }
end

-- The same for images, in the form of core.data.read_images(), or for features; nil if invalid.
function network_input.form(of)
  if type(of) == "table" and of.kind == "features" then return form_of_features(of) end
  if type(of) ~= "table" or of.channels ~= 3 then return nil end
  local is_shape = is_side(of.height) and is_side(of.width) and (of.aspect == nil or ASPECTS[of.aspect])
  local is_policy = of.damaged == nil or of.damaged == "refuse" or of.damaged == "accept"
  local are_moments = are(3, of.mean, -1e6, 1e6) and are(3, of.std, 1e-6, 1e6)
  if not (is_shape and is_policy and are_moments) then return nil end
  return { height = of.height, width = of.width, aspect = of.aspect, damaged = of.damaged, mean = of.mean,
    std = of.std }
end

return network_input
