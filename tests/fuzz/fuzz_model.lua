-- Any bytes as the description in a model file, in JSON: it is checked, and a small one becomes a model.
-- Covers: lua/aniso/inference/description.lua lua/aniso/method/network_input.lua
--   lua/aniso/inference/model_file.lua
local core = require "aniso.core"
local description = require "aniso.inference.description"
local model_file = require "aniso.inference.model_file"

-- Whether making the networks takes a few milliseconds.
local function is_small(of)
  local backbone, prior, denoiser = of.config.backbone, of.config.prior, of.config.denoiser
  local sizes = { #of.classes / 4, backbone.depth / 2, backbone.width, prior.local_width or 0,
    prior.attention or 0, denoiser.dim or 0, (denoiser.blocks or 0) * 8, of.config.schedule.T / 4 }
  return math.max(table.unpack(sizes)) <= 32
end

return function(text)
  local state = core.json.decode(text)
  if state == nil then return end
  local of = description.check(state, "file")
  pcall(model_file.build, of, {}, "file") -- refuses: a model without tensors
  if is_small(of) then description.model(of) end
end
