-- sweep10: ten λ points, staged and in lock-step, against one joint run of the same network
-- (W1: ResNet-8 width 32 at 32×32, batch 128, M = 4); whole runs with validation, checkpoints
-- and evaluation. Rounds of both in turn.
--   ./aniso exec tests/bench/sweep10.lua [ROUNDS [EPOCHS [SHARE [IMAGES]]]]
-- The joint run and the first stage take EPOCHS, the denoisers behind it EPOCHS / SHARE: on
-- features that stand still a third of the epochs is enough (recipes/README.md has the numbers).
-- Also prints the parts of a step and the ratio that they allow: the floor is
-- (net step + (frozen look + 10 · denoiser step) / SHARE) / joint step whatever the runner does.
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.config"
local objective = require "aniso.objective"
local rate = require "aniso.rate"
local stage = require "aniso.train.stage"

local rounds, epochs, share, images = table.unpack {
  tonumber((...)) or 3, tonumber((select(2, ...))) or 3, tonumber((select(3, ...))) or 3,
  tonumber((select(4, ...))) or 1400 }
local second_epochs = math.max(1, epochs // share)
local clock = core.sys.monotonic
local nowhere = assert(io.open("/dev/null", "w"))

local function complete(mode, gamma)
  return config.complete {
    data = { "lesions", n = images, size = 32 },
    backbone = { "resnet", depth = 8, width = 32 }, prior = { mode = "both", crops = 4, crop = 16 },
    schedule = { "cosine", T = 1000, lambda = { "power", gamma = gamma } },
    denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 }, loss = { mmd = 0.5 },
    train = { mode = mode, prior_epochs = epochs, batch = 128, draws = 4,
      epochs = mode == "joint" and epochs or second_epochs },
    -- validated once, at the end; 32 draws after 30 epochs weigh as 3 after 3
    select = { keep = "last", every = epochs + second_epochs },
    sampler = { "ddim", steps = 5, draws = epochs },
  }
end

local function seconds(mode, n)
  local folder = assert(core.sys.mkdtemp())
  local db <close> = assert(aniso.store.open(folder .. "/runs.db"))
  local jobs = {}
  for i = 1, n do
    jobs[i] = { config = complete(mode, (i - 1) / 10), seed = 0, label = "point " .. i,
      study = "sweep10", db = db, stream = nowhere }
  end
  local start = clock()
  for _, outcome in ipairs(aniso.trainer.run_together(jobs)) do assert(not outcome.problem) end
  local took = clock() - start
  os.execute(("rm -r '%s'"):format(folder))
  return took
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function timed(f)
  local list = {}
  for i = 1, 2 * rounds + 1 do
    local start = clock()
    f()
    list[i] = clock() - start
  end
  return median(list)
end

-- Seconds of a step in stage i of a mode, and of the frozen networks' look at a batch.
local function step(mode, i)
  local session = aniso.trainer.prepare { config = complete(mode, 0.5), seed = 0 }
  stage.begin(session, i)
  session.rate = rate.cosine {}
  session.model:train(true)
  local positions = session.dataset:order("train", { sampler = "instance", seed = 0, epoch = 1,
    epochs = 1 }):narrow(1, 1, 128)
  local batch = session.dataset:batch("train", positions, { seed = 0, epoch = 1 })
  return timed(function() stage.step(session, positions, 100) end),
    i == 2 and timed(function() objective.look(session, batch) end) or nil
end

local joint, staged = {}, {}
for i = 1, rounds do
  joint[i], staged[i] = seconds("joint", 1), seconds("staged", 10)
end
local one, prior, second, look = step("joint", 1), step("staged", 1), step("staged", 2)
local point = second - look
print(("  joint run %.2f s, ten staged points %.2f s (%d epochs; %d and %d; %d images, median of %d)")
  :format(median(joint), median(staged), epochs, epochs, second_epochs, images, rounds))
print(("  step: joint %.1f ms, first stage %.1f, frozen look %.1f, one denoiser %.1f"):format(one * 1e3,
  prior * 1e3, look * 1e3, point * 1e3))
print(("  by steps alone %.2f; with as many epochs in the second stage %.2f"):format(
  (prior + (look + 10 * point) / share) / one, (prior + look + 10 * point) / one))
print(("ratio sweep10 %.2f"):format(median(staged) / median(joint)))
