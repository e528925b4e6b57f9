-- ranks: a training step that ranks share (tests/bench/README.md).
--   mpirun -n R build/mpi/aniso exec tests/bench/ranks.lua WORK STEPS [THREADS]
-- WORK is w1 or w4. Prints the median milliseconds of a step after a first one, and a digest of the weights
-- after all of them, which is the same for every R and any number of threads.
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local lr_schedule = require "aniso.method.lr_schedule"
local stage = require "aniso.train.stage"

local WORKS = {
  w1 = { size = 32, batch = 128, n = 640, backbone = { "resnet", depth = 8, width = 32 }, crop = 16 },
  w4 = { size = 224, batch = 16, n = 96, backbone = { "resnet18" }, crop = 64 },
}
local work, STEPS = WORKS[arg[1]], tonumber(arg[2])
core.sys.threads(tonumber(arg[3] or 1))

local complete = config.complete {
  data = { "lesions", n = work.n, size = work.size }, backbone = work.backbone,
  prior = { mode = "both", crops = 4, crop_size = work.crop },
  schedule = { "cosine", T = 1000, lambda = "bound" },
  denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 },
  train = { batch = work.batch, draws = 4, sliced = true },
}

local session = aniso.trainer.prepare { seed = 0, config = complete }
stage.begin(session, 1)
session.lr_schedule = lr_schedule.cosine {}
session.model:train(true)
local positions = session.dataset:order("train", { sampling = "instance", seed = 0, epoch = 1, epochs = 1 })
  :narrow(1, 1, work.batch)

local times = {}
for i = 0, STEPS do
  local start = core.sys.monotonic()
  stage.step(session, positions, 10000)
  times[i] = 1000 * (core.sys.monotonic() - start)
end
table.sort(times)
local weights = table.concat(session.model.net:flat():list(), " ")
print(("%s, ranks %d, threads %d: step %.0f ms, weights %s"):format(arg[1], (core.sys.ranks()),
  core.sys.threads(), times[(STEPS + 1) // 2], core.sha256.text(weights):sub(1, 12)))
