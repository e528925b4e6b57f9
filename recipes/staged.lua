-- What does training in stages cost? Training everything at once (joint) is compared with training backbone
-- and priors first and the denoiser on their frozen features afterwards, for as many, half and a third of
-- the epochs. The staged configurations share one first stage per seed.
--   aniso run recipes/staged.lua
local aniso = require "aniso"

local function staged(epochs)
  return { label = ("10 + %d epochs"):format(epochs), ["train.mode"] = "staged",
    ["train.prior_epochs"] = 10, ["train.epochs"] = epochs }
end

return aniso.study {
  name = "staged",
  data = { "lesions", n = 1400, size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { mode = "both", crops = 4 },
    schedule = { "cosine", T = 1000, coupling = "variance", lambda = "bound" },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    loss = { mmd = 0.5 },
    train = { epochs = 10, batch = 64, draws = 4, lr = 3e-3 },
    select = { keep = "last", every = 20 }, -- the last epoch of a stage is always validated
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = { { label = "joint, 10 epochs" }, staged(10), staged(5), staged(3) },
  seeds = 5,
  baseline = "joint, 10 epochs",
}
