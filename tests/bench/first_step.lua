-- The start of a process up to the first training step of W1: first_step.lua FOLDER, images that an
-- earlier run has packed. Prints "ready" when the first batch is there, its loss after the step.
local config = require "aniso.method.config"
local stage = require "aniso.train.stage"

local sessions = dofile "tests/bench/session.lua"

local session = sessions.begin(config.complete {
  data = { "folder", root = arg[1], size = 32 }, backbone = { "resnet", depth = 8, width = 32 },
  prior = { mode = "both", crops = 4, crop_size = 16 },
  denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 }, loss = { mmd = 0.5 },
  train = { epochs = 30, batch = 128, draws = 4 },
})
local batch = stage.batch(session, sessions.positions(session, 128))
print "ready"
io.stdout:flush()
print(stage.step_on(session, batch, 1000).loss)
