-- resampler: how often each of n units is in each resample of a bootstrap. Drawing them takes longer than
-- what is computed from them, so they are drawn once for all comparisons that share a resampler.
--   local draw = resampler.new()       draw(seed, first, count, n) → tensor (count, n)
--   resampler.latest(seed, first, count, n)
-- Resample r is first + row − 1; its counts depend on (seed, r, n) alone.
local core = require "aniso.core"

local resampler = {}

local MOST = 16e6 -- counts that a resampler keeps, 64 MB; beyond, they are drawn for each call

local function name_of(seed, first, count, n) return ("%d %d %d %d"):format(seed, first, count, n) end

-- A function that keeps its results for as long as it exists.
function resampler.new()
  local kept, size = {}, 0
  return function(seed, first, count, n)
    local name = name_of(seed, first, count, n)
    if kept[name] then return kept[name] end
    local drawn = core.rng.resamples(seed, "bootstrap", first, count, n)
    if size + count * n <= MOST then kept[name], size = drawn, size + count * n end
    return drawn
  end
end

-- Keeps the result of the latest call until the garbage collector runs.
local last = setmetatable({}, { __mode = "v" })
function resampler.latest(seed, first, count, n)
  local name = name_of(seed, first, count, n)
  if last.name ~= name or not last.drawn then
    last.name, last.drawn = name, core.rng.resamples(seed, "bootstrap", first, count, n)
  end
  return last.drawn
end

return resampler
