-- Whether a difference Δ between two configurations is more than chance. `aniso compare` and the report
-- both print this judgement. Δ varies with the training, which its interval over the seeds (and folds,
-- stats/paired.lua) shows, and with the choice of the test images, which the bootstrap shows, here called
-- the interval over the images. The rule:
--   within noise    an interval that exists contains 0, or Δ is exactly 0 at every seed
--   beyond noise    both intervals exist and exclude 0
--   beyond the variation over seeds; images untested    only the interval over seeds exists
--   beyond the variation over images; seeds untested    only the interval over images exists
--   untested        neither exists
-- One interval that contains 0 is enough for "within noise": its source of chance alone explains Δ.
-- A single interval never gives "beyond noise".
local paired = require "aniso.stats.paired"

local noise = {}

local ROUNDING = 1e-12 -- a smaller difference is rounding error

local function position_of_zero(interval)
  return interval.lo <= 0 and interval.hi >= 0 and "contains" or "excludes"
end

-- Why there is an interval over the seeds or not, and where 0 is.
local function state_of_seeds(delta)
  if delta.n == 0 then return "unpaired" end
  if delta.lo then return position_of_zero(delta) end
  if delta.n < paired.enough.seeds and not delta.folds then return "few" end
  return math.abs(delta.mean) < ROUNDING and "zero" or "constant"
end

local function verdict_of(seeds, images)
  if seeds == "contains" or seeds == "zero" or images == "contains" then return "within noise" end
  if seeds == "excludes" and images == "excludes" then return "beyond noise" end
  if images == "excludes" then return "beyond the variation over images; seeds untested" end
  return seeds == "excludes" and "beyond the variation over seeds; images untested" or "untested"
end

-- judge(delta, over_images) → {verdict = one of the texts above,
--   seeds = "unpaired" | "few" | "constant" (not 0) | "zero" | "contains" | "excludes",
--   images = "untested" | "contains" | "excludes"}.
-- delta: the result of paired.delta(); over_images [opt]: {lo, hi} of the same metric and pairs.
function noise.judge(delta, over_images)
  local seeds, images = state_of_seeds(delta), over_images and position_of_zero(over_images) or "untested"
  return { verdict = verdict_of(seeds, images), seeds = seeds, images = images }
end

return noise
