-- Does any member of the family beat the isotropic process with a validated tilt? Attempts beyond one fixed
-- level per class, at equal recall of the head. HAM10000 at 32×32, five folds that keep a lesion's images
-- together, three seeds.
--   aniso run recipes/beyond.lua --set data.root=DIR
--   aniso table beyond --cols macro_f1,tail,tail@head=0.90 --delta tail@head=0.90
--   aniso curve beyond --operating
--   aniso eval beyond --steps 1 --draws 8 --probabilities plain          the posterior mean, from pure noise
--   aniso table beyond --evaluations --cols nll,auc,tail@head=0.90 --delta tail@head=0.90
-- All but the last four share backbone and priors with recipes/operating.lua in the same folder.
local aniso = require "aniso"

return aniso.study {
  name = "beyond",
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
    -- levels learned on an objective in which every class weighs the same
    { label = "learned λ", ["schedule.lambda"] = "learned" },
    -- levels of each image from the uncertainty of its prior
    { label = "image levels", ["schedule.coupling"] = "image" },
    -- images that the prior does not expect weigh more
    { label = "hardness 2, class weight n^−½", ["loss.hardness"] = 2,
      ["loss.class_weight"] = { "power", gamma = 0.5 } },
    -- the levels and weights closest to the paper's wording, the weights late in the training
    { label = "class speed γ=½, late weight λ", ["schedule.coupling"] = "class_speed",
      ["schedule.lambda"] = { "power", gamma = 0.5, normalise = "head" },
      ["loss.class_weight"] = { "lambda", defer = 0.5 } },
    -- a distribution over the classes instead of a label vector
    { label = "class", ["train.prediction"] = "class" },
    -- the same with a first stage that rebalances the classes, or mixes pairs of images
    { label = "class, balanced prior", ["train.prediction"] = "class", ["loss.prior"] = "balanced_softmax" },
    -- control for the balanced first stage: the same denoiser as ddpm
    { label = "balanced prior", ["loss.prior"] = "balanced_softmax" },
    -- the first stage with the best tail recall among the classifiers of recipes/baselines.lua
    { label = "class-balanced prior", ["loss.prior"] = "class_balanced" },
    { label = "class, mixup prior", ["train.prediction"] = "class", ["train.mixup"] = 0.2 },
  },
  folds = 5,
  seeds = 3,
  baseline = "ddpm",
}
