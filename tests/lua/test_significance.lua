-- Significance: McNemar against an enumeration of coin tosses, the distributions against quadrature,
-- bootstrap intervals against the binomial distribution.

local lu = require "luaunit"
local metric = require "aniso.stats.metric"
local significance = require "aniso.stats.metric.significance"

local function assert_near(got, expected, tolerance)
  lu.assertAlmostEquals(got, expected, tolerance or 1e-12)
end

local Significance = {}

function Significance.test_mcnemar_exact_equals_enumeration()
  for _, case in ipairs { { 1, 8 }, { 5, 5 }, { 0, 3 }, { 7, 2 }, { 0, 0 } } do
    local b, c = case[1], case[2]
    local n, extreme = b + c, 0
    for outcome = 0, 2 ^ n - 1 do   -- every sequence of n fair coins
      local heads = 0
      for bit = 0, n - 1 do heads = heads + (outcome // 2 ^ bit % 2) end
      if math.abs(2 * heads - n) >= math.abs(b - c) then extreme = extreme + 1 end
    end
    assert_near(significance.mcnemar_counts(b, c).p, extreme / 2 ^ n)
  end
end

function Significance.test_mcnemar_of_predictions()
  local m = metric.mcnemar({ 0, 0, 1, 1 }, { 0, 1, 1, 0 }, { 0, 0, 0, 1 }, 2)
  lu.assertEquals({ m.b, m.c }, { 1, 2 })
  assert_near(m.p, 1)
  -- 40 against 20 (χ² with continuity 19²/60, p from published tables of χ²₁ at 6.0167)
  local large = significance.mcnemar_counts(40, 20)
  assert_near(large.statistic, 361 / 60)
  assert_near(large.p, 0.014171, 1e-6)
end

function Significance.test_erfc_against_quadrature()
  for _, x in ipairs { 0, 0.3, 1, 2, 2.49, 2.51, 4, 6 } do
    local steps, width, sum = 20000, 8, 0   -- midpoint rule of exp(−u²) over [x, x+8]
    for k = 0, steps - 1 do
      local u = x + (k + 0.5) * width / steps
      sum = sum + math.exp(-u * u)
    end
    local expected = 2 / math.sqrt(math.pi) * sum * width / steps
    assert_near(significance.erfc(x) / expected, 1, 1e-6)
  end
end

function Significance.test_student_against_quadrature()
  local function two_sided(t, df)   -- midpoint rule of the density, u = tan(angle)
    local steps, inside, whole = 20000, 0, 0
    for k = 0, steps - 1 do
      local angle = (k + 0.5) / steps * math.pi / 2
      local u = math.tan(angle)
      local density = (1 + u * u / df) ^ (-(df + 1) / 2) * (1 + u * u)
      whole = whole + density
      if u > t then inside = inside + density end
    end
    return inside / whole
  end
  for _, df in ipairs { 1, 2, 3, 4, 9 } do
    for _, t in ipairs { 0.2, 1, 3.7 } do
      assert_near(significance.student_two_sided(t, df), two_sided(t, df), 2e-4)
    end
  end
  assert_near(significance.student_two_sided(12.706204736432095, 1), 0.05, 1e-10)
  assert_near(significance.student_two_sided(2.7764451051977987, 4), 0.05, 1e-10)
end

function Significance.test_paired_t()
  local r = metric.paired_t({ 0.5, 0.6, 0.55 }, { 0.53, 0.61, 0.58 })
  assert_near(r.mean, 0.07 / 3)
  assert_near(r.sd, math.sqrt(((0.03 - 0.07 / 3) ^ 2 * 2 + (0.01 - 0.07 / 3) ^ 2) / 2))
  assert_near(r.t, r.mean / (r.sd / math.sqrt(3)))
  lu.assertEquals({ r.n, r.df }, { 3, 2 })
  lu.assertTrue(r.p > 0.07 and r.p < 0.08)
  lu.assertNil(metric.paired_t({ 1 }, { 2 }).p)
  lu.assertNil(metric.paired_t({ 1, 2 }, { 2, 3 }).p)
  assert_near(metric.paired_t({ 1, 2 }, { 2, 3 }).mean, 1)
end

-- Percentage points of Student's t, Fisher and Yates.
function Significance.test_student_quantile()
  for _, case in ipairs { { 0.95, 1, 12.7062 }, { 0.95, 2, 4.30265 }, { 0.95, 4, 2.77645 },
    { 0.99, 9, 3.24984 }, { 0.5, 3, 0.764892 } } do
    assert_near(significance.student_quantile(case[1], case[2]), case[3], 5e-5)
  end
  local r = metric.paired_t({ 1, 1, 1 }, { 2, 3, 4 })
  assert_near(r.hi - r.mean, 4.302652729911275 / math.sqrt(3), 1e-9)
  assert_near(r.lo + r.hi, 2 * r.mean)
  lu.assertNil(metric.paired_t({ 1 }, { 2 }).lo)
  local same = metric.paired_t({ 1, 2 }, { 2, 3 })
  lu.assertEquals({ same.lo, same.hi }, {})
  lu.assertNil(metric.paired_t({ 0.1, 0.2, 0.3 }, { 0.4, 0.5, 0.6 }).p) -- 0.3 up to rounding
end

function Significance.test_mean_sd()
  local s = metric.mean_sd { 1, 2, 4 }
  assert_near(s.mean, 7 / 3)
  assert_near(s.sd, math.sqrt(((4 / 3) ^ 2 + (1 / 3) ^ 2 + (5 / 3) ^ 2) / 2))
  lu.assertNil(metric.mean_sd({ 3 }).sd)
  lu.assertEquals(metric.mean_sd({}).n, 0)
end

local Bootstrap = {}

function Bootstrap.test_interval_has_the_binomial_width()
  local true_, pred = {}, {}
  for i = 1, 400 do true_[i], pred[i] = i % 2, i % 10 < 8 and i % 2 or 1 - i % 2 end
  local b = metric.interval(true_, pred, 2, { draws = 600, seed = 3 })
  assert_near(b.acc.value, 0.8)
  local sd = math.sqrt(0.8 * 0.2 / 400)
  assert_near(b.acc.hi - b.acc.lo, 2 * 1.96 * sd, 0.5 * sd)
  assert_near(b.macro_f1.value, metric.evaluate({ ["true"] = true_, pred = pred, K = 2 }).macro_f1)
end

function Bootstrap.test_same_seed_same_interval()
  local function interval(seed)
    return metric.interval({ 0, 0, 1, 1, 2 }, { 0, 1, 1, 1, 2 }, 3, { draws = 50, seed = seed })
  end
  lu.assertEquals(interval(1).acc, interval(1).acc)
  lu.assertNotEquals(interval(2).macro_f1, interval(1).macro_f1)
end

function Bootstrap.test_pairing_removes_shared_variation()
  -- the second configuration is right on one image more, of 200
  local true_, first, second = {}, {}, {}
  for i = 1, 200 do
    true_[i], first[i] = i % 2, i % 5 == 0 and 1 - i % 2 or i % 2
    second[i] = i == 5 and true_[i] or first[i]
  end
  local d = metric.difference(true_, first, second, 2, { draws = 400, seed = 0 })
  assert_near(d.acc.value, 1 / 200)
  lu.assertTrue(d.acc.lo >= 0 and d.acc.hi <= 4 / 200, "an unpaired interval would be ±0.08")
  local same = metric.difference(true_, first, first, 2, { draws = 20 })
  lu.assertEquals({ same.acc.lo, same.macro_f1.hi }, { 0, 0 })
end

-- Means over seeds of differences, groups of classes among them, against the direct way: draw
-- the images of a resample, count, and compute the metrics from the matrix.
function Bootstrap.test_weighted_equals_resampling_by_hand()
  local rng, bootstrap = require("aniso.core").rng, require "aniso.stats.bootstrap"
  local shot = { "many", "medium", "few", "few" }
  local true_, predictions = {}, { {}, {}, {}, {} }
  for i = 1, 60 do
    true_[i] = i < 40 and 0 or i < 52 and 1 or i < 57 and 2 or 3
    for p, pred in ipairs(predictions) do pred[i] = i * p % 3 == 0 and (i + p) % 4 or true_[i] end
  end
  local weights, seen = { -0.5, 0.5, -0.5, 0.5 }, {}
  for r = 1, 40 do
    local index, sums = rng.below(5, "bootstrap", r, 60, 60), {}
    local t = {}
    for k, i in ipairs(index) do t[k] = true_[i] end
    for p, pred in ipairs(predictions) do
      local called = {}
      for k, i in ipairs(index) do called[k] = pred[i] end
      local m = metric.evaluate { ["true"] = t, pred = called, K = 4, shot = shot }
      for _, name in ipairs(bootstrap.metrics) do
        sums[name] = m[name] and (sums[name] or 0) + weights[p] * m[name]
      end
    end
    for name, value in pairs(sums) do
      seen[name] = seen[name] or {}
      table.insert(seen[name], value)
    end
  end
  local got = bootstrap.weighted(true_, predictions, weights, 4,
    { draws = 40, seed = 5, level = 0.9, shot = shot })
  for _, name in ipairs(bootstrap.metrics) do
    table.sort(seen[name])
    local function at(share)
      local place = 1 + (#seen[name] - 1) * share
      local below = math.floor(place)
      return seen[name][below] + (place - below) * ((seen[name][below + 1] or 0) - seen[name][below])
    end
    assert_near(got[name].lo, at(0.05), 1e-9)
    assert_near(got[name].hi, at(0.95), 1e-9)
  end
  lu.assertNil(bootstrap.weighted(true_, predictions, weights, 4, { draws = 3 }).few)
end

function Bootstrap.test_arguments_of_rates()
  local core = require "aniso.core"
  local rates, sums = core.bootstrap.rates, core.tensor.zeros(2, 6)
  lu.assertEquals(rates(sums, 2, 2, { "many", false }).many, { false, false })
  for _, K in ipairs { -1, 0, 3, 1 << 40 } do
    lu.assertErrorMsgContains(("K = %d: expected"):format(K), rates, sums, K, 3, {})
  end
  for _, first in ipairs { -1, 1, 3, 1 << 40 } do
    lu.assertErrorMsgContains(("first = %d: expected"):format(first), rates, sums, 2, first, {})
  end
  lu.assertErrorMsgContains("many, medium or few expected", rates, sums, 2, 2, { "acc", "few" })
  lu.assertErrorMsgContains("two dimensions", rates, core.tensor.zeros(6), 2, 2, {})
  lu.assertErrorMsgContains("float32", rates, core.tensor.arange(12):reshape(2, 6), 2, 2, {})
end

return { TestSignificance = Significance, TestBootstrap = Bootstrap }
