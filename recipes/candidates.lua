-- What do candidate classes cost? The denoiser with a token for each of seven classes, and with tokens for
-- the four and the two that the prior ranks highest (METHOD §5), on the built-in synthetic lesions.
--   aniso run recipes/candidates.lua
--   aniso table candidates --cols acc,macro_f1,tail,nll --delta acc,macro_f1,tail,nll
-- candidates_100.lua does the same with a hundred classes.
local aniso = require "aniso"

return aniso.study {
  name = "candidates",
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
    { label = "exact" },
    { label = "4 of 7", ["denoiser.candidates"] = 4 },
    { label = "2 of 7", ["denoiser.candidates"] = 2 },
    { label = "exact, class", ["train.prediction"] = "class" },
    { label = "4 of 7, class", ["train.prediction"] = "class", ["denoiser.candidates"] = 4 },
    { label = "2 of 7, class", ["train.prediction"] = "class", ["denoiser.candidates"] = 2 },
  },
  folds = 3,
  seeds = 3,
  baseline = "exact",
}
