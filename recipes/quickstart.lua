-- Does a noise level per class help? The isotropic process (ddpm) against the anisotropic
-- one (adpm) on the built-in synthetic lesions, two seeds each, in about two minutes on
-- two cores. The set is small: read the spread before the means.
local aniso = require "aniso"

return aniso.study {
  name = "quickstart",
  data = { "lesions", n = 1400, size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { mode = "both", crops = 4 },
    schedule = { "cosine", T = 1000, coupling = "variance", lambda = "isotropic" },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    loss = { mmd = 0.5 },
    train = { epochs = 10, batch = 64, draws = 4, lr = 3e-3 },
    -- Six validation images of a class choose no epoch: the averaged last one is kept.
    select = { keep = "last", every = 2 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = {
    { label = "ddpm", ["schedule.lambda"] = "isotropic" },
    { label = "adpm", ["schedule.lambda"] = "bound" },
  },
  seeds = 2,
  baseline = "ddpm",
}
