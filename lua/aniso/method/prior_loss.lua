-- The priors' own loss (METHOD §4): every choice is cross-entropy with class weights,
-- shifted logits, margins or a focal exponent, so each is a few numbers made from the
-- training counts n_j. A new loss is one entry in `makers`.
--   local loss = prior_loss.new({ "ldam" }, counts)      loss(logits, labels, progress 0…1)
local core = require "aniso.core"

local prior_loss = {}

local function map(counts, f)
  local out = {}
  for j, n in ipairs(counts) do out[j] = f(n) end
  return out
end

-- Scales weights to mean 1 over the classes, so that a rate found for one loss fits others.
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

-- Effective number of samples (1901.05555): (1−β)/(1−β^n).
local function effective(counts, beta)
  return mean_one(map(counts, function(n) return (1 - beta) / (1 - beta ^ n) end))
end

-- kind → function(options, counts) → function(progress) → arguments of the kernel
local makers = {
  ce = function(o) return function() return { smoothing = o.smoothing } end end,

  weighted = function(o, counts)
    local weight = mean_one(map(counts, function(n) return n ^ -o.power end))
    return function() return { weight = weight } end
  end,

  focal = function(o) return function() return { focal = o.gamma } end end, -- 1708.02002

  class_balanced = function(o, counts)
    local weight = effective(counts, o.beta)
    return function() return { weight = weight, focal = o.gamma } end
  end,

  -- 1906.07413: margin ∝ n^(−1/4), largest `margin`; weights only after `defer` of training.
  ldam = function(o, counts)
    local margin, top = map(counts, function(n) return n ^ -0.25 end), 0
    for _, d in ipairs(margin) do top = math.max(top, d) end
    margin = map(margin, function(d) return o.margin * d / top end)
    local weight = effective(counts, o.beta)
    return function(progress)
      return { margin = margin, scale = o.scale, weight = progress >= o.defer and weight or nil }
    end
  end,

  -- 2007.10740: softmax over n_j·exp(z_j).
  balanced_softmax = function(_, counts)
    local adjust = map(counts, math.log)
    return function() return { adjust = adjust } end
  end,

  -- 2007.07314: z + τ ln π.
  logit_adjustment = function(o, counts)
    local adjust = map(shares(counts), function(p) return o.tau * math.log(p) end)
    return function() return { adjust = adjust } end
  end,
}

-- For aniso.options: the kinds and their defaults.
prior_loss.kinds = {
  default = "ce",
  ce = { smoothing = 0 },
  weighted = { power = 1 },
  focal = { gamma = 2 },
  class_balanced = { beta = 0.999, gamma = 0 },
  ldam = { margin = 0.5, scale = 30, beta = 0.9999, defer = 0.8 },
  balanced_softmax = {},
  logit_adjustment = { tau = 1 },
}

-- `choice` is {kind, option = …}, complete. → function(logits, labels, progress) → scalar
function prior_loss.new(choice, counts)
  local arguments = makers[choice[1]](choice, counts)
  return function(logits, labels, progress)
    return core.ops.cross_entropy(logits, labels, arguments(progress))
  end
end

return prior_loss
