-- s:tilt{class_weight = "none", level = "mixture", times = {…}} → {t = {…}, tilt = {[j] = {…}},
-- at_T = (K)}: the log-odds shift that the coupling and class weights give each class at each time,
-- known before any training (METHOD §2). For a class of level 1 and weight 1 it is 0. Prints as a plot.
--   class_weight   a value of the option loss.class_weight
--   level          the sampler's, in the coupling `sample`; the mixture is that of the class shares
local class_weight = require "aniso.method.class_weight"
local curves = require "aniso.prompt.explore.curves"
local options = require "aniso.recipe.options"
local plot = require "aniso.show.plot"
local sampler = require "aniso.method.sampler"

local known = {
  class_weight = class_weight.option, level = sampler.common.level,
  times = options.optional(options.list(options.integer { min = 1 })),
}

local POINTS = 50

local function times_of(s, given)
  if not given then
    local times = curves.times(s.T, POINTS)
    table.remove(times, 1) -- t = 0
    return times
  end
  for _, t in ipairs(given) do
    if t > s.T then error(("tilt: t = %d is outside 1 … T = %d"):format(t, s.T), 0) end
  end
  return given
end

-- The level λ* of chains for an image whose prior is the class shares.
local function test_level(s, level)
  if type(level) == "number" then return level end
  if level ~= "mixture" then return math[level](table.unpack(s.levels)) end
  local sum, images, counts = 0, 0, s.counts
  for j, value in ipairs(s.levels) do
    local n = counts and counts[j] or 1
    sum, images = sum + n * value, images + n
  end
  return images > 0 and sum / images or 1
end

local function each(s, f)
  local out = {}
  for k = 1, s.K do out[k] = f(k) end
  return out
end

local function nothing(s)
  return each(s, function() return 0 end)
end

-- What the coupling adds at time t (K). In `sample`, under class k, the noise of a chain at λ* has the
-- log-density −K ln λ_k − |noise|²/(2 λ_k² (1 − ᾱ)), with mean −K (ln λ_k + λ*²/(2 λ_k²)) since E|noise|² = K
-- λ*² (1 − ᾱ). Before the noisy end the distance of y_t from each class's mean adds to it, which changes how
-- sharp the posterior is.
local shift = {
  variance = nothing,
  speed = nothing,
  image = nothing,
  class_speed = function(s, t)
    local visits = s:visits(t)
    return each(s, function(k) return math.log(visits[k]) end)
  end,
  sample = function(s, _, level)
    return each(s, function(k)
      local own = s.levels[k]
      return -s.K * (math.log(own) + level ^ 2 * (1 / own ^ 2 - 1) / 2)
    end)
  end,
}

local function figure(s, r)
  local series = {}
  for i, j in ipairs(curves.chosen(s)) do
    local label = curves.label(s, j):gsub("^images of ", "")
    series[i] = { x = r.t, y = r.tilt[j], label = ("%s, %+.3f at T"):format(label, r.at_T[j]) }
  end
  return { title = ("Implied tilt κ: %s%s"):format(curves.describe(s),
    r.level and (", test level %.3g"):format(r.level) or ""), x = "t", series = series }
end

return function(s, given)
  local o = options.check(given, known, "tilt")
  local weights = class_weight.list(o.class_weight, s.counts, s.levels)
  local level = s.coupling == "sample" and test_level(s, o.level) or nil
  local r = { t = times_of(s, o.times), tilt = each(s, function() return {} end), level = level }
  local function at(t)
    local shifts = shift[s.coupling](s, t, level)
    return each(s, function(k) return shifts[k] + (weights and math.log(weights[k]) or 0) end)
  end
  r.at_T = at(s.T)
  for i, t in ipairs(r.t) do
    for k, value in ipairs(at(t)) do r.tilt[k][i] = value end
  end
  return plot.result(r, figure(s, r))
end
