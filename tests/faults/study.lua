-- The study that the faults strike: a folder of 36 small images, one shared first stage, two denoisers in
-- lock-step. It writes every kind of file that a study can write. `make_images.lua images` comes first.
local aniso = require "aniso"

return aniso.study {
  name = "faults", data = { "folder", root = "images/good", size = 8 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { crops = 2 },
    schedule = { "cosine", T = 20 },
    denoiser = { "film", dim = 8 }, sampler = { "ddim", steps = 2, draws = 1 },
    train = { mode = "staged", epochs = 2, prior_epochs = 1, batch = 12, draws = 1 },
  },
  vary = { aniso.grid { ["schedule.lambda"] = aniso.power { 0, 0.5 } } },
}
