-- A schedule over time, as numbers and as figures: curves.of(s) reads its tables once, at up to POINTS times
-- in 0 … T; curves.figures draws some of the classes.
local core = require "aniso.core"
local plot = require "aniso.show.plot"

local curves = {}

local POINTS, SHOWN = 200, 7

-- Evenly spaced times, including 0 and T; each once.
function curves.times(T, points)
  local out = {}
  for i = 0, math.min(points, T) do out[i + 1] = math.floor(i * T / math.min(points, T) + 0.5) end
  return out
end

local OF_IMAGES = { sample = true, class_speed = true }

-- Whether λ belongs to an image of a class and not to a coordinate: the tables of a and s are then those
-- of an image whose class has λ = 1.
function curves.of_images(s)
  return OF_IMAGES[s.coupling] == true
end

-- The level of a row (B) of schedule:gather() for an image of class j; nil if the coupling has none.
function curves.level(s, j)
  return curves.of_images(s) and s.levels[j] or nil
end

-- The levels of n rows: for images of class j; in the coupling `image`, for images whose prior equals the
-- class shares, or is uniform without counts; nil in the others.
function curves.levels(s, n, j)
  if s.coupling == "image" then
    local m, counts = {}, s.counts
    for k = 1, s.K do m[k] = counts and counts[k] or 1 end
    return s:levels_of_images(core.tensor.from(m):reshape { 1, s.K }:repeat_rows(n))
  end
  local level = curves.level(s, j)
  return level and core.tensor.full({ n }, level)
end

-- The lists a and s over `times` of class j: of its coordinate, or of an image of the class.
function curves.at(s, times, j)
  local t, levels = core.tensor.from(times, "int64"), curves.levels(s, #times, j)
  local a, sd = s:gather("signal", t, levels), s:gather("noise", t, levels)
  return a:narrow(2, j, 1):list(), sd:narrow(2, j, 1):list()
end

-- {t = {…}, signal = {[j] = {…}}, noise =, snr =}: lists over time per class. snr is
-- ln(a²/s²), infinite at t = 0.
function curves.of(s)
  local times = curves.times(s.T, POINTS)
  local out = { t = times, signal = {}, noise = {}, snr = {} }
  for j = 1, s.K do
    local a, sd = curves.at(s, times, j)
    out.signal[j], out.noise[j], out.snr[j] = a, sd, {}
    for i = 1, #times do out.snr[j][i] = 2 * (math.log(a[i]) - math.log(sd[i])) end
  end
  return out
end

-- Classes from the most images to the fewest; without counts from the lowest level up.
function curves.ranked(s)
  local counts, lambda, order = s.counts, s.lambda:list(), {}
  for j = 1, s.K do order[j] = j end
  table.sort(order, function(i, j)
    local a, b = counts and -counts[i] or lambda[i], counts and -counts[j] or lambda[j]
    if a ~= b then return a < b end
    return i < j
  end)
  return order
end

-- The classes to draw: those given, else all if there are few, or some by rank if there are many.
function curves.chosen(s, given)
  if given then
    given = type(given) == "table" and given or { given }
    for _, j in ipairs(given) do
      if math.type(j) ~= "integer" or j < 1 or j > s.K then
        error(("class %s is not one of the classes 1 to %d"):format(tostring(j), s.K), 0)
      end
    end
    return given
  end
  local ranked, out = curves.ranked(s), {}
  if s.K <= SHOWN + 1 then
    table.sort(ranked)
    return ranked
  end
  for i = 0, SHOWN - 1 do out[i + 1] = ranked[1 + math.floor(i * (s.K - 1) / (SHOWN - 1) + 0.5)] end
  return out
end

function curves.label(s, j)
  local counts = s.counts
  local n = counts and (" n %d,"):format(counts[j]) or ""
  return ("%s %d:%s λ %.3g"):format(curves.of_images(s) and "images of class" or "class", j, n,
    s.lambda:get(j))
end

local function equal(a, b)
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function all_equal(rows, classes)
  for _, j in ipairs(classes) do
    if not equal(rows[classes[1]], rows[j]) then return false end
  end
  return true
end

curves.kinds = { "signal", "noise", "snr" }
curves.titles = { signal = "Signal a", noise = "Noise s", snr = "log-SNR ln(a²/s²)" }

function curves.describe(s)
  local lambda = s.policy == "isotropic" and "isotropic" or "λ " .. s.policy
  return ("%s, T = %d, coupling %s, %s"):format(s.base, s.T, s.coupling, lambda)
end

-- One figure per kind; classes with the same curve everywhere are one line.
function curves.figures(s, kinds, classes)
  local tables, out = curves.of(s), {}
  for k, kind in ipairs(kinds) do
    local rows, series = tables[kind], {}
    if #classes > 1 and all_equal(rows, classes) then
      series[1] = { label = #classes == s.K and "all classes" or #classes .. " classes, all the same",
        x = tables.t, y = rows[classes[1]] }
    else
      for i, j in ipairs(classes) do
        series[i] = { label = curves.label(s, j), x = tables.t, y = rows[j] }
      end
    end
    out[k] = { title = curves.titles[kind] .. ": " .. curves.describe(s), x = "t", series = series }
  end
  return out
end

-- "all" → the three kinds.
function curves.quantities(what)
  return what == "all" and curves.kinds or { what }
end

-- The options of functions that draw curves.
function curves.options(default)
  local options = require "aniso.recipe.options"
  return plot.options {
    what = options.one_of { default = default, "all", "signal", "noise", "snr" }, class = options.any,
  }
end

return curves
