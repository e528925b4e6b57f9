---@meta aniso.core
-- The engine: one field per part.

---The engine's Lua interface, which does not check options; aniso.* is built on it.
---@class aniso.core
---@field sys aniso.core.sys
---@field term aniso.core.term
---@field tensor aniso.core.tensor
---@field ops aniso.core.ops
---@field rng aniso.core.rng
---@field bootstrap aniso.core.bootstrap
---@field tilted aniso.core.tilted
---@field risk aniso.core.risk
---@field ranked aniso.core.ranked
---@field data aniso.core.data
---@field csv aniso.core.csv
---@field schedule aniso.core.schedule
---@field module aniso.core.module
---@field resnet aniso.core.resnet
---@field prior aniso.core.prior
---@field denoiser aniso.core.denoiser
---@field json aniso.core.json
---@field sha256 aniso.core.sha256
---@field db aniso.core.db
---@field safetensors aniso.core.safetensors
---@field checkpoint aniso.core.checkpoint
---@field step aniso.core.step
---@field mmd aniso.core.mmd
---@field embedded aniso.core.embedded
local core = {}

return core
