-- The networks: their options, and how they are built in a module. A recipe's tables go through
-- networks.options and networks.build_*; at the prompt aniso.resnet{…}, aniso.prior{…} and
-- aniso.denoiser{…} also make and seal a module of their own (field `module`), unless
-- `module` names one to build in; `prefix` begins the names of the parameters.
local backbone_weights = require "aniso.method.backbone_weights"
local core = require "aniso.core"
local normalisation = require "aniso.method.normalisation"
local options = require "aniso.recipe.options"

local integer, number, one_of, optional = options.integer, options.number, options.one_of,
  options.optional

local networks = {}

local function count(default) return integer { default = default, min = 1 } end

-- The fields of `a` and `b` in one table.
local function with(a, b)
  local out = {}
  for k, v in pairs(a) do out[k] = v end
  for k, v in pairs(b) do out[k] = v end
  return out
end

-- The entries of `o` that `fields` names.
local function only(o, fields)
  local out = {}
  for k in pairs(fields) do out[k] = o[k] end
  return out
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
local weights = { -- a safetensors file with torchvision's names (backbone_weights.lua)
  weights = optional "string",
  weights_prefix = optional "string", -- prefix of the file's names, such as "module."
  weights_extra = optional "boolean", -- tensors that are not the backbone's are skipped
  normalise = normalisation.option,   -- of a recipe's images
}

local backbones = {
  resnet = with({ depth = integer { default = 8, min = 8 }, width = count(32),
    stem_stride = optional(integer { min = 1, max = 2, text = "Of the 3×3 stem, 1 if left out; at 2 an "
      .. "image of 64×64 costs as much as one of 32×32 at 1" }) }, weights),
}
-- The ones for larger images have torchvision's numbers of blocks.
for _, name in ipairs { "resnet18", "resnet34", "resnet50" } do
  backbones[name] = with({ width = count(64) }, weights)
end

-- For recipes only: data = features has no images, and its rows replace the output of a backbone.
local recipe_backbones = with(backbones, { none = {} })

local prior = {
  mode = one_of { "both", "global", "local", "uniform", "frequency", "zero" },
  top_percent = number { default = 20, above = 0, max = 100 }, -- of the map behind a logit
  crops = count(4),
  crop_size = integer { default = 0, min = 0 },          -- pixels; 0: a third of the side
  local_width = count(16),                               -- of the crops' network
  attention = count(32),                                 -- hidden units of the gated pooling
  weight = number { default = 0.5, min = 0, max = 1 },   -- w of the global prior
  gradient = false,                                      -- m is a constant
  cosine = optional "boolean",                           -- logits are cosines (LDAM); absent: false
}

local denoisers = {
  cross_attention = {
    dim = integer { default = 128, min = 4 },            -- D
    blocks = integer { default = 2, min = 1, max = 16 },
    heads = count(4),
    mlp_ratio = number { default = 2, above = 0, max = 64 },
    candidates = optional(integer { min = 1, text = "Classes with a token of their own, the "
      .. "prior's first; all others share one. Absent: every class has its own" }),
  },
  film = { dim = count(128) },
}

-- For recipes only: without a denoiser the prior's predictions are the run's (METHOD §8).
local recipe_denoisers = with(denoisers, { none = {} })

-- options.kinds over the entries of `list`, each with the extra fields.
local function kinds(list, default, extra)
  local out = { default = default }
  for name, fields in pairs(list) do out[name] = with(fields, extra or {}) end
  return options.kinds(out)
end

networks.options = {
  backbone = kinds(recipe_backbones, "resnet"),
  prior = prior,
  denoiser = kinds(recipe_denoisers, "cross_attention"),
}

-- ── building from complete options ──────────────────────────────────────────────────────
-- → ResNet: net.features is Cf, net:forward(images (B,H,W,C)), net:load(tensors); lines for the log.
function networks.build_resnet(module, prefix, o, channels)
  local net = core.resnet.new(module, prefix,
    { kind = o[1], depth = o.depth, stem_stride = o.stem_stride, width = o.width, channels = channels })
  return net, o.weights and backbone_weights.load(net, prefix, o) or {}
end

-- Replaces an absent backbone: its output is its input.
local Identity = { load = function() end }
Identity.__index = Identity
function Identity.forward(_, features) return features end

-- The same, or for the kind "none" a network without parameters. own: the weights come from a stored run, so
-- the weights file from which the run began is not opened.
function networks.build_backbone(module, prefix, o, channels, own)
  if o[1] == "none" then return setmetatable({ features = channels }, Identity), {} end
  if own and o.weights then
    o = options.copy(o)
    o.weights = nil
  end
  return networks.build_resnet(module, prefix, o, channels)
end

-- shape: {K =, features =, channels =, counts =, logit_scale =, tokens =} → Prior: its crop_features is D_l.
function networks.build_prior(module, prefix, o, shape)
  return core.prior.new(module, prefix, with(only(o, prior), { classes = shape.K, features = shape.features,
    channels = shape.channels, counts = shape.counts, logit_scale = shape.logit_scale,
    tokens = shape.tokens }))
end

-- shape: {K =, T =, features =, crop_features =, unordered =, logits =} → Denoiser. logits: its output is
-- read as logits of the classes (the prediction "class").
function networks.build_denoiser(module, prefix, o, shape)
  return core.denoiser.new(module, prefix, with(only(o, denoisers[o[1]]), { kind = o[1], classes = shape.K,
    steps = shape.T, features = shape.features, crop_features = shape.crop_features,
    unordered = shape.unordered, logits = shape.logits }))
end

-- Rejects candidates with a prior that ranks no classes, or with an output that the other classes cannot
-- share (METHOD §5). Raises with the option's name.
function networks.check_candidates(of)
  local mode, predicted = of.prior.mode, of.train.prediction
  if not of.denoiser.candidates then return end
  if mode == "uniform" or mode == "frequency" or mode == "zero" then
    error(("option denoiser.candidates is %d: they are the classes that the prior ranks highest, and "
      .. "prior.mode = %s ranks them alike for every image"):format(of.denoiser.candidates, mode), 0)
  elseif predicted ~= "y0" and predicted ~= "class" then
    error(("option denoiser.candidates is %d: the other classes share one estimate of y0, so "
      .. "train.prediction is y0 or class, not %s"):format(of.denoiser.candidates, predicted), 0)
  end
end

-- ── at the prompt ───────────────────────────────────────────────────────────────────────
local place = { module = options.any, prefix = optional "string",
  seed = integer { default = 0 } }

local function build(o, prefix, make)
  local module = o.module or core.module.new { seed = o.seed }
  local net = make(module, o.prefix or prefix)
  if not o.module then module:seal() end
  return net
end

networks.faces = {}
networks.faces.resnet = kinds(backbones, "resnet", with(place, { channels = count(3) }))
networks.faces.prior = with(with(prior, place), { K = integer { min = 2 },
  features = optional "number", channels = count(3), counts = optional "table" })
networks.faces.denoiser = kinds(denoisers, "cross_attention", with(place, { K = integer { min = 2 },
  T = count(core.schedule.defaults.T), features = integer { min = 1 },
  crop_features = integer { default = 0, min = 0 }, logits = optional "boolean" }))

local function need(o, where, ...)
  for _, key in ipairs { ... } do
    if o[key] == nil then error(("option %s.%s is missing"):format(where, key), 0) end
  end
end

-- aniso.resnet{"resnet", depth = 8, width = 32, channels = 3} or aniso.resnet "resnet50"
function networks.resnet(given)
  local o = options.check(given or {}, networks.faces.resnet, "resnet")
  return build(o, "backbone", function(module, prefix)
    return (networks.build_resnet(module, prefix, o, o.channels))
  end)
end

-- aniso.prior{mode = "both", K = 7, features = 128}; mode "frequency" takes counts
function networks.prior(given)
  local o = options.check(given, networks.faces.prior, "prior")
  local constant = o.mode == "uniform" or o.mode == "frequency" or o.mode == "zero"
  need(o, "prior", "K", not constant and "features" or nil)
  return build(o, "prior", function(module, prefix)
    return networks.build_prior(module, prefix, o, o)
  end)
end

-- aniso.denoiser{"cross_attention", K = 7, features = 128, crop_features = 32, dim = 128}
function networks.denoiser(given)
  local o = options.check(given or {}, networks.faces.denoiser, "denoiser")
  need(o, "denoiser", "K", "features")
  return build(o, "denoiser", function(module, prefix)
    return networks.build_denoiser(module, prefix, o, o)
  end)
end

return networks
