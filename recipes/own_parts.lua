-- Your own parts instead of the program's: a λ policy, a sampler, a prior loss and a class weight, each a
-- function in this recipe. lua/README.md lists their arguments.
--   ./aniso run recipes/own_parts.lua
--   ./aniso resume --recipe recipes/own_parts.lua                      after a kill
--   ./aniso eval @last --recipe recipes/own_parts.lua --steps 10       uses the sampler again
local aniso = require "aniso"

-- λ_j ∝ (ln n_j)^−gamma: K levels from the training images per class.
local function log_policy(counts, options)
  local levels = {}
  for j, n in ipairs(counts) do levels[j] = math.log(n + 1) ^ -options.gamma end
  return levels
end

-- Euler's step along the straight line from y to the estimate ŷ0: y at time u < t.
local function straight_step(chain, y, output, t, u)
  local z0 = chain.schedule:estimate(y, chain.m, output, t, chain.read, chain.level)
  return y + (chain.m + z0 - y) * ((t - u) / t)
end

-- Focal loss with weights n_j^−power: arguments of ops.cross_entropy.
local function focal_weighted(counts, options)
  local weight = {}
  for j, n in ipairs(counts) do weight[j] = n ^ -options.power end
  return { focal = 2, weight = weight }
end

-- Weights of the denoising loss ∝ 1/√n_c, K of them.
local function root_weight(counts)
  local weights = {}
  for c, n in ipairs(counts) do weights[c] = n ^ -0.5 end
  return weights
end

return aniso.study {
  name = "own_parts",
  data = { "lesions", n = 1400, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 8 },
    prior = { crops = 2 },
    denoiser = { "cross_attention", dim = 32, blocks = 1 },
    train = { epochs = 12, batch = 32, draws = 2, lr = 3e-3 },
  },
  variants = {
    { label = "plain" },
    { label = "log λ", ["schedule.lambda"] = { log_policy, gamma = 0.5, name = "log" } },
    { label = "straight", sampler = { straight_step, steps = 10, name = "straight" } },
    { label = "focal", ["loss.prior"] = { focal_weighted, power = 0.5, name = "focal_weighted" } },
    { label = "root w", ["loss.class_weight"] = { root_weight, name = "root" } },
  },
  baseline = "plain",
}
