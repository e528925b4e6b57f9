-- For tests of parameter groups: a small configuration, a session in its first stage, and steps of it.
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local stage = require "aniso.train.stage"

local fixture = {}

function fixture.complete(changes)
  return config.complete(aniso.options.apply({
    data = { "lesions", n = 140, size = 12 },
    backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { epochs = 5, batch = 28, draws = 2, lr_schedule = "constant", warmup = 0 },
    select = { steps = 2, draws = 1, keep = "last" },
    sampler = { "ddim", steps = 2, draws = 1 },
  }, changes or {}))
end

function fixture.begun(changes)
  local session = aniso.trainer.prepare { config = fixture.complete(changes), seed = 0 }
  stage.begin(session, 1)
  session.model:train(true)
  return session
end

function fixture.take_steps(session, n)
  for i = 1, n do stage.step(session, core.tensor.arange(20):narrow(1, i, 16), 100) end
end

-- luaunit describes a difference of long lists slowly: their text is compared.
function fixture.assert_same(got, expected, what)
  require("luaunit").assertTrue(core.json.encode(got) == core.json.encode(expected), what or "they differ")
end

-- For another test of the same: factors by part.
fixture.SCALE = { backbone = 0.5, prior = 2, denoiser = 0.25, layer_decay = 0.8 }

return fixture
