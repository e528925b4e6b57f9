-- Significance: McNemar against an enumeration of coin tosses, the distributions against quadrature.

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

return { TestSignificance = Significance }
