-- What does ADPM reach on HAM10000, real dermoscopy images, at 32×32?
--   aniso run recipes/ham10000.lua --set data.root=DIR
-- DIR holds HAM10000_metadata.csv and the images. The default split is 70/10/20 and keeps all
-- images of a lesion together; --set data.split=DIR2 uses the lists DIR2/*_train.csv and
-- DIR2/*_test.csv instead.
local aniso = require "aniso"

return aniso.study {
  name = "ham10000",
  data = { "ham10000", size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 32 },
    -- Crops of an image this small carry less information than the whole, hence the weight.
    prior = { mode = "both", crops = 4, weight = 0.7 },
    schedule = { "cosine", T = 1000, coupling = "variance", lambda = "bound" },
    denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 },
    loss = { mmd = 0.5, prior = { "logit_adjustment", tau = 0.2 } },
    train = { epochs = 30, batch = 128, draws = 4, lr = 2e-3,
      augment = { flip = true, shift = 4 } },
    -- Validation has eight images of the rarest class, too few to choose an epoch by macro-F1.
    -- The averaged weights of the last epoch are kept instead.
    select = { keep = "last", every = 5 },
    -- Many short chains vote better than few long ones at the same cost.
    sampler = { "ddim", steps = 5, draws = 32 },
  },
  seeds = 3,
}
