-- How much of a published number is due to the split? The same models on HAM10000 split by image, where a
-- test image may show a lesion of the training part, and by lesion. 32×32, five folds each, three seeds.
--   aniso run recipes/leakage.lua --set data.root=DIR
--   aniso table leakage --cols acc,bacc,macro_f1,tail --delta none
local aniso = require "aniso"

local METHODS = {
  { label = "softmax", method = "softmax" },
  { label = "balanced softmax", method = "softmax", ["loss.prior"] = "balanced_softmax" },
  { label = "card", method = "card", ["train.prediction"] = "y0" },
  { label = "diffmic", method = "diffmic", ["train.mode"] = "staged", ["train.prediction"] = "y0" },
  { label = "ddpm", method = "ddpm" },
  { label = "adpm", method = "adpm" },
}

return aniso.study {
  name = "leakage",
  data = { "ham10000", size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { dim = 64, blocks = 2, heads = 4 },
    train = { mode = "staged", prior_epochs = 30, epochs = 4, batch = 128, draws = 4, lr = 2e-3,
      augment = { flip = true, shift = 4 } },
    select = { keep = "last", every = 10 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  vary = {
    METHODS,
    { { label = "by lesion" }, { label = "by image", ["data.divide_groups"] = true } },
  },
  folds = 5,
  seeds = 3,
}
