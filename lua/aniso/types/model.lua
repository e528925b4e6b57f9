---@meta _
-- The whole model of a run: aniso.model.

---Backbone, prior, denoiser and schedule of one run. Each stage of training has its own module, so that a
---staged run can train the first without the second.
---@class aniso.Model
---@field K integer Classes.
---@field config aniso.Config Complete.
---@field counts integer[] Training images n_j per class.
---@field groups string[] "many", "medium" or "few" per class.
---@field logit_scale number The factor on the prior's logits in m, as in its loss (LDAM's scale, else 1).
---@field schedule aniso.Schedule
---@field net aniso.Module Backbone and prior.
---@field den? aniso.Module Denoiser.
---@field backbone aniso.ResNet
---@field notes string[] Lines for the log of the run: which of the given weights are not used.
---@field prior aniso.Prior
---@field denoiser? aniso.Denoiser
---The classifier that post_hoc trains again, {module, logits = function(features, prior)}.
---@field classifier? table
---How images are normalised; nil: with the moments of the training part.
---@field normalise? { mean: number[], std: number[] }
---@field learned_prior boolean Whether the prior depends on the image.
---@field modules { name: string, module: aniso.Module }[] net, and den or head if there is one.
local Model = {}

---@param on boolean training or evaluation
function Model:train(on) end

---@param images aniso.Tensor (B,H,W,C)
---@return aniso.Tensor features (B,h,w,Cf)
---@return aniso.PriorOutput prior
function Model:encode(images) end

---@param features aniso.Tensor (B,h,w,Cf)
---@param prior aniso.PriorOutput
---@return aniso.Context
function Model:context(features, prior) end

---@return integer parameters of all modules
function Model:count() end

---Replaces the schedule with that of the current learned levels; does nothing with other policies.
function Model:follow_levels() end

---Backbone, prior, denoiser and schedule of a run in one.
---@class aniso.model
---@overload fun(config: aniso.Config, dataset: aniso.Dataset, seed: integer): aniso.Model
local model = {}

---@param config aniso.Config complete, see aniso.config.complete
---@param dataset aniso.Dataset
---@param seed integer of the initial weights
---@param sharing? aniso.Model of the same backbone, prior and seed, whose net this one shares
---@param levels? number[] those of a stored run
---@param stored? boolean the weights will come from a stored run: backbone.weights is not opened
---@return aniso.Model
function model.new(config, dataset, seed, sharing, levels, stored) end
