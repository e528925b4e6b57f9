-- Reverse chains from y_T to ŷ0, S of the schedule's T steps, for a batch of rows at once. A
-- sampler is one entry of `kinds`; its help text, completion and checks come from the entry.
--   step(chain, y, output, t, u)   → y at time u, where output is the network's at time t. chain
--                                  holds schedule, m, level, options (the sampler's), read (how
--                                  output is read), memory (the chain's own, empty at first), noise()
--   text, options                  what it is, with its source, and the options beyond those of all
-- A recipe may bring a step function of its own (recipe/own_part.lua).
local core = require "aniso.core"
local nearest = require "aniso.recipe.nearest"
local options = require "aniso.recipe.options"
local own_part = require "aniso.recipe.own_part"
local renamed = require "aniso.recipe.renamed"
local tilt = require "aniso.method.tilt"

local tensor = core.tensor
local number, integer, one_of = options.number, options.integer, options.one_of

local sampler = {}

local function ddim(chain, y, output, t, u, eta)
  local read = chain.read
  read.eta = u > 0 and eta or 0 -- at u = 0 there is no noise left to add
  read.noise = read.eta > 0 and chain.noise() or nil
  return (chain.schedule:ddim_step(y, chain.m, output, t, u, read, chain.level))
end

-- Noise of η times the posterior's; none by default.
local function ddim_step(chain, y, output, t, u)
  return ddim(chain, y, output, t, u, chain.options.eta or 0)
end

-- DDIM with η = 1 is the ancestral posterior, the same Gaussian at any stride.
local function ddpm_step(chain, y, output, t, u)
  return ddim(chain, y, output, t, u, 1)
end

-- Keeps the last step's estimate and time.
local function dpmpp_step(chain, y, output, t, u)
  local read, memory = chain.read, chain.memory
  read.previous_z0, read.previous_t = memory.z0, memory.t
  y, memory.z0 = chain.schedule:dpm_step(y, chain.m, output, t, u, read, chain.level)
  memory.t = t
  return y
end

local DEFAULT = "ddim"

sampler.kinds = {
  ddim = { text = "2010.02502", step = ddim_step,
    options = { eta = number { default = 0, min = 0, max = 1,
      text = "η, share of the posterior's noise" } } },

  ddpm = { text = "The ancestral posterior, 2006.11239.", step = ddpm_step },

  dpmpp = { text = "DPM-Solver++(2M), 2211.01095.", step = dpmpp_step },
}

local NAMED_LEVELS = { mixture = true, max = true, min = true }

-- The level at which chains of the coupling `sample` run: a name, or a number above 0.
local level = options.custom(function(value, where)
  if NAMED_LEVELS[value] or type(value) == "number" and value > 0 and value < math.huge then return value end
  error(("option %s must be mixture, max, min or a number above 0, got %s"):format(where, tostring(value)), 0)
end, "mixture", { about = { type = '"mixture"|"max"|"min"|number',
  text = "λ(x) of the coupling sample: Σ_j m_j λ_j, the largest or smallest λ, or this number" } })

-- Options of every sampler, including a recipe's own.
sampler.common = {
  steps = integer { default = 20, min = 1, text = "S, steps of a chain, at most schedule.T" },
  draws = integer { default = 8, min = 1, max = 65536, text = "R, chains per image" },
  spacing = one_of { "uniform", "quadratic", "logsnr", text = "Of the steps over T" },
  clip = number { default = 1, min = 0, text = "ŷ0 is held in [−clip, 1 + clip]; 0: off" },
  probabilities = one_of { "distance", "plain",
    text = "softmax(−(ŷ0−1)²/temperature), or ŷ0 above 0 over its sum" },
  temperature = number { default = 0.25, above = 0, text = 'Of "distance"' },
  level = level,
  tilt = tilt.option,
  seed = integer { default = 0, min = 0, text = "Of the noise" },
}

-- The rule for the option sampler.
sampler.option = options.registry(sampler.kinds, DEFAULT, sampler.common)

-- The names of the program's samplers, sorted.
function sampler.names()
  local names = {}
  for name in pairs(sampler.kinds) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- The step function of an own part: y must keep its shape.
local function own_step(reference)
  local call, fail = own_part.need(reference, "sampler")
  return function(chain, y, ...)
    local next_y = call(chain, y, ...)
    if type(next_y) ~= "userdata" or next_y:numel() ~= y:numel() then
      fail("the step must give y at time u, a tensor of y's shape")
    end
    return next_y
  end
end

-- The step function of a kind, of {kind, option = …}, or of an own part's reference; raises if there is none.
function sampler.step_of(choice)
  if own_part.is(choice) then return own_step(choice) end
  local name = type(choice) == "table" and choice[1] or choice
  local kind = sampler.kinds[name]
  if type(kind) == "function" then
    error(("sampler.kinds.%s is an entry {step = function}, not a function; a recipe gives the function "
      .. "itself: sampler = function(chain, y, output, t, u) … end"):format(name), 0)
  end
  if kind then return kind.step end
  local names = sampler.names()
  local meant = nearest(tostring(name), names)
  error(("unknown sampler %s (%s)"):format(name, meant and ("did you mean %s?"):format(meant)
    or "known: " .. table.concat(names, ", ")), 0)
end

-- The tilted estimate of y0 that `output` gives, as the output of a network that predicts y0.
local function tilted(chain, y, output, t, read, kappa)
  local z0 = chain.schedule:estimate(y, chain.m, output, t, read, chain.level)
  return core.schedule.tilt(chain.m + z0, kappa)
end

-- The test level of each row for the coupling `sample`, and the levels (B,K) for the coupling `image`; nil
-- for the others. m: prior means (B,K); level_of: a value of the option sampler.level.
function sampler.levels(s, m, level_of)
  if s.coupling == "image" then return s:levels_of_images(m) end
  if s.coupling ~= "sample" then return nil end
  if level_of == "mixture" then return s:levels_of_priors(m) end
  local value = level_of
  if type(value) == "string" then value = math[value](table.unpack(s.levels)) end
  return tensor.full({ m:size(1) }, value)
end

-- run{ schedule=, denoise=function(y, t) → output, m= (B,K), level= [sample coupling] (B),
--      kind="ddim" (or a complete value of the option sampler), eta=, steps=, spacing="uniform",
--      prediction="epsilon", clip=0,
--      kappa= [opt] K numbers that tilt the estimate of y0 at every step,
--      alike= [opt] rows of one image: every image then uses the noise of the first, so that its result
--             does not depend on the others,
--      seed=0, stream_index=0, first=0 } → ŷ0 (B,K)
-- `first` is the index of the batch's first number in the noise of the whole set (row · K), so that
-- a row's noise does not depend on the batches. t is an int64 tensor (B).
function sampler.run(o)
  renamed.check_arguments(o, "sampler.run")
  local s, kind = o.schedule, o.kind or DEFAULT
  local step = sampler.step_of(kind)
  local B, K, drawn = o.m:size(1), s.K, 0
  local read = { prediction = o.prediction, clip = o.clip }
  local chain = { schedule = s, m = o.m, level = o.level, memory = {},
    options = type(kind) == "table" and kind or o,
    read = o.kappa and { prediction = "y0" } or read }
  function chain.noise()
    local rows = o.alike or B
    local x = tensor.randn { shape = { rows, K }, seed = o.seed, stream = "reverse", a = drawn,
      b = o.stream_index, first = o.first }
    drawn = drawn + 1
    if rows == B then return x end
    return x:reshape(1, rows * K):repeat_rows(B // rows):reshape(B, K)
  end

  local times = s:times(o.steps, o.spacing)
  local y = s:forward_step(o.m, o.m, 0, s.T, chain.noise(), o.level) -- in double, like all of a chain
  for i = 1, o.steps do
    local t, u = times[i], times[i + 1]
    local output = o.denoise(y, tensor.full({ B }, t, "int64"))
    if o.kappa then output = tilted(chain, y, output, t, read, o.kappa) end
    y = step(chain, y, output, t, u)
  end
  return y
end

-- Passes of the network per image: run() calls it once per step, whichever sampler takes the step.
function sampler.passes(how)
  return how.steps * how.draws
end

-- Class probabilities of ŷ0 (B·R,K), chains of an image in adjacent rows: mean over the R
-- draws (B,K), the chains' 95 % interval per class (B,K), the share that agree (B).
-- kind: "distance", softmax(−(ŷ−1)²/temperature), or "plain", max(ŷ,0) over its sum. kappa [opt]: K
-- numbers that tilt the mean, and for the two measures the chains.
function sampler.probabilities(y0_hat, kind, temperature, draws, kappa)
  return core.schedule.vote(y0_hat, kind, temperature, draws, kappa)
end

return sampler
