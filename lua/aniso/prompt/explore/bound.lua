-- s:bound{gamma = {from, to, n}} → {gamma = {…}, value = {…}, minimum = {gamma =, value =,
-- lambda = {…}}, own =, terms =}: the bound E(λ) with λ_j ∝ n_j^−γ, normalised as the schedule's
-- levels are (not clipped), at n values of γ. own is E at its λ, of terms. Shows itself.
-- s:bound(λ) → E at these levels, its terms per class: the engine's own.
local core = require "aniso.core"
local options = require "aniso.recipe.options"
local plot = require "aniso.show.plot"

local function check_range(range)
  local from, to, n = table.unpack(range)
  if #range ~= 3 or not (from < to) or math.type(n) ~= "integer" or n < 2 or n > 10000 then
    error("option bound.gamma must be {from, to, n} with from < to and n of 2 to 10000", 0)
  end
  return from, to, n
end

-- The levels come from the engine, through a schedule of one step.
local function levels(s, gamma)
  local probe <close> = core.schedule.new { K = s.K, counts = s.counts, T = 1, policy = "power",
    gamma = gamma, normalise = s.normalise }
  return probe.lambda:list()
end

local function figure(s, r)
  local ends = { r.gamma[1], r.gamma[#r.gamma] }
  return {
    title = "Bound E(λ) of λ ∝ n^−γ, normalised: " .. s.normalise, x = "γ",
    series = {
      { label = "E over γ", x = r.gamma, y = r.value },
      { label = ("this schedule (%s): E = %.6g"):format(s.policy, r.own), x = ends, y = { r.own, r.own } },
    },
    marks = { { x = r.minimum.gamma, y = r.minimum.value,
      label = ("smallest E = %.6g at γ = %.4g"):format(r.minimum.value, r.minimum.gamma) } },
  }
end

local known = { gamma = options.list("number", { -0.25, 0.75, 41 }) }

local function curve(s, given, at)
  local o = options.check(given, known, "bound")
  local from, to, n = check_range(o.gamma)
  if not s.counts then error("bound: the schedule has no counts: give them to aniso.schedule", 0) end
  local gammas, values, minimum = {}, {}, nil
  for i = 1, n do
    local gamma = from + (to - from) * (i - 1) / (n - 1)
    local lambda = levels(s, gamma)
    gammas[i], values[i] = gamma, (at(s, lambda))
    if not minimum or values[i] < minimum.value then
      minimum = { gamma = gamma, value = values[i], lambda = lambda }
    end
  end
  local own, terms = at(s)
  local result = { gamma = gammas, value = values, minimum = minimum, own = own, terms = terms }
  return plot.result(result, figure(s, result))
end

-- at(s [, λ]): the engine's bound.
return function(at)
  return function(s, given)
    if type(given) == "userdata" or type(given) == "table" and given[1] ~= nil then
      return at(s, given)
    end
    return curve(s, given, at)
  end
end
