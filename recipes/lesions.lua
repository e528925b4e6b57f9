-- The larger studies in minutes, on the built-in synthetic lesions: the method, the isotropic process, the
-- controls that separate an effect of λ from a shifted threshold, and plain classifiers. Three folds, three
-- seeds, 32×32.
--   aniso run recipes/lesions.lua
--   aniso table lesions --cols acc,macro_f1,tail,tail@head=0.90 --delta macro_f1,tail@head=0.90
--   aniso curve lesions --operating                         tail recall against head recall
--   aniso report lesions
local aniso = require "aniso"

return aniso.study {
  name = "lesions",
  data = { "lesions", n = 2100, size = 32 },
  base = {
    method = "ddpm",
    backbone = { "resnet", depth = 8, width = 8 },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { dim = 64, blocks = 1, heads = 4 },
    train = { mode = "staged", prior_epochs = 12, epochs = 5, batch = 64, draws = 4, lr = 3e-3,
      augment = { flip = true, shift = 4 } },
    select = { keep = "last", every = 12 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = {
    { label = "ddpm" },
    { label = "adpm", method = "adpm" },
    { label = "ddpm, share of adpm", ["schedule.lambda"] = { "isotropic", share_of = "bound" } },
    { label = "class speed γ=½, weight λ", ["schedule.coupling"] = "class_speed",
      ["schedule.lambda"] = { "power", gamma = 0.5, normalise = "head" }, ["loss.class_weight"] = "lambda" },
    { label = "class weight n^−½", ["loss.class_weight"] = { "power", gamma = 0.5 } },
    { label = "softmax", method = "softmax" },
    { label = "balanced softmax", method = "softmax", ["loss.prior"] = "balanced_softmax" },
  },
  folds = 3,
  seeds = 3,
  baseline = "ddpm",
}
