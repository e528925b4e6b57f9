-- The start of a process up to the first training step of W1: first_step.lua FOLDER, images that an
-- earlier run has packed. Prints "ready" when the first batch is there, its loss after the step.
local aniso = require "aniso"
local config = require "aniso.method.config"
local lr_schedule = require "aniso.method.lr_schedule"
local stage = require "aniso.train.stage"

local session = aniso.trainer.prepare { seed = 0, config = config.complete {
  data = { "folder", root = arg[1], size = 32 }, backbone = { "resnet", depth = 8, width = 32 },
  prior = { mode = "both", crops = 4, crop_size = 16 },
  denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 }, loss = { mmd = 0.5 },
  train = { epochs = 30, batch = 128, draws = 4 },
} }
stage.begin(session, 1)
session.lr_schedule = lr_schedule.cosine {}
session.model:train(true)
local order = session.dataset:order("train", { sampling = "instance", seed = 0, epoch = 1, epochs = 1 })
local batch = stage.batch(session, order:narrow(1, 1, 128))
print "ready"
io.stdout:flush()
print(stage.step_on(session, batch, 1000).loss)
