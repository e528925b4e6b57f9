-- Changes to a trained classifier that leave its features as they are (METHOD §4): option post_hoc of
-- a run without a denoiser. The classifier is a linear map of pooled features, g = W f + b.
--   logit_adjustment   p_j ∝ p_j π_j^(−τ)                           2007.07314, §4.1
--   tau_norm           g_j = w_j·f / ‖w_j‖^τ, without a bias        1910.09217, §4.1
--   crt                W and b trained again from new values        1910.09217, §4.1
--   lws                g_j = s_j (w_j·f + b_j), s trained           1910.09217, §4.1
-- crt and lws have a training stage of their own, "classifier": cross-entropy, class-balanced
-- sampling, frozen features. Entries:
--   scores(model, features, prior)       (B, K), from which the probabilities follow
--   adjust(scores, model, tau)           logits (N, K); absent: the scores are the logits
--   build(model, module)                 → function(features, prior) → logits (B, K), of crt and lws
--   linear                               changes one linear classifier, so it needs prior.mode = global
local core = require "aniso.core"
local options = require "aniso.recipe.options"

local ops, tensor = core.ops, core.tensor
local number = options.number

local post_hoc = {}

local WEIGHT, BIAS = "prior.saliency.weight", "prior.saliency.bias"

-- Candidates for τ if none is given: the best on validation is used.
post_hoc.grid = {}
for i = 0, 40 do post_hoc.grid[i + 1] = i / 20 end

local tau = options.optional(number { min = 0, text = "τ; chosen on the validation part from 0, 0.05 … 2 "
  .. "by select.metric if left out" })
local epochs = options.integer { default = 10, min = 1, text = "Passes over the training part" }

local function log_shares(counts)
  local sum, out = 0, {}
  for _, n in ipairs(counts) do sum = sum + n end
  for j, n in ipairs(counts) do out[j] = math.log(n / sum) end
  return out
end

-- The Euclidean norm of each class's weights.
local function norms(model)
  local weight = model.net:get(WEIGHT)
  local rows = weight:reshape(weight:size(1), weight:numel() // weight:size(1))
  return (rows * rows):sum(2):list()
end

local function trained_logits(model, features, prior)
  return model.classifier.logits(features, prior)
end

post_hoc.kinds = {
  logit_adjustment = {
    text = "p_j ∝ p_j π_j^(−tau) after training, 2007.07314.",
    options = { tau = tau }, chooses = true,
    scores = function(_, _, prior) return ops.log(prior.m) end,
    adjust = function(scores, model, t)
      local shift = log_shares(model.counts)
      for j, log_share in ipairs(shift) do shift[j] = -t * log_share end
      return scores + tensor.from(shift)
    end,
  },

  tau_norm = {
    text = "Each class's weights divided by their norm to the power tau, 1910.09217.",
    options = { tau = tau }, chooses = true, linear = true,
    scores = function(model, _, prior) return (prior.g - model.net:get(BIAS)) * model.logit_scale end,
    adjust = function(scores, model, t)
      local scale = norms(model)
      for j, square in ipairs(scale) do scale[j] = square ^ (-t / 2) end
      return scores * tensor.from(scale)
    end,
  },

  crt = {
    text = "The classifier trained again on frozen features, classes sampled alike (cRT, 1910.09217).",
    options = { epochs = epochs, lr = options.optional(number { above = 0,
      text = "Largest learning rate; train.lr if left out" }) },
    linear = true, scores = trained_logits,
    build = function(model, module)
      local K, channels = model.K, model.backbone.features
      local top = model.config.prior.top_percent
      local weight = module:param("classifier.weight", { K, channels, 1, 1 },
        { fan_in = channels, decay = true })
      local bias = module:param("classifier.bias", { K }, { fan_in = channels })
      return function(features)
        return ops.top_pool(ops.conv2d(features, weight, bias, 1, 0), top)
      end
    end,
  },

  lws = {
    text = "A factor per class on the logits, trained with classes sampled alike (LWS, 1910.09217).",
    -- A step of AdamW moves each factor by about lr; the networks' lr would leave them near 1.
    options = { epochs = epochs, lr = number { default = 0.05, above = 0, text = "Largest learning rate" } },
    linear = true, scores = trained_logits,
    build = function(model, module)
      local scale = module:param("classifier.scale", { model.K }, { constant = 1 })
      return function(_, prior) return prior.g * scale * model.logit_scale end
    end,
  },
}

local kinds = {}
for name, entry in pairs(post_hoc.kinds) do kinds[name] = entry.options end

-- The rule for the option post_hoc.
post_hoc.option = options.optional(options.kinds(kinds))

-- The module that crt and lws train, and logits(features, prior) → (B, K); nil for other choices.
function post_hoc.classifier(choice, model, seed)
  local build = choice and post_hoc.kinds[choice[1]].build
  if not build then return nil end
  local module = core.module.new { seed = seed }
  local logits = build(model, module)
  module:seal()
  return { module = module, logits = logits }
end

-- Whether the choice has a τ to choose on validation.
function post_hoc.chooses(choice)
  return post_hoc.kinds[choice[1]].chooses and choice.tau == nil or false
end

-- Scores of images (B, K), from the output of model:encode().
function post_hoc.scores(choice, model, features, prior)
  return post_hoc.kinds[choice[1]].scores(model, features, prior)
end

-- Rows of scores and τ (ignored by crt and lws) → rows of probabilities.
function post_hoc.probabilities(choice, model, rows, t)
  return core.ops.no_grad(function()
    local scores, adjust = tensor.from(rows), post_hoc.kinds[choice[1]].adjust
    return (adjust and adjust(scores, model, t) or scores):softmax():totable()
  end)
end

-- The τ of the grid with the best value, the smallest of equal ones. value_of(τ) → number, or nil if it is
-- undefined; higher: whether higher is better.
function post_hoc.best_tau(value_of, higher)
  local best, found
  for _, t in ipairs(post_hoc.grid) do
    local value = value_of(t)
    value = value and value == value and (higher and value or -value) or nil
    if value and (not best or value > best) then best, found = value, t end
  end
  return found
end

return post_hoc
