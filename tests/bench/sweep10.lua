-- sweep10: ten λ points, staged and in lock-step, against one joint run of the same network
-- (W1: ResNet-8 width 32 at 32×32, batch 128, M = 4); whole runs with validation, checkpoints
-- and evaluation. Rounds of both in turn; the ratio is the median of the rounds'.
--   ./aniso exec tests/bench/sweep10.lua [ROUNDS [EPOCHS [SHARE [IMAGES]]]]
-- The joint run and the first stage take EPOCHS, the denoisers of the second stage EPOCHS / SHARE.
-- recipes/README.md has the effect on quality: half the epochs are as good as the joint run, a third is a
-- little worse. So the ratio by steps alone is printed for all, a half and a third of the epochs.
-- Work that is done once per run is scaled to its share in a run of 30 epochs: 32 draws by 5 steps in the
-- evaluation, 2 draws by 10 in one validation at the end. The lower bound of the ratio is
-- (first stage + (frozen encoding + 10 · denoiser step) / SHARE) / joint step.
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local stage = require "aniso.train.stage"

local median = dofile "tests/bench/median.lua"
local sessions = dofile "tests/bench/session.lua"

local POINTS, LONG = 10, 30 -- epochs of a run that is long enough
local rounds, epochs, share, images = table.unpack {
  tonumber((...)) or 3, tonumber((select(2, ...))) or 6, tonumber((select(3, ...))) or 3,
  tonumber((select(4, ...))) or 1400 }
local second_epochs = math.max(1, epochs // share)
local clock = core.sys.monotonic
local nowhere = assert(io.open("/dev/null", "w"))

local function scaled(count)
  return math.max(1, count * epochs // LONG)
end

local function complete(mode, gamma)
  return config.complete {
    data = { "lesions", n = images, size = 32 },
    backbone = { "resnet", depth = 8, width = 32 }, prior = { mode = "both", crops = 4, crop_size = 16 },
    schedule = { "cosine", T = 1000, lambda = { "power", gamma = gamma } },
    denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 }, loss = { mmd = 0.5 },
    train = { mode = mode, prior_epochs = epochs, batch = 128, draws = 4,
      epochs = mode == "joint" and epochs or second_epochs },
    select = { keep = "last", every = epochs + second_epochs, draws = 2, steps = scaled(10) },
    sampler = { "ddim", steps = 5, draws = scaled(32) },
  }
end

-- Seconds of n whole runs of a mode, from their preparation to their end.
local function seconds(mode, n)
  local folder = assert(core.sys.mkdtemp())
  local db <close> = assert(aniso.store.open(folder .. "/runs.db"))
  local jobs = {}
  for i = 1, n do
    jobs[i] = { config = complete(mode, (i - 1) / 10), seed = 0, label = "point " .. i,
      study = "sweep10", db = db, stream = nowhere }
  end
  local start = clock()
  for _, outcome in ipairs(aniso.trainer.run_together(jobs)) do
    if outcome.problem then error(outcome.problem, 0) end
  end
  local took = clock() - start
  os.execute(("rm -r '%s'"):format(folder))
  return took
end

-- A session at the beginning of stage i of a mode.
local function session_in(mode, i)
  return sessions.begin(complete(mode, 0.5), i)
end

-- Seconds of a joint step, of a step of the first stage, of the frozen encoding of a batch, and of the
-- denoiser's step on it: medians of alternating rounds.
local function parts()
  local joint, first, second = session_in("joint", 1), session_in("staged", 1), session_in("staged", 2)
  local positions = sessions.positions(joint, 128)
  local batch
  local steps = {
    function() stage.step(joint, positions, 100) end,
    function() stage.step(first, positions, 100) end,
    function() batch = stage.batch(second, positions) end,
    function() stage.step_on(second, batch, 100) end,
  }
  local times = { {}, {}, {}, {} }
  for round = 0, 4 * rounds + 1 do
    for i, step in ipairs(steps) do
      local start = clock()
      step()
      times[i][round] = clock() - start -- [0], which warms up, is not in the median
    end
  end
  return median(times[1]), median(times[2]), median(times[3]), median(times[4])
end

local joint, staged, ratios = {}, {}, {}
for i = 1, rounds do
  joint[i], staged[i] = seconds("joint", 1), seconds("staged", POINTS)
  ratios[i] = staged[i] / joint[i]
end
local one, first, encoding, point = parts()
print(("  sweep10       joint run %.2f s, ten staged points %.2f s (%d epochs; %d and %d; %d images)")
  :format(median(joint), median(staged), epochs, epochs, second_epochs, images))
print(("  step: joint %.1f ms, first stage %.1f, frozen encoding %.1f, one denoiser %.1f"):format(one * 1e3,
  first * 1e3, encoding * 1e3, point * 1e3))
local function floor_of(part)
  return (first + (encoding + POINTS * point) / part) / one
end
print(("  by steps alone %.2f; were the second stage as long as the first %.2f, half as long %.2f, "
  .. "a third %.2f"):format(floor_of(share), floor_of(1), floor_of(2), floor_of(3)))
print(("ratio sweep10 %.2f"):format(median(ratios)))
