---@meta _
-- Constructors of networks: the engine's, which build in a module, and the options of the public ones.

---Modules.
---@class aniso.core.module
local module = {}

---@param how? { seed: integer? } of the initial weights, 0 if left out
---@return aniso.Module
function module.new(how) end

---@class aniso.core.resnet
local resnet = {}

---@param into aniso.Module not sealed
---@param prefix string prefix of the parameters' names
---@param values table kind, depth, width, channels
---@return aniso.ResNet
function resnet.new(into, prefix, values) end

---@class aniso.core.prior
local prior = {}

---@param into aniso.Module not sealed
---@param prefix string prefix of the parameters' names
---@param values table the options of a recipe's `prior`, with classes, features, channels, counts
---@return aniso.Prior
function prior.new(into, prefix, values) end

---@class aniso.core.denoiser
local denoiser = {}

---@param into aniso.Module not sealed
---@param prefix string prefix of the parameters' names
---@param values table kind, classes, features, crop_features, dim, steps, blocks, heads, mlp_ratio,
---candidates, logits
---@return aniso.Denoiser
function denoiser.new(into, prefix, values) end

---@class aniso.core.mmd
local mmd = {}

---@param values aniso.MmdOptions complete
---@return aniso.MMD
function mmd.new(values) end

---Where a network made at the prompt keeps its parameters: in its own module, sealed immediately, or in the
---given one.
---@class aniso.Place
---@field module? any A module to build in, not sealed.
---@field prefix? string Prefix of the parameters' names.
---@field seed? integer Seed of the initial weights if the network has its own module (default 0).

---@class aniso.ResnetOptions : aniso.option.backbone.resnet, aniso.Place
---@field channels? integer C of the images (default 3, at least 1).

---@class aniso.Resnet18Options : aniso.option.backbone.resnet18, aniso.Place
---@field channels? integer C of the images (default 3, at least 1).

---@class aniso.Resnet34Options : aniso.option.backbone.resnet34, aniso.Place
---@field channels? integer C of the images (default 3, at least 1).

---@class aniso.Resnet50Options : aniso.option.backbone.resnet50, aniso.Place
---@field channels? integer C of the images (default 3, at least 1).

---@alias aniso.ResnetChoice
---| aniso.ResnetOptions
---| aniso.Resnet18Options
---| aniso.Resnet34Options
---| aniso.Resnet50Options

---@class aniso.PriorOptions : aniso.option.prior, aniso.Place
---@field K integer Classes (at least 2).
---@field features? number Cf of the backbone; constant priors need none.
---@field channels? integer C of the images (default 3, at least 1).
---@field counts? table Training images per class, for the mode "frequency".

---Options of a denoiser at the prompt, in addition to those of its kind.
---@class aniso.DenoiserPlace : aniso.Place
---@field K integer Classes (at least 2).
---@field T? integer Diffusion steps (default 1000, at least 1).
---@field features integer Cf of the backbone (at least 1).
---@field crop_features? integer D_l of the prior (default 0, at least 0).
---@field logits? boolean The output is logits of the classes, for candidates (false if left out).

---@class aniso.CrossAttentionOptions : aniso.option.denoiser.cross_attention, aniso.DenoiserPlace

---@class aniso.FilmOptions : aniso.option.denoiser.film, aniso.DenoiserPlace

---@alias aniso.DenoiserChoice
---| aniso.CrossAttentionOptions
---| aniso.FilmOptions

---@class aniso.MmdOptions
---@field multipliers? number[] Of the bandwidth, 1 to 8 numbers above 0 (default {0.25, 0.5, 1, 2, 4}).
---@field base? number The bandwidth; 0 means 2K, E‖a−b‖² of normal draws (default 0, at least 0).
---@field unbiased? boolean Leave out the pairs of a row with itself (default false).

---The maximum mean discrepancy loss. aniso.mmd{}(a, b) is a scalar.
---@class aniso.mmd
---@field options table Its rules.
---@overload fun(given?: aniso.MmdOptions): aniso.MMD
local mmd_face = {}

---@param given? aniso.MmdOptions
---@return aniso.MMD
function mmd_face.new(given) end
