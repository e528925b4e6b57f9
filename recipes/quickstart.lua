-- How much more noise should a rare class receive? Three exponents of λ_j ∝ n_j^(−gamma) on the
-- built-in synthetic lesions: 0 is the isotropic process; at 1 the rarest class has 56 times the
-- level of the most frequent one. Three seeds each.
--   aniso run recipes/quickstart.lua
--   aniso compare quickstart --section notes            which differences are beyond noise
--   aniso curve quickstart -x schedule.lambda.gamma -y tail
local aniso = require "aniso"

return aniso.study {
  name = "quickstart",
  data = { "lesions", n = 1400, size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { mode = "both", crops = 4 },
    schedule = { "cosine", T = 1000, coupling = "variance", lambda = { "power", gamma = 0 } },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    loss = { mmd = 0.5 },
    -- Backbone and priors are trained once per seed; the denoisers of a seed share them.
    train = { mode = "staged", epochs = 10, batch = 64, draws = 4, lr = 3e-3 },
    -- Six validation images of a class are too few to choose an epoch: the averaged last one is kept.
    select = { keep = "last", every = 5 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  vary = { aniso.grid { ["schedule.lambda.gamma"] = { 0, 0.5, 1 } } },
  seeds = 3,
}
