-- Which levels does the validation part choose? The isotropic process, the bound's levels, and a search over
-- nine candidates: five of λ_j ∝ n_j^(−γ), three with a level per group of classes, and λ ≡ 1. The trials
-- of the search train in lock-step with the other variants of their seed.
--   aniso run recipes/search.lua
--   aniso table search --trials          what was tried
--   aniso show @last search              why these levels
local aniso = require "aniso"

return aniso.study {
  name = "search",
  data = { "lesions", n = 1400, size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { crops = 4 },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    train = { mode = "staged", prior_epochs = 10, epochs = 6, batch = 64, lr = 3e-3 },
    select = { keep = "last", every = 20 }, -- the last epoch of a stage is always validated
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = {
    { method = "ddpm" },
    { method = "adpm" },
    { label = "search", method = "adpm", ["schedule.lambda"] = { "search",
      gamma = { -0.5, -0.25, 0.25, 0.5, 1 }, groups = { { 1, 1, 1.5 }, { 1, 1.25, 2 }, { 2, 1.25, 1 } },
      metric = "bacc", seeds = { 1, 3 } } },
  },
  seeds = 3,
}
