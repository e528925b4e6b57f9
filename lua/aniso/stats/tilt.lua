-- tilt: class probabilities as they would be under other class shares (METHOD §2). Probabilities q of
-- an image become q̃_k ∝ q_k exp(κ_k). If only the classes' shares differ between training and test, and
-- the images of a class are alike (label shift), κ_k = ln(new share / training share) gives exactly the
-- posterior under the new shares.
--   local kappa = tilt.prior(counts, 0.5)      local tilted = tilt.apply(probs, kappa)
local core = require "aniso.core"

local tilt = {}

local function each(list, f)
  local out = {}
  for k, value in ipairs(list) do out[k] = f(value) end
  return out
end

-- κ_k = −τ ln π_k, logit adjustment (2007.07314): τ = 1 gives the posterior under equal shares, 0 changes
-- nothing. counts: training images per class, each at least 1. → K numbers
function tilt.prior(counts, tau)
  local sum = 0
  for k, n in ipairs(counts) do
    if not (n >= 1) then
      error(("tilt: class %d has %s training images: expected at least 1"):format(k, tostring(n)), 0)
    end
    sum = sum + n
  end
  return each(counts, function(n) return -tau * math.log(n / sum) end)
end

-- κ_k = κ ln λ_k: shifts the classes as their noise levels differ. levels: K numbers above 0.
function tilt.lambda(levels, kappa)
  return each(levels, function(level) return kappa * math.log(level) end)
end

-- The tilted probabilities. probs: a tensor (N,K) or N rows of K numbers, at least 0; rows that do not sum
-- to 1 are normalised. kappa: K finite numbers. → a tensor (N,K); bit for bit what an evaluation with
-- this tilt on the vote stores, if probs are those that the evaluation without it stored.
function tilt.apply(probs, kappa)
  return core.schedule.tilt(type(probs) == "userdata" and probs or core.tensor.from(probs), kappa)
end

return tilt
