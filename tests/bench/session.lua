-- session: training that has begun, for benches of single steps. dofile → the functions below.
local aniso = require "aniso"
local lr_schedule = require "aniso.method.lr_schedule"
local stage = require "aniso.train.stage"

local session = {}

-- A session of seed 0 at the beginning of a stage, the first if left out. config: complete.
function session.begin(config, number)
  local one = aniso.trainer.prepare { seed = 0, config = config }
  stage.begin(one, number or 1)
  one.lr_schedule = lr_schedule.cosine {}
  one.model:train(true)
  return one
end

-- The positions of the first `batch` training images, for stage.step() and stage.batch().
function session.positions(one, batch)
  return one.dataset:order("train", { sampling = "instance", seed = 0, epoch = 1, epochs = 1 })
    :narrow(1, 1, batch)
end

return session
