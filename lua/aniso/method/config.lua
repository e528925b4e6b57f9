-- Every option of a run with its default (METHOD.md's letters in the comments). A recipe
-- gives only what differs; a key that is not here is an error. Options of the data, the
-- schedule and the networks are listed by the modules that own them.
--   config.complete(given) → a complete copy, or raises with the dotted name
--   config.choices("train.mode") → the list of its values; nil where any value may be given
--   config.conflicts(complete) → sentences about options that do not fit each other
local choices = require "aniso.recipe.choices"
local class_weight = require "aniso.method.class_weight"
local catalog = require "aniso.stats.metric.catalog"
local data = require "aniso.method.data"
local nearest = require "aniso.recipe.nearest"
local networks = require "aniso.method.networks"
local options = require "aniso.recipe.options"
local prior_loss = require "aniso.method.prior_loss"
local sampler = require "aniso.method.sampler"
local schedule = require "aniso.method.schedule"

local number, integer, one_of = options.number, options.integer, options.one_of

local config = {}

-- L = denoising·E[w_c ‖target−output‖²] + mmd·MMD²(ε, ε̂) + global·L(g) + local·L(l)   (METHOD §6)
local loss = {
  denoising = number { default = 1, min = 0 },
  mmd = number { default = 0.5, min = 0 },
  ["global"] = number { default = 1, min = 0 },
  ["local"] = number { default = 1, min = 0 },
  prior = prior_loss.option,
  class_weight = class_weight.option,                           -- w_c
  multipliers = options.list("number", { 0.25, 0.5, 1, 2, 4 }), -- of MMD's bandwidth 2K
  unbiased = false,
}

local train = {
  mode = one_of { "joint", "staged" },
  epochs = integer { default = 30, min = 1 },
  prior_epochs = integer { default = 0, min = 0 }, -- of the first stage; 0: as epochs
  batch = integer { default = 128, min = 2 },      -- B
  draws = integer { default = 4, min = 1 },        -- M: (t, ε) per image and step
  -- The target of the network. An error of ŷ0 weighs (a/s)² in ε's loss, next to nothing where
  -- y_t is mostly noise and the class must come from the image; so y0 is the default.
  prediction = one_of { "y0", "epsilon", "v" },
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
}

-- How the best epoch is chosen, always on the validation part.
local select = {
  metric = "macro_f1",
  of = one_of { "chain", "prior" },
  every = integer { default = 1, min = 1 },  -- epochs between two validations
  steps = integer { default = 10, min = 1 },
  draws = integer { default = 2, min = 1 },
  keep = one_of { "best", "last" },
}

config.sampler = sampler.option

config.defaults = {
  data = data.kinds,
  backbone = networks.options.backbone,
  prior = networks.options.prior,
  schedule = schedule.options,
  denoiser = networks.options.denoiser,
  loss = loss,
  train = train,
  select = select,
  sampler = config.sampler,
}

function config.complete(given)
  local out = options.check(given, config.defaults, "")
  out.select.metric = catalog.aliases[out.select.metric] or out.select.metric -- "tail" is stored as "few"
  return out
end

-- The values that an option may have, where these are a fixed list; else nil.
function config.choices(path)
  return choices.of(config.defaults, path)
end

-- A run with one of these would train to its end and fail in the evaluation. complete() accepts them,
-- since stored configurations pass through it too.
function config.conflicts(complete)
  local out, T, steps, metric = {}, complete.schedule.T, complete.sampler.steps, complete.select.metric
  if steps > T then
    out[#out + 1] = ("option sampler.steps is %d, but schedule.T is %d"):format(steps, T)
  end
  local names, known = {}, false
  for i, entry in ipairs(catalog.metrics) do names[i], known = entry.name, known or entry.name == metric end
  if not known then
    local meant = nearest(metric, names)
    out[#out + 1] = ("option select.metric: there is no metric %s (%s)"):format(metric,
      meant and "did you mean " .. meant .. "?" or "known: " .. table.concat(names, ", "))
  end
  return out
end

return config
