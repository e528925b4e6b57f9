-- Learning rates by part (train.lr_scale) against an independent computation of the optimisers.
local lu = require "luaunit"
local core = require "aniso.core"
local objective = require "aniso.method.objective"
local stage = require "aniso.train.stage"
local fixture = dofile "tests/lua/freezing_fixture.lua"
local begun = fixture.begun

local Rates = {}

local SCALE = fixture.SCALE
-- The factors of SCALE written out: layer3 is the last stage.
local FACTOR = { stem = 0.5 * 0.8 ^ 3, layer1 = 0.5 * 0.8 ^ 2, layer2 = 0.5 * 0.8, layer3 = 0.5, prior = 2,
  denoiser = 0.25 }

local function factor_of(name)
  local part = name:match "^backbone%.(layer%d)" or name:match "^(%a+)%."
  return assert(FACTOR[part == "backbone" and "stem" or part], name)
end

-- The update of one number by each optimiser, as their papers have it: s is its state, t counts from 1.
local UPDATE = {
  sgd = function(p, g, s, _, lr, decay)
    s.buf = 0.9 * (s.buf or 0) + g + decay * p
    return p - lr * s.buf
  end,
  adamw = function(p, g, s, t, lr, decay)
    s.m, s.v = 0.9 * (s.m or 0) + 0.1 * g, 0.999 * (s.v or 0) + 0.001 * g * g
    local m, v = s.m / (1 - 0.9 ^ t), s.v / (1 - 0.999 ^ t)
    return p - lr * decay * p - lr * m / (math.sqrt(v) + 1e-8)
  end,
}

-- The gradients of the next step by name, {module, name, list}.
local function gradients(session, positions)
  local batch <close> = stage.batch(session, positions)
  local address = { seed = session.seed, progress = (session.step + 1) / 100,
    step = session.step + 1 + session.stage_number * 1000000000 }
  objective.step(session, batch.images, batch.labels, address):backward()
  local out = {}
  for _, part in ipairs(session.trained) do
    part.module:flat() -- completes the gradients
    for name, x in pairs(part.module:state()) do
      if x.grad then out[#out + 1] = { x = x, name = name, gradient = x.grad:list(), before = x:list() } end
    end
    part.module:zero_grad()
  end
  return out
end

local function check_rates(optimiser)
  local decay, lr = 0.1, 0.01
  local session = begun { ["train.optimiser"] = optimiser, ["train.lr"] = lr, ["train.weight_decay"] = decay,
    ["train.clip"] = 0, ["train.ema_decay"] = 0, ["train.lr_scale"] = SCALE }
  local state, seen = {}, {}
  for t = 1, 2 do
    local positions = core.tensor.arange(16)
    local entries = gradients(session, positions)
    stage.step(session, positions, 100)
    for _, entry in ipairs(entries) do
      local now, decays = entry.x:list(), #entry.x:shape() >= 2 and not entry.name:find "class%.weight"
      state[entry.name] = state[entry.name] or {}
      for i, before in ipairs(entry.before) do
        local own = state[entry.name][i] or {}
        state[entry.name][i] = own
        local expected = UPDATE[optimiser](before, entry.gradient[i], own, t, lr * factor_of(entry.name),
          decays and decay or 0)
        lu.assertAlmostEquals(now[i], expected, 2e-6, ("%s %d, step %d"):format(entry.name, i, t))
      end
      seen[entry.name:match "^%a+"] = true
    end
  end
  lu.assertEquals(seen, { backbone = true, prior = true, denoiser = true })
end

function Rates.test_sgd_by_part() check_rates "sgd" end

function Rates.test_adamw_by_part() check_rates "adamw" end

return Rates
