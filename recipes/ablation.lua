-- Which part of the method does what? The paper's table, which grows from the plain diffusion of the label
-- (no class levels, no prior, no cross-attention, no MMD) to the whole method; and the whole method without
-- each part. HAM10000 at 64×64, five folds that keep a lesion's images together, three seeds.
--   aniso run recipes/ablation.lua --set data.root=DIR
-- DIR holds HAM10000_metadata.csv and the images. Configurations with the same prior share a first stage;
-- those without a prior train everything at once, for as many epochs. Afterwards:
--   aniso table ablation --cols acc,bacc,macro_f1,tail@head=0.90 --delta macro_f1,tail@head=0.90
--   aniso report ablation
local aniso = require "aniso"

local PARTS = { "lambda", "global_prior", "local_prior", "cross_attention", "mmd" }

return aniso.study {
  name = "ablation",
  data = { "ham10000", size = 64 },
  base = {
    method = "adpm",
    backbone = { "resnet", depth = 8, width = 16, stem_stride = 2 },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { dim = 64, blocks = 2, heads = 4 },
    train = { mode = "staged", prior_epochs = 20, epochs = 4, batch = 128, draws = 4, lr = 2e-3,
      augment = { flip = true, shift = 8 } },
    select = { keep = "last", every = 10 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = aniso.ablation { drop = PARTS, grow = PARTS },
  folds = 5,
  seeds = 3,
  baseline = "full",
}
