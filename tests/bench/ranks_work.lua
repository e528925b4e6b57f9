-- ranks_work: the networks of ranks.lua and ranks_model.lua, W1 and W4 with slices. dofile → open(name).
local core = require "aniso.core"
local config = require "aniso.method.config"
local objective = require "aniso.method.objective"
local stage = require "aniso.train.stage"

local sessions = dofile "tests/bench/session.lua"

local work = {}

work.names = { "w1", "w4" }

local WORKS = {
  w1 = { size = 32, batch = 128, n = 640, backbone = { "resnet", depth = 8, width = 32 }, crop = 16 },
  w4 = { size = 224, batch = 16, n = 96, backbone = { "resnet18" }, crop = 64 },
}

-- → session and the positions of a batch, for stage.step().
function work.open(name)
  local of = WORKS[name]
  local session = sessions.begin(config.complete {
    data = { "lesions", n = of.n, size = of.size }, backbone = of.backbone,
    prior = { mode = "both", crops = 4, crop_size = of.crop },
    schedule = { "cosine", T = 1000, lambda = "bound" },
    denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 },
    train = { batch = of.batch, draws = 4, sliced = true },
  })
  return session, sessions.positions(session, of.batch)
end

-- → a function of a session and a number of images that computes what ranks share, forward and backward: the
-- backbone and the crops' network. The priors' heads, which rank 0 computes alone, are in it: they are small.
-- sliced: sums by eight slices of these images, as one process has them.
function work.shared(session, positions)
  local images = session.dataset:batch("train", positions, { seed = 0, epoch = 1 })
  return function(n, sliced)
    session.model.net:slice(sliced)
    local features, prior = session.model:encode(images:narrow(1, 1, n))
    local loss = features:sum() + prior.g:sum() + prior.l:sum()
    loss:backward()
    session.model.net:zero_grad()
    core.ops.clear_tape()
  end
end

-- → a function that computes what rank 0 computes alone: the batch, the denoiser with its losses, and the
-- optimiser of all weights.
function work.alone(session, positions)
  local seen
  do
    local batch <close> = stage.batch(session, positions)
    seen = objective.encode_frozen(session, batch.images)
    seen.features, seen.prior.crops = seen.features:param(), seen.prior.crops:param()
  end
  return function()
    local batch <close> = stage.batch(session, positions)
    session.stage = "denoiser"
    seen.drawn = {}
    stage.step_on(session, { labels = batch.labels, frozen = seen }, 10000)
    session.stage = "joint"
  end
end

return work
