-- s:bound{gamma = {from, to, n}} → {gamma = {…}, value = {…}, minimum = {gamma =, value =,
-- lambda = {…}}, own =, terms =}: the bound E(λ) with λ_j ∝ n_j^−γ, normalised as the schedule's
-- levels are (not clipped), at n values of γ. own is E at the schedule's own λ, terms are its summands.
-- The result prints as a plot.
local lambda = require "aniso.method.lambda"
local options = require "aniso.recipe.options"
local plot = require "aniso.show.plot"

local function check_range(range)
  local from, to, n = table.unpack(range)
  if #range ~= 3 or not (from < to) or math.type(n) ~= "integer" or n < 2 or n > 10000 then
    error("option bound.gamma must be {from, to, n} with from < to and n of 2 to 10000", 0)
  end
  return from, to, n
end

-- λ_j ∝ n_j^−γ, normalised as the schedule's are.
local function levels(s, gamma)
  return lambda.levels({ "power", gamma = gamma, normalise = s.normalise, min = 0 }, s.K, s.counts)
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

return function(s, given)
  local o = options.check(given, known, "bound")
  local from, to, n = check_range(o.gamma)
  if not s.counts then error("bound: the schedule has no counts: give them to aniso.schedule", 0) end
  local gammas, values, minimum = {}, {}, nil
  for i = 1, n do
    local gamma = from + (to - from) * (i - 1) / (n - 1)
    local at = levels(s, gamma)
    gammas[i], values[i] = gamma, (s:bound(at))
    if not minimum or values[i] < minimum.value then
      minimum = { gamma = gamma, value = values[i], lambda = at }
    end
  end
  local own, terms = s:bound(s.levels)
  local result = { gamma = gammas, value = values, minimum = minimum, own = own, terms = terms }
  return plot.result(result, figure(s, result))
end
