-- What does the diffusion add? The full method against every baseline: the diffusions of its kind, and
-- the classifier of the same backbone with each loss, sampling, correction after training and augmentation
-- for long tails. HAM10000 at 32×32, five folds that keep a lesion's images together, three seeds. Equal
-- first stages are trained once per seed and fold: adpm, ddpm and diffmic share one; card, the plain
-- classifier and its corrections after training share another.
--   aniso run recipes/baselines.lua --set data.root=DIR
--   … --only adpm --only ddpm --only softmax                some of them
--   … --set data='{"lesions", n=1400, size=32}'             on the built-in synthetic lesions
-- Afterwards:
--   aniso table baselines --cols acc,bacc,macro_f1,tail,tail@head=0.90 --delta macro_f1,tail@head=0.90
--   aniso curve baselines --operating                       tail recall against head recall
local aniso = require "aniso"

-- A classifier without a denoiser: its predictions are those of its prior.
local function classifier(label, options)
  local variant = { label = label, method = "softmax" }
  for name, value in pairs(options) do variant[name] = value end
  return variant
end

-- The denoiser of CARD and DiffMIC, as wide as the tokens of the cross-attention. Both methods predict ε,
-- which takes more steps than this recipe runs. Here it predicts y0, as the others do.
local function film(label)
  return { label = label, method = label, denoiser = { "film", dim = 64 }, ["train.prediction"] = "y0" }
end

return aniso.study {
  name = "baselines",
  data = { "ham10000", size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    train = { mode = "staged", prior_epochs = 30, epochs = 4, batch = 128, draws = 4, lr = 2e-3,
      augment = { flip = true, shift = 4 } },
    select = { keep = "last", every = 10 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = {
    { label = "adpm", method = "adpm" },
    { label = "ddpm", method = "ddpm" },
    film "diffmic",
    film "card",
    classifier("softmax", {}),
    -- losses
    classifier("weighted", { ["loss.prior"] = "weighted" }),
    classifier("focal", { ["loss.prior"] = "focal" }),
    classifier("class-balanced", { ["loss.prior"] = "class_balanced" }),
    classifier("LDAM-DRW", { ["loss.prior"] = "ldam", ["prior.cosine"] = true }),
    classifier("balanced softmax", { ["loss.prior"] = "balanced_softmax" }),
    classifier("logit-adjusted loss", { ["loss.prior"] = "logit_adjustment" }),
    -- sampling of images
    classifier("class-balanced sampling", { ["train.sampling"] = "class_balanced" }),
    classifier("square-root sampling", { ["train.sampling"] = "square_root" }),
    classifier("progressive sampling", { ["train.sampling"] = "progressive" }),
    -- after training
    classifier("logit adjustment", { post_hoc = "logit_adjustment" }),
    classifier("τ-norm", { post_hoc = "tau_norm" }),
    classifier("cRT", { post_hoc = { "crt", epochs = 5 } }),
    classifier("LWS", { post_hoc = { "lws", epochs = 5 } }),
    -- augmentation
    classifier("mixup", { ["train.mixup"] = 0.2 }),
  },
  folds = 5,
  seeds = 3,
  baseline = "adpm",
}
