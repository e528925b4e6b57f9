-- The numbers of a model's chains as tensors, so that a program without a schedule can run them: with ddim
-- and eta = 0, y begins at m + noise_T · start and moves from time to time as in METHOD §2.
--   chain.times (S+1) int64, from T to 0     chain.signal, chain.noise (S+1, K): a and s at these times
--   chain.start (R, K): the noise at which the chains of every image begin
-- The program itself computes them from the description.
local core = require "aniso.core"

local chain_tables = { prefix = "chain." }

-- model: with a denoiser; how: the sampler's complete options. → tensors by name
function chain_tables.of(model, how)
  local schedule, signal, noise = model.schedule, {}, {}
  local times = schedule:times(how.steps, how.spacing)
  for i, t in ipairs(times) do signal[i], noise[i] = schedule:signal(t):list(), schedule:noise(t):list() end
  return { ["chain.times"] = core.tensor.from(times, "int64"), ["chain.signal"] = core.tensor.from(signal),
    ["chain.noise"] = core.tensor.from(noise), ["chain.start"] = core.tensor.randn {
      shape = { how.draws, model.K }, seed = how.seed, stream = "reverse", a = 0, first = 0 } }
end

-- The tensors of the networks: those of a file without the tables.
function chain_tables.without(tensors)
  local out = {}
  for name, tensor in pairs(tensors) do
    if name:sub(1, #chain_tables.prefix) ~= chain_tables.prefix then out[name] = tensor end
  end
  return out
end

return chain_tables
