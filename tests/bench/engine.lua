-- engine: the engine's side of the benches. Reads a command per line and answers each with one line, so
-- that rounds alternate with the peer's process.
--   work NAME FILE [MEMORY [PRECISION]]   prepares w1 … w5 or w1_film, with train.memory and
--                     train.precision; FILE gets weights, one batch and its outputs
--   step              one whole training step                               → seconds
--   predict KIND S R  the test images through S steps and R draws           → seconds images
--   threads N | allocs STEPS | rss | digest                                 → a number or text
local core = require "aniso.core"
local config = require "aniso.method.config"
local predict = require "aniso.method.predict"
local stage = require "aniso.train.stage"
local step_memory = require "aniso.train.step_memory"

local sessions = dofile "tests/bench/session.lua"

local clock = core.sys.monotonic
local WORKS = {
  w1 = { size = 32, batch = 128, backbone = { "resnet", depth = 8, width = 32 } },
  w2 = { size = 64, batch = 64, backbone = { "resnet", depth = 8, width = 32 } },
  w3 = { size = 64, batch = 32, backbone = { "resnet18" } },
  w4 = { size = 224, batch = 16, backbone = { "resnet18" }, crop = 64, images = 112 },
  w5 = { size = 224, batch = 16, backbone = { "resnet50" }, crop = 64, images = 112 },
  w1_film = { size = 32, batch = 128, backbone = { "resnet", depth = 8, width = 32 },
    denoiser = { "film", dim = 128 } },
}
local session, positions, steps

local function complete(work, memory, precision)
  return config.complete {
    data = { "lesions", n = work.images or 640, size = work.size }, backbone = work.backbone,
    prior = { mode = "both", crops = 4, crop_size = work.crop or 16 },
    schedule = { "cosine", T = 1000, lambda = "bound" },
    denoiser = work.denoiser or { "cross_attention", dim = 128, blocks = 2, heads = 4 },
    loss = { mmd = 0.5 },
    train = { epochs = 30, batch = work.batch, draws = 4, clip = 1, augment = {}, memory = memory,
      precision = precision },
  }
end

-- A batch and the outputs of the networks, which the peer compares.
local function sample(batch)
  local images = session.dataset:batch("train", positions, { seed = 0, epoch = 1 })
  local rows = batch * 4
  local y = core.tensor.randn { shape = { rows, session.dataset.K }, seed = 1, stream = "noise" }
  local t = core.tensor.from(core.rng.below(1, "time", 0, rows, 1000), "int64")
  local out = { ["sample.images"] = images, ["sample.y"] = y, ["sample.t"] = t }
  core.ops.no_grad(function()
    local features, prior = session.model:encode(images)
    out["sample.m"], out["sample.positions"] = prior.m, prior.positions
    out["sample.out"] = session.model.denoiser:forward(session.model:context(features, prior), y, t)
  end)
  return out
end

local commands = {}

local function step() stage.step(session, positions, steps) end

function commands.work(name, file, memory, precision)
  local work = WORKS[name]
  session = sessions.begin(complete(work, memory, precision))
  step_memory.choose(session)
  positions = sessions.positions(session, work.batch)
  steps = 10000
  for _ = 1, 3 do step() end -- before training, the denoiser's output is zero
  local tensors = sample(work.batch)
  for _, part in ipairs(session.model.modules) do
    for key, tensor in pairs(part.module:state()) do tensors[key] = tensor end
  end
  assert(core.safetensors.save(file, tensors))
  return session.dataset:n "test"
end

function commands.step()
  local start = clock()
  step()
  return clock() - start
end

function commands.predict(kind, S, R)
  local how = { seed = 0 }
  for key, value in pairs(session.config.sampler) do how[key] = value end
  how[1], how.steps, how.draws = kind, tonumber(S), tonumber(R)
  local start = clock()
  predict.predict(session.model, session.dataset, "test", how)
  local took = clock() - start
  session.model:train(true)
  return took
end

function commands.threads(n) return core.sys.threads(tonumber(n)) end
function commands.rss() return core.sys.peak_rss() end

-- Returns the allocations of the engine and of Lua per step.
function commands.allocs(n)
  local before = core.sys.memory()
  for _ = 1, tonumber(n) do step() end
  local after = core.sys.memory()
  return ("%g %g"):format((after.allocs - before.allocs) / n, (after.lua_allocs - before.lua_allocs) / n)
end

-- A hash of the weights, to compare bits.
function commands.digest()
  local texts = {}
  for _, part in ipairs(session.model.modules) do
    local list = {}
    for i, value in ipairs(part.module:flat():list()) do list[i] = ("%a"):format(value) end
    texts[#texts + 1] = table.concat(list, " ")
  end
  return core.sha256.text(table.concat(texts, " "))
end

io.stdout:setvbuf "line"
for line in io.lines() do
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  print(commands[words[1]](table.unpack(words, 2)))
end
