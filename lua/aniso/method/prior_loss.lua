-- The priors' own loss (METHOD §4): every choice is cross-entropy with class weights, shifted
-- logits, margins or a focal exponent, so each is a few numbers made from the training counts
-- n_j. A new loss is one entry.
--   make(counts, o)   → function(progress 0…1) → the arguments of ops.cross_entropy
--   text, options     what it is, with its source, and its options
-- A recipe may bring its own: function(counts, o) → arguments of ops.cross_entropy, or
-- function(logits, labels, progress) → scalar tensor (recipe/own_part.lua).
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local effective_number = require "aniso.method.effective_number"
local options = require "aniso.recipe.options"
local own_part = require "aniso.recipe.own_part"

local number = options.number

local prior_loss = {}

local function map(counts, f)
  local out = {}
  for j, n in ipairs(counts) do out[j] = f(n) end
  return out
end

-- Scales weights to mean 1 over the classes, so that a learning rate found for one loss fits others.
local function mean_one(weights)
  local sum = 0
  for _, w in ipairs(weights) do sum = sum + w end
  return map(weights, function(w) return w * #weights / sum end)
end

local function shares(counts)
  local sum = 0
  for _, n in ipairs(counts) do sum = sum + n end
  return map(counts, function(n) return n / sum end)
end

local function effective(counts, beta)
  return mean_one(map(counts, function(n) return effective_number.weight(n, beta) end))
end

prior_loss.kinds = {
  ce = {
    text = "Cross-entropy.",
    options = { smoothing = number { default = 0, text = "Share of the label given to all classes, 0 … 1" } },
    make = function(_, o)
      return function() return { smoothing = o.smoothing } end
    end,
  },

  weighted = {
    text = "Cross-entropy with weights n_j^(−power), their mean 1.",
    options = { power = number { default = 1, text = "1 lets every class weigh the same" } },
    make = function(counts, o)
      local weight = mean_one(map(counts, function(n) return n ^ -o.power end))
      return function() return { weight = weight } end
    end,
  },

  focal = {
    text = "Focal loss, 1708.02002.",
    options = { gamma = number { default = 2, text = "γ of (1 − p)^γ" } },
    make = function(_, o)
      return function() return { focal = o.gamma } end
    end,
  },

  class_balanced = {
    text = "Weights by the effective number of samples, 1901.05555.",
    options = { beta = number { default = 0.999, min = 0, below = 1, text = "β of (1−β)/(1−β^n)" },
      gamma = number { default = 0, text = "γ of (1 − p)^γ" } },
    make = function(counts, o)
      local weight = effective(counts, o.beta)
      return function() return { weight = weight, focal = o.gamma } end
    end,
  },

  ldam = {
    text = "Margins ∝ n_j^(−1/4) with deferred reweighting, 1906.07413.",
    options = { margin = number { default = 0.5, text = "The largest margin" },
      scale = number { default = 30, text = "Factor on the logits" },
      beta = number { default = 0.9999, min = 0, below = 1, text = "β of the weights (1−β)/(1−β^n)" },
      defer = number { default = 0.8, text = "Share of training before the weights count, 0 … 1" } },
    make = function(counts, o)
      local margin, top = map(counts, function(n) return n ^ -0.25 end), 0
      for _, d in ipairs(margin) do top = math.max(top, d) end
      margin = map(margin, function(d) return o.margin * d / top end)
      local weight = effective(counts, o.beta)
      return function(progress)
        return { margin = margin, scale = o.scale, weight = progress > o.defer and weight or nil }
      end
    end,
  },

  balanced_softmax = {
    text = "Softmax over n_j e^z, 2007.10740.",
    make = function(counts)
      local adjust = map(counts, math.log)
      return function() return { adjust = adjust } end
    end,
  },

  logit_adjustment = {
    text = "z + tau ln π, 2007.07314.",
    options = { tau = number { default = 1, text = "τ" } },
    make = function(counts, o)
      local adjust = map(shares(counts), function(p) return o.tau * math.log(p) end)
      return function() return { adjust = adjust } end
    end,
  },
}

-- The rule for the option loss.prior.
prior_loss.option = options.registry(prior_loss.kinds, "ce", {})

local WHERE = "loss.prior"

-- The cross-entropy with a recipe's arguments; fail(text) names the recipe if they are invalid.
local function with_arguments(made, fail)
  return function(logits, labels)
    local ok, loss = pcall(core.ops.cross_entropy, logits, labels, made)
    if ok then return loss end
    errors.pass_interrupts(loss)
    fail("arguments of ops.cross_entropy: " .. (loss:match "^bad argument #%d+ to '.-' %((.*)%)$" or loss))
  end
end

-- The loss of a recipe's own part.
local function own(choice, counts)
  local call, fail = own_part.need(choice, WHERE)
  local made = call({ table.unpack(counts) }, own_part.options(choice))
  if type(made) == "table" then
    return with_arguments(made, fail)
  elseif type(made) ~= "function" then
    fail("expected arguments of ops.cross_entropy or a function(logits, labels, progress), got a "
      .. type(made))
  end
  local guarded = own_part.guard(made, choice, WHERE)
  return function(logits, labels, progress)
    local recorded, before = core.ops.tape_length()
    local loss = guarded(logits, labels, progress)
    local recorded_then, after = core.ops.tape_length()
    -- Operations of the networks before the loss would be missing from the gradient.
    if after ~= before then
      fail "the loss must not call backward or clear_tape, nor catch the error of an operation"
    end
    if type(loss) ~= "userdata" or loss:numel() ~= 1 then fail("the loss must be a scalar tensor") end
    -- The logits were recorded on the tape, but the loss added nothing to it.
    if recorded > 0 and recorded_then == recorded then
      fail "the loss does not depend on the logits, so no network is trained by it"
    end
    return loss
  end
end

-- The factor on the logits in a complete choice's loss, which also applies to their probabilities: without
-- it LDAM's softmax is close to uniform. 1 for a recipe's own loss.
function prior_loss.scale(choice)
  return not own_part.is(choice) and choice.scale or 1
end

-- `choice` is {kind, option = …}, complete, or an own part's reference; counts: training images per
-- class. → function(logits (B,K), labels int64 (B), progress 0…1) → scalar
function prior_loss.new(choice, counts)
  if own_part.is(choice) then return own(choice, counts) end
  local arguments = prior_loss.kinds[choice[1]].make(counts, choice)
  return function(logits, labels, progress)
    return core.ops.cross_entropy(logits, labels, arguments(progress))
  end
end

return prior_loss
