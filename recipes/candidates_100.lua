-- What do candidate classes cost among a hundred? A token for each, or for the 16 or 8 classes that the prior
-- ranks highest (METHOD §5), on data in CIFAR-100's binary layout with an exponential long tail of ratio 100.
--   aniso run recipes/candidates_100.lua --set data.root=DIR --threads 1
--   aniso table candidates_100 --cols acc,macro_f1,head,medium,tail,nll --prior --delta acc,macro_f1,nll
-- DIR holds train.bin, test.bin and fine_label_names.txt of CIFAR-100, or what tests/bench/pairs.py makes
-- from CIFAR-10.
local aniso = require "aniso"

return aniso.study {
  name = "candidates_100",
  data = { "cifar100", size = 32, long_tail = { "exp", ratio = 100 }, val = 0.1 },
  base = {
    method = "ddpm",
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { dim = 64, blocks = 1, heads = 4 },
    train = { mode = "staged", prior_epochs = 15, epochs = 5, batch = 128, draws = 2, lr = 2e-3,
      augment = { shift = 2 } },
    select = { keep = "last", every = 15 },
    sampler = { "ddim", steps = 5, draws = 8 },
  },
  variants = {
    { label = "exact" },
    { label = "16 of 100", ["denoiser.candidates"] = 16 },
    { label = "8 of 100", ["denoiser.candidates"] = 8 },
  },
  seeds = 2,
  baseline = "exact",
}
