-- Every option of a run with its default (METHOD.md's letters in the comments). A recipe gives only what
-- differs; a key that is not here is an error. The modules of data, schedule and networks list their options.
--   config.complete(given) → a complete copy, or raises with the dotted name; config.of_stored(given) → the
--   same for a stored run
--   config.choices("train.mode") → the list of its values; nil if the values are not a fixed list
--   config.conflicts(complete) → sentences about options that conflict
--   config.unused(complete, evaluation) → sentences about options that were set but have no effect
local choices = require "aniso.recipe.choices"
local backbone_parts = require "aniso.method.backbone_parts"
local baseline = require "aniso.recipe.baseline"
local byte_size = require "aniso.recipe.byte_size"
local calibrate = require "aniso.method.calibrate"
local class_weight = require "aniso.method.class_weight"
local catalog = require "aniso.stats.metric.catalog"
local data = require "aniso.method.data"
local feature_options = require "aniso.method.feature_options"
local lambda = require "aniso.method.lambda"
local limits = require "aniso.method.limits"
local nearest = require "aniso.recipe.nearest"
local networks = require "aniso.method.networks"
local normalisation = require "aniso.method.normalisation"
local options = require "aniso.recipe.options"
local post_hoc = require "aniso.method.post_hoc"
local prediction = require "aniso.method.prediction"
local prior_loss = require "aniso.method.prior_loss"
local sampler = require "aniso.method.sampler"
local schedule = require "aniso.method.schedule"

local number, integer, one_of, optional = options.number, options.integer, options.one_of, options.optional

local config = { sampler = sampler.option }

-- L = denoising·E[w_c ‖target−output‖²] + mmd·MMD²(ε, ε̂) + global·L(g) + local·L(l)   (METHOD §6)
local loss = {
  denoising = number { default = 1, min = 0 },
  mmd = number { default = 0.5, min = 0 },
  ["global"] = number { default = 1, min = 0 },
  ["local"] = number { default = 1, min = 0 },
  prior = prior_loss.option,
  class_weight = class_weight.option,                           -- w_c
  hardness = number { default = 0, min = 0 },                   -- α of 1 + α(1 − m_c)
  multipliers = options.list("number", { 0.25, 0.5, 1, 2, 4 }), -- of MMD's bandwidth 2K
  unbiased = false,
  mmd_of = optional(one_of { "fused", "granularities" }),       -- absent: fused
}

local train = {
  mode = one_of { "joint", "staged" },
  epochs = integer { default = 30, min = 1 },
  prior_epochs = integer { default = 0, min = 0 }, -- of the first stage; 0: as epochs
  batch = integer { default = 128, min = 2 },      -- B
  draws = integer { default = 4, min = 1 },        -- M: (t, ε) per image and step
  -- What the network predicts. In ε's loss an error of ŷ0 weighs (a/s)², next to nothing where y_t is
  -- mostly noise and the class must come from the image; so y0 is the default.
  prediction = one_of(prediction.kinds),
  optimiser = one_of { "adamw", "sgd" },
  lr = number { default = 1e-3, above = 0 },
  weight_decay = number { default = 0.05, min = 0 },
  momentum = number { default = 0.9, min = 0, below = 1 }, -- β1 of adamw
  lr_schedule = one_of { "cosine", "one_cycle", "constant" },
  warmup = number { default = 0.03, min = 0, below = 1 },  -- share of all steps; one_cycle: try 0.3
  clip = number { default = 1, min = 0 },                  -- of the gradient's norm; 0: off
  ema_decay = number { default = 0.998, min = 0, below = 1 }, -- 0: off
  sampling = one_of { "instance", "class_balanced", "square_root", "progressive" },
  augment = data.augment,
  mixup = optional(number { min = 0 }),            -- α of 1710.09412; absent or 0: off
  freeze = optional(options.one_of(table.move(backbone_parts.all, 1, #backbone_parts.all, 3,
    { false, true }))),                            -- the backbone up to and including a part; absent: false
  unfreeze_every = optional(integer { min = 1 }),  -- epochs; absent: what is frozen stays frozen
  sliced = optional "boolean",                     -- sums over a batch that ranks can share; absent: false
  memory = byte_size.option,                       -- of a step; recipe/identity.lua
  precision = optional(one_of { "float32", "bfloat16" }), -- of a step's products; absent: float32
  lr_scale = optional {                            -- factors of lr; absent: all 1
    backbone = number { default = 1, above = 0 },
    prior = number { default = 1, above = 0 },
    denoiser = number { default = 1, above = 0 },
    layer_decay = number { default = 1, above = 0, max = 1 }, -- a further factor per stage towards the images
  },
}

-- Choice of the best epoch, always on the validation part.
local select = {
  metric = "macro_f1",
  of = one_of { "chain", "prior" },
  every = integer { default = 1, min = 1 },  -- epochs between two validations
  steps = integer { default = 10, min = 1 },
  draws = integer { default = 2, min = 1 },
  keep = one_of { "best", "last" },
  patience = optional(integer { min = 1 }),  -- validations without improvement; absent: no early stopping
  precision = optional(one_of { "float32", "float16", "bfloat16" }), -- of the weights kept; absent: float32
  predictions = optional(one_of { "probabilities", "labels" }), -- stored per image; absent: probabilities
  calibrate = calibrate.option,              -- of the tilt, temperature and test level, afterwards
}

config.defaults = {
  method = baseline.option,
  data = data.kinds,
  backbone = networks.options.backbone,
  prior = networks.options.prior,
  schedule = schedule.options,
  denoiser = networks.options.denoiser,
  loss = loss,
  train = train,
  select = select,
  sampler = config.sampler,
  post_hoc = post_hoc.option,
}

-- ── conflicting options ─────────────────────────────────────────────────────────────────
local function raise(text, ...)
  error(text:format(...), 0)
end

-- Whether a configuration, complete or not, has no denoiser.
local function is_plain(given)
  local denoiser = given.denoiser
  return denoiser == "none" or type(denoiser) == "table" and denoiser[1] == "none"
end

-- Without a denoiser two options have other defaults.
local function without_denoiser(given)
  if type(given) ~= "table" or not is_plain(given) then return given end
  local out = options.copy(given)
  for _, one in ipairs { { "train", "mode", "staged" }, { "select", "of", "prior" } } do
    local section, key, value = table.unpack(one)
    if out[section] == nil then out[section] = {} end
    if type(out[section]) == "table" and out[section][key] == nil then out[section][key] = value end
  end
  return out
end

local function check_plain(of)
  local mode = of.prior.mode
  if mode ~= "both" and mode ~= "global" and mode ~= "local" then
    raise("option prior.mode is %s, which is not trained: without a denoiser it is global, local or both",
      mode)
  elseif of.train.mode == "joint" then
    raise "option train.mode is joint, but there is no denoiser (denoiser = none): use staged"
  elseif of.select.of == "chain" then
    raise "option select.of is chain, but there is no denoiser (denoiser = none): use prior"
  end
end

local function check_combination(of)
  feature_options.check(of)
  local plain = is_plain(of)
  if plain then check_plain(of) end
  lambda.check_coupling(of.schedule.lambda, of.schedule.coupling)
  if not backbone_parts.frozen(of.backbone, of.train.freeze) then
    local parts = table.concat(backbone_parts.of(of.backbone), ", ")
    raise("option train.freeze is %s, but the backbone %s has %s", of.train.freeze, of.backbone[1],
      parts == "" and "no parts" or parts)
  end
  networks.check_candidates(of)
  if (of.train.mixup or 0) > 0 and of.train.mode == "joint" then
    raise("option train.mixup is %g, but with train.mode = joint the denoiser would see mixed images with "
      .. "one label each: use train.mode = staged, where mixup augments the prior's stage", of.train.mixup)
  elseif of.post_hoc and not plain then
    raise("option post_hoc is %s, which adjusts a classifier: it needs denoiser = none (method = softmax)",
      of.post_hoc[1])
  elseif of.post_hoc and post_hoc.kinds[of.post_hoc[1]].linear and of.prior.mode ~= "global" then
    raise("option post_hoc is %s, which changes one linear classifier: it needs prior.mode = global, not %s",
      of.post_hoc[1], of.prior.mode)
  elseif of.post_hoc and of.post_hoc[1] == "tau_norm" and of.prior.cosine then
    raise "option post_hoc is tau_norm, but with prior.cosine the weights have norm 1 already"
  elseif of.loss.mmd_of == "granularities" and of.prior.mode ~= "both" then
    raise("option loss.mmd_of is granularities, which needs a global and a local prior: prior.mode is %s",
      of.prior.mode)
  end
end

-- A complete copy of a configuration, with `method` expanded. Raises on a mistake.
local function completed(given)
  local out = options.check(feature_options.fill(without_denoiser(baseline.fill(given))), config.defaults, "")
  out.select.metric = catalog.aliases[out.select.metric] or out.select.metric -- "tail" is stored as "few"
  check_combination(out)
  calibrate.check_two_tilts(out)
  return out
end

-- The complete configuration of what a recipe gives.
function config.complete(given)
  local out = completed(given)
  normalisation.complete(out.backbone)
  return out
end

-- The complete configuration of a stored run: an option added since keeps the behaviour the run had.
config.of_stored = completed

-- The values of an option that takes a fixed list; else nil.
function config.choices(path)
  return choices.of(config.defaults, path)
end

-- A run with any of these would fail, with some only in the evaluation after training. complete() accepts
-- them, since stored configurations pass through it too.
function config.conflicts(complete)
  local T, steps, metric = complete.schedule.T, complete.sampler.steps, complete.select.metric
  local out = limits.check(complete)
  if steps > T then
    out[#out + 1] = ("option sampler.steps is %d, but schedule.T is %d"):format(steps, T)
  end
  local names, known = {}, false
  for i, entry in ipairs(catalog.metrics) do
    names[i], known = catalog.printed(entry.name), known or entry.name == metric
  end
  if not known then
    local meant = nearest(metric, names)
    out[#out + 1] = ("option select.metric: there is no metric %s (%s)"):format(metric,
      meant and "did you mean " .. meant .. "?" or "known: " .. table.concat(names, ", "))
  end
  return out
end

local function unused_in_training(complete)
  local of, out = complete.train, {}
  if of.memory and complete.backbone[1] == "none" then
    out[1] = "option train.memory has no effect: features have no backbone whose blocks could be recomputed"
  elseif of.unfreeze_every and not of.freeze then
    out[1] = ("option train.unfreeze_every is %d and has no effect: no part is frozen (train.freeze)")
      :format(of.unfreeze_every)
  elseif of.freeze and not complete.backbone.weights then
    out[1] = "option train.freeze keeps random values of the backbone: backbone.weights is not given"
  end
  return out
end

-- Options that were set and do less than their values suggest. evaluation [opt]: those of an evaluation.
function config.unused(complete, evaluation)
  local out = evaluation and {} or unused_in_training(complete)
  if is_plain(complete) then
    out[#out + 1] = not evaluation and complete.select.patience and "option select.patience has no effect "
      .. "without a denoiser: the stage that trains backbone and priors takes all its epochs" or nil
    return out
  end
  local T, steps = complete.schedule.T, complete.select.steps
  if not evaluation and steps > T and steps ~= select.steps.default then
    out[#out + 1] = ("option select.steps is %d, but schedule.T is %d: validation takes %d steps")
      :format(steps, T, T)
  end
  local level, coupling = complete.sampler.level, complete.schedule.coupling
  if level ~= nil and level ~= sampler.common.level.default and coupling ~= "sample" then
    out[#out + 1] = ("option sampler.level is %s and has no effect: it belongs to schedule.coupling = "
      .. "sample, and the coupling is %s"):format(tostring(level), coupling)
  end
  return out
end

return config
