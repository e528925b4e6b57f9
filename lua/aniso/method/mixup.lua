-- mixup (1710.09412) for the stage that trains the priors: a batch becomes λ x_i + (1−λ) x_j, j a
-- permutation of the batch, and its loss λ L(·, y_i) + (1−λ) L(·, y_j), which for cross-entropy is the loss
-- of the mixed labels. One λ ~ Beta(α, α) per step. Everything is addressed by (seed, purpose, step), so it
-- does not depend on threads and a resumed run draws the same.
local core = require "aniso.core"

local tensor = core.tensor
local mixup = {}

-- ln G of a Gamma(shape, 1) variable, by Marsaglia and Tsang (ACM TOMS 26, 2000); a shape below 1 is raised
-- by 1 and the draw multiplied by U^(1/shape). Attempts count along one normal and one uniform stream.
local function log_gamma_draw(shape, seed, purpose, step)
  local raised = shape < 1 and shape + 1 or shape
  local d = raised - 1 / 3
  local c = 1 / math.sqrt(9 * d)
  local function uniform(i) -- in (0, 1]
    return 1 - tensor.rand { shape = { 1 }, seed = seed, stream = purpose .. " uniform", a = step,
      first = i }:item()
  end
  local boost = shape < 1 and math.log(uniform(0)) / shape or 0
  for attempt = 1, math.huge do
    local x = tensor.randn { shape = { 1 }, seed = seed, stream = purpose .. " normal", a = step,
      first = attempt }:item()
    local v = (1 + c * x) ^ 3
    if v > 0 and math.log(uniform(attempt)) < x * x / 2 + d * (1 - v + math.log(v)) then
      return math.log(d * v) + boost
    end
  end
end

-- λ ~ Beta(alpha, alpha) for a step, alpha > 0.
function mixup.lambda(alpha, seed, step)
  local a = log_gamma_draw(alpha, seed, "mixup a", step)
  local b = log_gamma_draw(alpha, seed, "mixup b", step)
  return 1 / (1 + math.exp(b - a))
end

-- The positions 0 … B−1 in random order: that of B random keys.
function mixup.partners(B, seed, step)
  local out, keys = {}, core.rng.below(seed, "mixup order", step, B, 1 << 52)
  for i = 1, B do out[i] = i - 1 end
  table.sort(out, function(i, j)
    if keys[i + 1] ~= keys[j + 1] then return keys[i + 1] < keys[j + 1] end
    return i < j
  end)
  return tensor.from(out, "int64")
end

-- Mixes a batch. images (B,H,W,C), labels int64 (B), address {seed, step} → {images, labels of the
-- partners, lambda}.
function mixup.batch(images, labels, alpha, address)
  local shape, B = images:shape(), images:size(1)
  local lambda = mixup.lambda(alpha, address.seed, address.step)
  local partners = mixup.partners(B, address.seed, address.step)
  local rows = images:reshape(B, images:numel() // B)
  local others <close> = rows:embedding(partners)
  local own, other = labels:list(), {}
  for i, j in ipairs(partners:list()) do other[i] = own[j + 1] end
  local scaled <close> = rows * lambda
  local share <close> = others * (1 - lambda)
  local mixed = scaled + share
  return { images = mixed:reshape(shape), labels = tensor.from(other, "int64"), lambda = lambda }
end

return mixup
