-- Which part of the method does what? The paper's table, which grows from the plain diffusion of the label
-- (no class levels, no prior, no cross-attention, no MMD) to the whole method; and the whole method without
-- each part. HAM10000 at 64×64, five folds that keep a lesion's images together, three seeds.
--   aniso run recipes/ablation.lua --set data.root=DIR
-- DIR holds HAM10000_metadata.csv and the images. Afterwards:
--   aniso table ablation --cols acc,bacc,macro_f1,tail --delta macro_f1,tail
--   aniso report ablation
local aniso = require "aniso"

local PARTS = { "lambda", "global_prior", "local_prior", "cross_attention", "mmd" }

return aniso.study {
  name = "ablation",
  data = { "ham10000", size = 64 },
  base = {
    method = "adpm",
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { crops = 4, weight = 0.7 },
    schedule = { "cosine", T = 1000, coupling = "variance" },
    denoiser = { dim = 64, blocks = 2, heads = 4 },
    -- Without a prior the diffusion alone trains the backbone, so everything is trained at once.
    train = { mode = "joint", epochs = 12, batch = 64, draws = 4, lr = 2e-3,
      augment = { flip = true, shift = 8 } },
    select = { keep = "last", every = 12 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = aniso.ablation { drop = PARTS, grow = PARTS },
  folds = 5,
  seeds = 3,
  baseline = "full",
}
