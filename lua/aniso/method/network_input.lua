-- What a picture passes through before the network: size, shape, and the normalisation of the training.
-- Stored with the weights, so that new images have the numbers that those of the training had.
local normalisation = require "aniso.method.normalisation"

local network_input = {}

local MOST = 1024 -- pixels of a side
local ASPECTS = { stretch = true, crop = true, pad = true }

-- dataset: aniso.Dataset; config: the complete configuration.
-- → {height, width, channels, aspect, damaged, mean = {3}, std = {3}}
function network_input.of(dataset, config)
  local by = normalisation.of(config.backbone) or dataset
  return { height = dataset.height, width = dataset.width, channels = dataset.channels,
    aspect = config.data.aspect, damaged = config.data.damaged, mean = by.mean, std = by.std }
end

local function is_side(value)
  return math.type(value) == "integer" and value >= 1 and value <= MOST
end

local function are_three(list, least)
  if type(list) ~= "table" or #list ~= 3 then return false end
  for _, value in ipairs(list) do
    if type(value) ~= "number" or value ~= value or value < least or value > 1e6 then return false end
  end
  return true
end

-- The same from outside, as core.data.read_images() takes it; nil if it is not one.
function network_input.form(of)
  if type(of) ~= "table" or of.channels ~= 3 then return nil end
  local is_shape = is_side(of.height) and is_side(of.width) and (of.aspect == nil or ASPECTS[of.aspect])
  local is_policy = of.damaged == nil or of.damaged == "refuse" or of.damaged == "accept"
  if not (is_shape and is_policy and are_three(of.mean, -1e6) and are_three(of.std, 1e-6)) then return nil end
  return { height = of.height, width = of.width, aspect = of.aspect, damaged = of.damaged, mean = of.mean,
    std = of.std }
end

return network_input
