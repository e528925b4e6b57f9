-- An independent implementation of METHOD.md §7 for tests: it computes every number from the tables
-- `confusion` and `prediction` by the definitions, without the program's metrics, views or statistics.
local core = require "aniso.core"

local own = {}

local function mean_of(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return #list > 0 and sum / #list or nil
end

-- → n, mean, sd
function own.moments(list)
  local mean, squares = mean_of(list), 0
  for _, x in ipairs(list) do squares = squares + (x - mean) ^ 2 end
  return #list, mean, #list > 1 and math.sqrt(squares / (#list - 1)) or nil
end

-- ── from counts ─────────────────────────────────────────────────────────────────────────
-- m[i][j]: images of class i predicted as j, from 1. → per class {recall, precision, f1}, nil where 0/0.
function own.classes(m)
  local out = {}
  for c = 1, #m do
    local truly, called = 0, 0
    for k = 1, #m do truly, called = truly + m[c][k], called + m[k][c] end
    out[c] = { recall = truly > 0 and m[c][c] / truly or nil, called = called, truly = truly,
      precision = called > 0 and m[c][c] / called or nil,
      f1 = truly + called > 0 and 2 * m[c][c] / (truly + called) or nil }
  end
  return out
end

-- Cohen: (observed − expected) / (1 − expected) agreement, each weighted by 1 − penalty.
local function kappa(m, classes, n, penalty)
  local observed, expected = 0, 0
  for i = 1, #m do
    for j = 1, #m do
      observed = observed + penalty(i, j) * m[i][j] / n
      expected = expected + penalty(i, j) * classes[i].truly * classes[j].called / n / n
    end
  end
  return expected > 0 and 1 - observed / expected or nil
end

-- The correlation of the indicators of true and predicted class, summed over classes (Gorodkin).
local function correlation(m, classes, n)
  local xy, xx, yy = 0, 0, 0
  for c = 1, #m do
    local p, q = classes[c].truly / n, classes[c].called / n
    xy, xx, yy = xy + m[c][c] / n - p * q, xx + p - p * p, yy + q - q * q
  end
  if xx == 0 then return nil end
  return yy == 0 and 0 or xy / math.sqrt(xx * yy)
end

-- shot[c]: the group of class c.
function own.rates(m, shot)
  local classes, n, right = own.classes(m), 0, 0
  local recalls, f1s, precisions, groups = {}, {}, {}, { many = {}, medium = {}, few = {} }
  for c, class in ipairs(classes) do
    n, right = n + class.truly, right + m[c][c]
    if class.recall then
      table.insert(recalls, class.recall)
      table.insert(groups[shot[c]], class.recall)
    end
    if class.f1 then table.insert(f1s, class.f1) end
    if class.truly > 0 or class.called > 0 then table.insert(precisions, class.precision or 0) end
  end
  table.sort(recalls)
  return { acc = right / n, bacc = mean_of(recalls), macro_f1 = mean_of(f1s), worst_class = recalls[1],
    macro_precision = mean_of(precisions), many = mean_of(groups.many), medium = mean_of(groups.medium),
    few = mean_of(groups.few), mcc = correlation(m, classes, n),
    kappa = kappa(m, classes, n, function(i, j) return i == j and 0 or 1 end),
    kappa_quadratic = kappa(m, classes, n, function(i, j) return (i - j) ^ 2 end) }
end

function own.matrix(true_, pred, K)
  local m = {}
  for i = 1, K do
    m[i] = {}
    for j = 1, K do m[i][j] = 0 end
  end
  for k, t in ipairs(true_) do m[t + 1][pred[k] + 1] = m[t + 1][pred[k] + 1] + 1 end
  return m
end

-- ── from probabilities ──────────────────────────────────────────────────────────────────
(dofile "tests/lua/independent_predictions.lua")(own, mean_of)

-- ── distributions ───────────────────────────────────────────────────────────────────────
-- P(|t| > x) of Student's t, by Simpson's rule over the angle θ with t = √df tan θ.
function own.student(x, df)
  local function integral(from, to)
    local steps, sum = 1000, 0
    for k = 0, steps do
      local weight = (k == 0 or k == steps) and 1 or k % 2 == 1 and 4 or 2
      sum = sum + weight * math.cos(from + (to - from) * k / steps) ^ (df - 1)
    end
    return sum * (to - from) / steps / 3
  end
  local angle = math.atan(math.abs(x) / math.sqrt(df))
  return integral(angle, math.pi / 2) / integral(0, math.pi / 2)
end

-- The value that |t| exceeds with probability 0.05.
local quantiles = {}
local function quantile(df)
  local low, high = 0, 1000
  for _ = 1, quantiles[df] and 0 or 60 do
    local middle = (low + high) / 2
    if own.student(middle, df) > 0.05 then low = middle else high = middle end
  end
  quantiles[df] = quantiles[df] or low
  return quantiles[df]
end

-- {mean, sd, n, t, p, lo, hi} of paired differences; the last four from three pairs on.
function own.paired(first, second)
  local d = {}
  for k = 1, #first do d[k] = second[k] - first[k] end
  local n, mean, sd = own.moments(d)
  local out = { n = n, mean = mean, sd = sd }
  if n < 3 or sd < 1e-12 then return out end
  out.t = mean / (sd / math.sqrt(n))
  out.p = own.student(out.t, n - 1)
  local half = quantile(n - 1) * sd / math.sqrt(n)
  out.lo, out.hi = mean - half, mean + half
  return out
end

-- {b, c, p}: exact below 25 discordant images, else χ² with continuity correction.
function own.mcnemar(true_, first, second)
  local b, c = 0, 0
  for k, t in ipairs(true_) do
    if first[k] == t and second[k] ~= t then b = b + 1 end
    if first[k] ~= t and second[k] == t then c = c + 1 end
  end
  local n, p = b + c, 0
  if n < 25 then
    for heads = 0, n do
      local ways = 1
      for k = 1, heads do ways = ways * (n - k + 1) / k end
      if math.abs(2 * heads - n) >= math.abs(b - c) then p = p + ways / 2 ^ n end
    end
    return { b = b, c = c, p = p }
  end
  local z, steps = math.max(0, math.abs(b - c) - 1) / math.sqrt(n), 20000
  for k = 0, steps - 1 do -- P(|N| > z), midpoints up to 12 sd
    local u = z + (12 - z) * (k + 0.5) / steps
    p = p + 2 * math.exp(-u * u / 2) / math.sqrt(2 * math.pi) * (12 - z) / steps
  end
  return { b = b, c = c, p = p }
end

-- Ends of the percentile interval of the mean difference over `runs` = {{first, second}, …} of the
-- same images; the r-th resample draws its images at the address (0, "bootstrap", r), and of several
-- runs those at (0, "bootstrap seeds", r).
function own.bootstrap(true_, runs, shot, draws)
  local values, K = {}, #shot
  for r = 1, draws do
    local index, total, undefined = core.rng.below(0, "bootstrap", r, #true_, #true_), {}, {}
    local drawn = #runs > 1 and core.rng.below(0, "bootstrap seeds", r, #runs, #runs) or { 1 }
    for _, which in ipairs(drawn) do
      local two = runs[which]
      for side, pred in ipairs(two) do
        local t, p = {}, {}
        for k, i in ipairs(index) do t[k], p[k] = true_[i], pred[i] end
        local rates = own.rates(own.matrix(t, p, K), shot)
        for _, name in ipairs { "acc", "bacc", "macro_f1", "many", "medium", "few" } do
          undefined[name] = undefined[name] or rates[name] == nil
          total[name] = (total[name] or 0) + (side == 2 and 1 or -1) * (rates[name] or 0) / #runs
        end
      end
    end
    for name, value in pairs(total) do
      values[name] = values[name] or {}
      if not undefined[name] then table.insert(values[name], value) end
    end
  end
  local out = {}
  for name, list in pairs(values) do
    table.sort(list)
    local function at(share)
      local place = 1 + (#list - 1) * share
      local below = math.floor(place)
      return list[below] + (place - below) * ((list[below + 1] or list[below]) - list[below])
    end
    out[name] = #list > 0 and { lo = at(0.025), hi = at(0.975) } or nil
  end
  return out
end

return own
