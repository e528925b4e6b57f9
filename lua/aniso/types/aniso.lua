---@meta aniso
-- The library's public modules.

---Diffusion models for long-tailed image classification. A field is loaded on first use.
---@class aniso
---@field version string Of the program.
---@field core aniso.core
---@field tensor aniso.core.tensor
---@field schedule aniso.schedule
---@field sampler aniso.sampler
---@field mmd aniso.mmd
---@field data aniso.data
---@field model aniso.model
---@field optim aniso.optim
---@field metric aniso.metric
---@field tilt aniso.tilt
---@field trainer aniso.trainer
---@field evaluate aniso.evaluate
---@field config aniso.config
---@field store aniso.store
---@field options aniso.options
---@field progress aniso.progress
---@field plot aniso.plot
---@field pretty aniso.pretty
---@field table aniso.table
local aniso = {}

---A study, which a recipe returns: data, a base configuration, what varies, and seeds.
---@param given aniso.StudyOptions
---@return aniso.Study
function aniso.study(given) end

---Every combination of option values.
---aniso.grid{ ["schedule.lambda"] = aniso.power{0, 0.25}, ["loss.mmd"] = {0, 0.5} } gives four.
---@param axes table<string, any[]> values by dotted name
---@return aniso.Variation[]
function aniso.grid(axes) end

---Named variants of a configuration, as they are.
---@param list aniso.Variation[]
---@return aniso.Variation[]
function aniso.variants(list) end

---Which parts of the method an ablation leaves out, adds one by one, or accumulates. A part is "lambda",
---"global_prior", "local_prior", "cross_attention", "mmd", "class_weight" or "tilt".
---@class aniso.AblationOptions
---@field drop? string[] The whole method without each of these parts.
---@field add? string[] None of these parts, and each of them on its own.
---@field grow? string[] None of these parts, then one more each time.
---@field full? string Label of the whole method (default "full").
---@field none? string Label of the method with none of the parts of `add` or `grow` (default "none").

---The variants of an ablation; the first is the study's base, the whole method.
---aniso.ablation{ drop = {"lambda", "mmd"} } gives three: full, no lambda, no mmd.
---@param given aniso.AblationOptions
---@return aniso.Variation[]
function aniso.ablation(given) end

---λ policies n_j^(−γ) for a grid.
---@param gammas number[]
---@return aniso.option.lambda.power[]
function aniso.power(gammas) end

---One class under several schedules: {{"cosine", s}, {"flat", t}, class = 4, what = "snr"}.
---@param given table list of {label, schedule or its options}, with the fields of aniso.SchedulePlot
function aniso.compare_schedules(given) end

---Backbones. aniso.resnet{"resnet", depth = 8, width = 32} makes one, as does aniso.resnet "resnet18".
---@param given? aniso.ResnetChoice|string
---@return aniso.ResNet
function aniso.resnet(given) end

---The forward process's prior networks. aniso.prior{mode = "both", K = 7, features = 128} makes one.
---@param given aniso.PriorOptions
---@return aniso.Prior
function aniso.prior(given) end

---The reverse process's network. aniso.denoiser{"cross_attention", K = 7, features = 128} makes one.
---@param given aniso.DenoiserChoice
---@return aniso.Denoiser
function aniso.denoiser(given) end

---A trained model for new images, from a file that `aniso export` wrote; raises if it is not one.
---@param path string
---@return aniso.Predictor
function aniso.load(path) end

return aniso
