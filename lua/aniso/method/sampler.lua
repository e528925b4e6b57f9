-- Reverse chains from y_T to ŷ0, S of the schedule's T steps, for a batch of rows at once.
-- A sampler is one entry of `kinds`: step(chain, y, output, t, u) → y at time u, where
-- output is the network's at time t and chain holds schedule, m, level, options (the table
-- given to run), read (how output reads), memory (its own, empty at first) and noise().
--   sampler.kinds.mine = function(chain, y, output, t, u) … end     makes a new one
local core = require "aniso.core"
local nearest = require "aniso.recipe.nearest"

local tensor = core.tensor

local sampler = { kinds = {} }

local function ddim(chain, y, output, t, u, eta)
  local read = chain.read
  read.eta = u > 0 and eta or 0 -- at u = 0 there is no noise left to add
  read.noise = read.eta > 0 and chain.noise() or nil
  return (chain.schedule:ddim_step(y, chain.m, output, t, u, read, chain.level))
end

-- Noise of η times the posterior's; none by default (2010.02502).
function sampler.kinds.ddim(chain, y, output, t, u)
  return ddim(chain, y, output, t, u, chain.options.eta or 0)
end

-- The ancestral posterior (2006.11239): DDIM with η = 1 is the same Gaussian at any stride.
function sampler.kinds.ddpm(chain, y, output, t, u)
  return ddim(chain, y, output, t, u, 1)
end

-- DPM-Solver++(2M) (2211.01095): remembers the last step's estimate and time.
function sampler.kinds.dpmpp(chain, y, output, t, u)
  local read, memory = chain.read, chain.memory
  read.previous_z0, read.previous_t = memory.z0, memory.t
  y, memory.z0 = chain.schedule:dpm_step(y, chain.m, output, t, u, read, chain.level)
  memory.t = t
  return y
end

local function find(kind)
  if sampler.kinds[kind] then return sampler.kinds[kind] end
  local names = {}
  for name in pairs(sampler.kinds) do names[#names + 1] = name end
  table.sort(names)
  local meant = nearest(tostring(kind), names)
  error(("unknown sampler %s (%s)"):format(kind, meant and ("did you mean %s?"):format(meant)
    or "known: " .. table.concat(names, ", ")), 0)
end

-- run{ schedule=, denoise=function(y, t) → output, m= (B,K), level= [sample coupling] (B),
--      kind="ddim", eta=, steps=, spacing="uniform", parameterisation="epsilon", clip=0,
--      seed=0, stream_index=0, first=0 } → ŷ0 (B,K)
-- `first` is the place of the batch's first number in the noise of the whole set (row · K):
-- then every row has the same noise whatever the batches are. t is an int64 tensor (B).
function sampler.run(o)
  local s, step = o.schedule, find(o.kind or "ddim")
  local B, K, drawn = o.m:size(1), s.K, 0
  local chain = { schedule = s, m = o.m, level = o.level, options = o, memory = {},
    read = { parameterisation = o.parameterisation, clip = o.clip } }
  function chain.noise()
    local x = tensor.randn { shape = { B, K }, seed = o.seed, stream = "reverse", a = drawn,
      b = o.stream_index, first = o.first }
    drawn = drawn + 1
    return x
  end

  local times = s:times(o.steps, o.spacing)
  local y = s:q_sample(o.m, o.m, s.T, chain.noise(), o.level)
  for i = 1, o.steps do
    local t, u = times[i], times[i + 1]
    y = step(chain, y, o.denoise(y, tensor.full({ B }, t, "int64")), t, u)
  end
  return y
end

-- Class probabilities of ŷ0 (B·R,K), chains of an image in adjacent rows: mean over the R
-- draws (B,K), the chains' 95 % interval per class (B,K), the share that agree (B).
-- kind: "distance", softmax(−(ŷ−1)²/temperature), or "plain", max(ŷ,0) over its sum.
function sampler.probabilities(y0_hat, kind, temperature, draws)
  return core.schedule.vote(y0_hat, kind, temperature, draws)
end

return sampler
