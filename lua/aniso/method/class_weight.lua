-- The class weights w_c of the denoising loss (METHOD §6): each policy is one entry that
-- derives them from the training images per class. They are scaled to mean 1 over the images,
-- Σ n_c w_c = Σ n_c, so that a learning rate found without them fits.
--   weights(counts, o, levels)   K numbers above 0, before scaling; o: the complete options;
--                                levels: the λ_c in force
--   text, options                what it is, with its source, and its options
-- A recipe may bring its own: function(counts, o, levels) (recipe/own_part.lua).
local core = require "aniso.core"
local bound = require "aniso.method.bound"
local effective_number = require "aniso.method.effective_number"
local options = require "aniso.recipe.options"
local own_part = require "aniso.recipe.own_part"

local number = options.number

local class_weight = {}

local function each(counts, f)
  local out = {}
  for c, n in ipairs(counts) do out[c] = f(n) end
  return out
end

local function check_values(values, K)
  if #values ~= K then
    error(("option loss.class_weight.values has %d weights for %d classes"):format(#values, K), 0)
  end
  for c, value in ipairs(values) do
    if not (value > 0 and value < math.huge) then
      error(("option loss.class_weight.values: class %d has the weight %s: expected a finite number "
        .. "above 0"):format(c, value ~= value and "nan" or tostring(value)), 0)
    end
  end
end

class_weight.kinds = {
  none = { text = "Every image weighs 1." },

  power = {
    text = "w_c ∝ n_c^(−gamma).",
    options = { gamma = number { default = 0.5, text = "γ; 1 lets every class weigh the same" } },
    weights = function(counts, o)
      return each(counts, function(n) return n ^ -o.gamma end)
    end,
  },

  effective = {
    text = "1 over the effective number of samples (1901.05555).",
    options = { beta = number { default = 0.999, min = 0, below = 1, text = "β of (1−β)/(1−β^n)" } },
    weights = function(counts, o)
      return each(counts, function(n) return effective_number.weight(n, o.beta) end)
    end,
  },

  bound = {
    text = "The minimiser of the bound of METHOD §3, w_c ∝ n_c^(−1/(2(p+q))).",
    options = { p = number { default = 1, above = 0, text = "Power of λ in the generalisation term" },
      q = number { default = 1, above = 0, text = "Power of λ in the denoising term" } },
    weights = function(counts, o)
      return each(counts, function(n) return n ^ (-0.5 / (o.p + o.q)) end)
    end,
  },

  manual = {
    text = "Weights worked out elsewhere, one per class.",
    options = { values = options.list("number", {}, "K numbers above 0") },
    weights = function(counts, o)
      check_values(o.values, #counts)
      return o.values
    end,
  },

  lambda = {
    text = "w_c ∝ λ_c: a class of wide noise weighs more.",
    weights = function(_, _, levels)
      return levels
    end,
  },
}

-- Options of every kind, including a recipe's own.
class_weight.common = {
  defer = options.optional(number { min = 0, below = 1,
    text = "Share of the training before the weights count (1906.07413), 0 if left out" }),
}

-- The rule for the option loss.class_weight.
class_weight.option = options.registry(class_weight.kinds, "none", class_weight.common)

local SMALLEST = 2 ^ -126 -- of float32, the type of the weights in the training step

local function scaled(weights, counts)
  local sum, images, out = 0, 0, {}
  for c, n in ipairs(counts) do sum, images = sum + n * weights[c], images + n end
  for c, weight in ipairs(weights) do
    out[c] = weight * images / sum
    if not (out[c] >= SMALLEST and out[c] < math.huge) then
      error(("option loss.class_weight: the weights are too far apart for float32: class %d would weigh %g "
        .. "next to a mean of 1"):format(c, out[c]), 0)
    end
  end
  return out
end

-- Whether the weights depend on the levels.
function class_weight.takes_levels(choice)
  return choice[1] == "lambda" or own_part.is(choice)
end

-- The scaled weights (K) of a complete choice; nil if every image weighs 1. counts: training images per
-- class, levels: λ_c. Raises if a class has no image.
function class_weight.list(choice, counts, levels)
  if choice[1] == "none" then return nil end
  bound.check_counts(counts, "loss.class_weight")
  if own_part.is(choice) then
    return scaled(own_part.numbers(choice, "loss.class_weight", #counts, counts, levels), counts)
  end
  return scaled(class_weight.kinds[choice[1]].weights(counts, choice, levels), counts)
end

-- The same as float32 (K), for the training step.
function class_weight.tensor(choice, counts, levels)
  local list = class_weight.list(choice, counts, levels)
  return list and core.tensor.from(list)
end

return class_weight
