-- Does λ do what a shifted threshold does not? Methods that favour the tail are compared at equal recall of
-- the head: the tilt, chosen on validation, moves each of them along its own curve. The controls are those
-- of METHOD §8: the isotropic process with that tilt, with class weights, and with noise that needs the
-- image as often as adpm's. HAM10000 at 32×32, five folds that keep a lesion's images together, three seeds.
--   aniso run recipes/operating.lua --set data.root=DIR
--   aniso curve operating --operating                                      tail recall against head recall
--   aniso table operating --cols tail@head=0.90,tail@head=0.80,macro_f1 --delta tail@head=0.90
-- A vote of sampled labels ranks the images coarsely. One step from pure noise gives the posterior mean:
--   aniso eval operating --steps 1 --draws 8 --probabilities plain
--   aniso table operating --evaluations --cols nll,auc,tail@head=0.90 --delta tail@head=0.90
local aniso = require "aniso"

return aniso.study {
  name = "operating",
  data = { "ham10000", size = 32 },
  base = {
    method = "ddpm",
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { dim = 64, blocks = 2, heads = 4 },
    train = { mode = "staged", prior_epochs = 30, epochs = 4, batch = 128, draws = 4, lr = 2e-3,
      augment = { flip = true, shift = 4 } },
    select = { keep = "last", every = 10 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = {
    { label = "ddpm" },
    { label = "adpm", method = "adpm" },
    { label = "ddpm, share of adpm", ["schedule.lambda"] = { "isotropic", share_of = "bound" } },
    { label = "variance γ=½", ["schedule.lambda"] = { "power", gamma = 0.5 } },
    { label = "sample γ=¼", ["schedule.lambda"] = { "power", gamma = 0.25 },
      ["schedule.coupling"] = "sample" },
    { label = "class speed γ=½", ["schedule.lambda"] = { "power", gamma = 0.5, normalise = "head" },
      ["schedule.coupling"] = "class_speed" },
    { label = "class speed γ=½, weight λ", ["schedule.coupling"] = "class_speed",
      ["schedule.lambda"] = { "power", gamma = 0.5, normalise = "head" }, ["loss.class_weight"] = "lambda" },
    { label = "class weight n^−½", ["loss.class_weight"] = { "power", gamma = 0.5 } },
    { label = "hardness 1", ["loss.hardness"] = 1 },
    { label = "softmax", method = "softmax" },
    { label = "balanced softmax", method = "softmax", ["loss.prior"] = "balanced_softmax" },
  },
  folds = 5,
  seeds = 3,
  baseline = "ddpm",
}
