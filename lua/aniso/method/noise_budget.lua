-- Normalisation and clipping of the class levels: the noise budget is 1, so that policies can be
-- compared at equal noise (METHOD §3). Both hold together: the scale of clip(scale · raw) that
-- spends the budget is found by bisection, which works because the budget never falls as the
-- scale grows.
local bound = require "aniso.method.bound"
local options = require "aniso.recipe.options"

local number = options.number
local noise_budget = {}

-- A budget is mean(f(λ_j)) with class weights, brought back to the scale of λ.
local function identity(x) return x end

local function weighted_mean(of, back)
  return function(levels, weights)
    local sum, total = 0, 0
    for j, level in ipairs(levels) do
      local weight = weights and weights[j] or 1
      sum, total = sum + weight * of(level), total + weight
    end
    return back(sum / total)
  end
end

local function largest(levels)
  local most = 0
  for _, level in ipairs(levels) do most = math.max(most, level) end
  return most
end

-- The class with the most images, the first of equal ones.
local function most_frequent(counts)
  local most = 1
  for j, n in ipairs(counts) do most = n > counts[most] and j or most end
  return most
end

local function of_most_frequent(levels, counts)
  return levels[most_frequent(counts)]
end

-- The slopes of a mean: class j's share of Σ weight_j f(λ_j), f a power of λ.
local function parts(power)
  return function(levels, weights)
    local out, sum = {}, 0
    for j, level in ipairs(levels) do
      out[j] = (weights and weights[j] or 1) * level ^ power
      sum = sum + out[j]
    end
    for j, part in ipairs(out) do out[j] = part / sum end
    return out
  end
end

-- 1 for the largest level; equal ones share it.
local function largest_slopes(levels)
  local most, out, n = largest(levels), {}, 0
  for j, level in ipairs(levels) do
    out[j] = level == most and 1 or 0
    n = n + out[j]
  end
  for j, one in ipairs(out) do out[j] = one / n end
  return out
end

local function most_frequent_slopes(levels, counts)
  local out, most = {}, most_frequent(counts)
  for j in ipairs(levels) do out[j] = j == most and 1 or 0 end
  return out
end

-- name → `of`: the quantity brought to 1, from levels (K) and, if needs_counts, training images (K);
-- `slopes`: ∂ ln of / ∂ ln λ_j (K).
noise_budget.kinds = {
  mean = { of = weighted_mean(identity, identity), slopes = parts(1) },
  geometric = { of = weighted_mean(math.log, math.exp), slopes = parts(0) },
  prior = { of = weighted_mean(identity, identity), slopes = parts(1), needs_counts = true },
  max = { of = largest, slopes = largest_slopes },
  head = { of = of_most_frequent, slopes = most_frequent_slopes, needs_counts = true },
}

-- Options of every λ policy.
noise_budget.options = {
  normalise = options.one_of { "mean", "geometric", "prior", "max", "head", "none",
    text = "What is brought to 1: the mean, the geometric mean, Σ π_j λ_j, the largest, that of the most "
      .. "frequent class, or nothing" },
  min = number { default = 0, min = 0, text = "Smallest level" },
  max = options.optional(number { above = 0, text = "Largest level; unlimited if left out" }),
}

local function clip(x, low, high)
  return x < low and low or x > high and high or x
end

local function scaled(raw, scale, low, high)
  local out = {}
  for j, level in ipairs(raw) do out[j] = clip(scale * level, low, high) end
  return out
end

local function check(o, low, high)
  if not (low <= high) then
    error(("lambda.min = %g, lambda.max = %g: expected 0 <= min <= max"):format(low, high), 0)
  end
  if o.normalise ~= "none" and not (low <= 1 and high >= 1) then
    error(('lambda.min = %g, lambda.max = %g: normalised levels need min <= 1 <= max (or normalise = '
      .. '"none")'):format(low, high), 0)
  end
end

-- The scale at which budget(scale) is 1, starting at the scale that achieves it without clipping.
local function bisect(budget, start)
  local low, high = start, start
  for _ = 1, 1024 do
    if not (budget(low) > 1) then break end
    low = low / 2
  end
  for _ = 1, 1024 do
    if not (budget(high) < 1) then break end
    high = high * 2
  end
  for _ = 1, 200 do
    local middle = low + (high - low) / 2
    if budget(middle) < 1 then low = middle else high = middle end
  end
  return high
end

local function find_scale(raw, kind, counts, low, high)
  local weights = kind.needs_counts and counts
  local free = 1 / kind.of(raw, weights)
  for _, level in ipairs(raw) do
    if free * level < low or free * level > high then
      return bisect(function(scale) return kind.of(scaled(raw, scale, low, high), weights) end, free)
    end
  end
  return free
end

-- The levels in force from a policy's raw ones, K finite numbers above 0. o: {normalise =, min =,
-- max = or nil}, complete; counts (K) are needed by "prior" and "head". Guarantees: every level
-- is in [min, max], and the budget is 1 up to rounding; both are possible exactly if
-- min ≤ 1 ≤ max, and other ranges raise (normalise = "none" accepts every range).
function noise_budget.apply(raw, o, counts)
  local low, high, kind = o.min, o.max or math.huge, noise_budget.kinds[o.normalise]
  check(o, low, high)
  if kind and kind.needs_counts then
    bound.check_counts(counts, ("normalise = %q"):format(o.normalise))
  end
  bound.check_levels(raw)
  local levels = scaled(raw, kind and find_scale(raw, kind, counts, low, high) or 1, low, high)
  bound.check_levels(levels)
  return levels
end

-- Levels this close to a limit, as a factor, count as at it: they may have been rounded to float32.
local AT_LIMIT = 1e-6

-- A gradient with respect to ln λ (K) without the part that would change the budget or leave [min, max]: a
-- step down the result keeps both to first order. levels: as apply() returns them; o and counts: its
-- arguments. A level at a limit whose step would leave the range is held (its gradient is 0); the others
-- share the budget.
function noise_budget.tangent(gradient, levels, o, counts)
  local kind, out, held = noise_budget.kinds[o.normalise], {}, {}
  local slopes = kind and kind.slopes(levels, kind.needs_counts and counts)
  local low, high = o.min * (1 + AT_LIMIT), (o.max or math.huge) * (1 - AT_LIMIT)
  repeat
    local dot, square, more = 0, 0, false
    for j, slope in ipairs(slopes or {}) do
      if not held[j] then dot, square = dot + slope * gradient[j], square + slope * slope end
    end
    for j, level in ipairs(levels) do
      out[j] = held[j] and 0 or gradient[j] - (square > 0 and dot / square * slopes[j] or 0)
      if level <= low and out[j] > 0 or level >= high and out[j] < 0 then held[j], more = true, true end
    end
  until not more
  return out
end

-- "mean normalised to 1, clipped to [0.5, 2]"
function noise_budget.describe(o)
  local text = o.normalise == "none" and "not normalised" or o.normalise .. " normalised to 1"
  if o.min == 0 and not o.max then return text end
  return ("%s, clipped to [%g, %g]"):format(text, o.min, o.max or math.huge)
end

return noise_budget
