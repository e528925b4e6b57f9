-- s:simulate{y0 = class or vector, prior = {…}, n = 2000, seed = 0, points = 40,
-- quantiles = {0.05, 0.5, 0.95}} → {t = (S), mean = (S,K), sd = (S,K), quantile = (Q,S,K)}:
-- n paths of the label vector through the Markov chain, with all of the T steps. prior: the mean m, 1/K if it
-- is not given. A vector is a list or a tensor. sd divides by n − 1. The result prints as a plot.
local core = require "aniso.core"
local curves = require "aniso.prompt.explore.curves"
local options = require "aniso.recipe.options"
local plot = require "aniso.show.plot"
local quantile = require "aniso.stats.quantile"
local significance = require "aniso.stats.metric.significance"

local known = {
  y0 = options.any, prior = options.optional(options.list "number"),
  n = options.integer { default = 2000, min = 2, max = 1000000 }, seed = options.integer { default = 0 },
  points = options.integer { default = 40, min = 1 },
  quantiles = options.list(options.number { min = 0, max = 1 }, { 0.05, 0.5, 0.95 }),
}

local function with_lists(given)
  if type(given) ~= "table" then return given end
  local out = {}
  for key, value in pairs(given) do
    local meta = getmetatable(value)
    out[key] = type(meta) == "table" and meta.__name == "aniso.Tensor" and value:list() or value
  end
  return out
end

-- The label vector, and its level if the coupling has one.
local function start(s, given)
  if type(given) == "table" then
    given = options.check({ y0 = given }, { y0 = options.list "number" }, "simulate").y0
    if #given ~= s.K then error(("simulate: y0 has %d values for %d classes"):format(#given, s.K), 0) end
    if curves.of_images(s) then
      error(("simulate: coupling %s takes its level from a class: give y0 = class"):format(s.coupling), 0)
    end
    return given, nil
  end
  if given == nil then
    error(("simulate: give y0 = a class from 1 to %d, or a label vector"):format(s.K), 0)
  end
  curves.chosen(s, given)
  local y0 = {}
  for j = 1, s.K do y0[j] = j == given and 1 or 0 end
  return y0, curves.level(s, given)
end

local function prior_of(s, given)
  if given and #given ~= s.K then
    error(("simulate: prior has %d values for %d classes"):format(#given, s.K), 0)
  end
  local m = {}
  for j = 1, s.K do m[j] = given and given[j] or 1 / s.K end
  return m
end

-- Mean, deviation and quantiles of the n values of each class; flat (n,K), z around m.
local function summary(flat, n, m, shares)
  local K, out = #m, { mean = {}, sd = {}, quantile = {} }
  for q = 1, #shares do out.quantile[q] = {} end
  for j = 1, K do
    local values = {}
    for i = 1, n do values[i] = m[j] + flat[(i - 1) * K + j] end
    local moments = significance.mean_sd(values)
    table.sort(values)
    out.mean[j], out.sd[j] = moments.mean, moments.sd
    for q, share in ipairs(shares) do out.quantile[q][j] = quantile(values, share) end
  end
  return out
end

-- Calls at(t, z) with the (n,K) deviations z = y − m after every step, t = 0 first. The chain is simulated
-- around a prior mean of 0, so that y is z itself.
local function walk(s, o, z0, level, at)
  local zero = core.tensor.zeros { o.n, s.K }
  local levels = s.coupling == "image" and curves.levels(s, o.n)
    or level and core.tensor.full({ o.n }, level) or nil
  local z = zero + core.tensor.from(z0)
  at(0, z)
  for t = 1, s.T do
    local xi = core.tensor.randn { shape = { o.n, s.K }, seed = o.seed, stream = "simulate", a = t }
    z = s:forward_step(z, zero, t - 1, t, xi, levels)
    at(t, z)
  end
end

-- The class itself, the most frequent and the rarest: means, with bars from the first to the last quantile at
-- some times, different ones for each class.
local function figure(s, o, r)
  local ranked, classes, chosen = curves.ranked(s), {}, {}
  for _, j in ipairs { type(o.y0) == "number" and o.y0 or ranked[1], ranked[1], ranked[#ranked] } do
    if not chosen[j] then classes[#classes + 1], chosen[j] = j, true end
  end
  local S, Q, series = r.t:numel(), #o.quantiles, {}
  local every = math.max(#classes, S // 8)
  for i, j in ipairs(classes) do
    local line = { label = curves.label(s, j):gsub("^images of ", ""), x = r.t, y = {}, low = {}, high = {} }
    for k = 1, S do
      local bar = Q > 1 and (k - 1) % every == (i - 1) * every // #classes
      line.y[k] = r.mean:get(k, j)
      line.low[k], line.high[k] = bar and r.quantile:get(1, k, j), bar and r.quantile:get(Q, k, j)
    end
    series[i] = line
  end
  local from = type(o.y0) == "number" and "class " .. o.y0 or "the label vector given"
  local bars = Q > 1 and (", bars from %g%% to %g%%"):format(100 * o.quantiles[1], 100 * o.quantiles[Q]) or ""
  return { title = ("%d paths of %s: mean of y%s"):format(o.n, from, bars), x = "t", series = series }
end

return function(s, given)
  local o = options.check(with_lists(given), known, "simulate")
  local y0, level = start(s, o.y0)
  local m, plotted, z0 = prior_of(s, o.prior), {}, {}
  local times = curves.times(s.T, o.points)
  for _, t in ipairs(times) do plotted[t] = true end
  for j = 1, s.K do z0[j] = y0[j] - m[j] end
  local mean, sd, quantiles = {}, {}, {}
  for q = 1, #o.quantiles do quantiles[q] = {} end
  walk(s, o, z0, level, function(t, z)
    if not plotted[t] then return end
    local at = #mean + 1
    local found = summary(z:list(), o.n, m, o.quantiles)
    mean[at], sd[at] = found.mean, found.sd
    for q, values in ipairs(found.quantile) do quantiles[q][at] = values end
  end)
  local from = core.tensor.from
  local r = { t = from(times, "int64"), mean = from(mean), sd = from(sd),
    quantile = #quantiles > 0 and from(quantiles) or nil }
  return plot.result(r, figure(s, o, r))
end
