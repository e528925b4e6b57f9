-- The whole model of a run: backbone, prior, denoiser and schedule, made from one complete
-- configuration and one data set. Each stage of training has its own module, so that a staged run can train
-- and store the first without the second: `net` (backbone and prior), and `den` (denoiser) or, in a run
-- without a denoiser, `head` (the classifier that post_hoc trains again) or neither. With the λ policy
-- `learned`, `levels` (ln λ) is trained along with the denoiser.
local core = require "aniso.core"
local learned_levels = require "aniso.method.learned_levels"
local networks = require "aniso.method.networks"
local normalisation = require "aniso.method.normalisation"
local options = require "aniso.recipe.options"
local post_hoc = require "aniso.method.post_hoc"
local prior_loss = require "aniso.method.prior_loss"
local schedule = require "aniso.method.schedule"
local search = require "aniso.method.search"

local Model = {}
Model.__index = Model

local model = {}

local function build_net(self, config, dataset, seed, stored)
  self.net = core.module.new { seed = seed }
  self.backbone, self.notes = networks.build_backbone(self.net, "backbone", config.backbone, dataset.channels,
    stored)
  self.prior = networks.build_prior(self.net, "prior", config.prior, { K = dataset.K,
    features = self.backbone.features, channels = dataset.channels, counts = dataset.counts,
    logit_scale = self.logit_scale, tokens = config.backbone[1] == "none" })
  self.net:seal():slice(config.train.sliced == true)
end

local function build_den(self, config, dataset, seed)
  self.den = core.module.new { seed = seed }
  self.denoiser = networks.build_denoiser(self.den, "denoiser", config.denoiser,
    { K = self.K, T = self.schedule.T, features = self.backbone.features,
      crop_features = self.prior.crop_features, unordered = dataset.unordered,
      logits = config.train.prediction == "class" })
  self.den:seal()
  table.insert(self.modules, { name = "den", module = self.den })
  local choice = config.schedule.lambda
  if choice[1] == "learned" then
    self.levels = learned_levels.new(choice, self.schedule.coupling, self.schedule.levels, self.counts)
    table.insert(self.modules, { name = "levels", module = self.levels.module,
      optimiser = learned_levels.optimiser })
    self:follow_levels()
  end
end

-- The schedule's options. Without a denoiser the levels are not used, so there is nothing to search.
local function options_of(config)
  if config.schedule.lambda[1] ~= "search" or search.is_needed(config) then return config.schedule end
  local out = options.copy(config.schedule)
  out.lambda = "isotropic"
  return out
end

-- config: complete (config.check); dataset: aniso.Dataset; seed: for the initial weights;
-- sharing [opt]: a model of the same backbone, prior and seed, whose net this one shares;
-- levels [opt]: the λ_j of a stored run (schedule.new);
-- stored [opt]: a stored run's weights will be loaded, so backbone.weights is not opened.
-- model.modules: a list of {name =, module =, optimiser = or nil}; optimiser() makes a separate optimiser for
-- a module that takes its own steps.
function model.new(config, dataset, seed, sharing, levels, stored)
  local K = dataset.K
  local self = setmetatable({ K = K, config = config, counts = dataset.counts,
    groups = dataset.split.shot, normalise = normalisation.of(config.backbone),
    logit_scale = prior_loss.scale(config.loss.prior) }, Model)
  self.schedule = schedule.new(options_of(config), self.counts, levels, self.groups)
  if sharing then
    self.net, self.backbone, self.prior = sharing.net, sharing.backbone, sharing.prior
    self.notes = sharing.notes
  else
    build_net(self, config, dataset, seed, stored)
  end
  local mode = config.prior.mode
  self.learned_prior = mode == "both" or mode == "global" or mode == "local"

  self.modules = { { name = "net", module = self.net } }
  if config.denoiser[1] ~= "none" then build_den(self, config, dataset, seed) end
  self.classifier = post_hoc.classifier(config.post_hoc, self, seed)
  if self.classifier then
    table.insert(self.modules, { name = "head", module = self.classifier.module })
  end
  return self
end

-- Rebuilds the schedule from the current learned levels; does nothing with other policies.
function Model:follow_levels()
  if not self.levels then return end
  self.schedule:close()
  self.schedule = schedule.new(self.config.schedule, self.counts, self.levels:list(), self.groups)
end

function Model:train(on)
  for _, part in ipairs(self.modules) do part.module:train(on) end
end

-- images (B,H,W,C) → features and the prior's outputs, once per image.
function Model:encode(images)
  local features = self.backbone:forward(images)
  return features, self.prior:forward(images, features)
end

-- What the denoiser needs of each image, computed once per image whatever the number of draws.
function Model:context(features, prior)
  return self.denoiser:encode { features = features, crops = prior.crops,
    mg = prior.mg, ml = prior.ml }
end

function Model:count()
  local sum = 0
  for _, part in ipairs(self.modules) do sum = sum + part.module:count() end
  return sum
end

return model
