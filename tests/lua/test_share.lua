-- The image-needed share: against quadrature for two classes and against a simulation with the exact
-- posterior, the values of METHOD §3, its standard error, the same bits at any thread count.
local lu = require "luaunit"
local aniso = require "aniso"
local core = require "aniso.core"
local schedule = require "aniso.method.schedule"

local COUNTS = { 6705, 1113, 1099, 514, 327, 142, 115 }
local COUPLINGS = { "variance", "speed", "sample", "class_speed" }

local T = {}

-- E 1/(1 + e^x), x normal with this mean and variance, by the trapezoid rule.
local function sigmoid_of_normal(mean, variance)
  local sum, h, sd = 0, 0.05, variance ^ 0.5
  for i = -160, 160 do
    sum = sum + math.exp(-(i * h) ^ 2 / 2) / (1 + math.exp(mean + sd * i * h))
  end
  return sum * h / (2 * math.pi) ^ 0.5
end

-- With two classes and the same noise the log-odds of the own class are normal with mean ln(π_c/π_k) + d²/2
-- and variance d², d² = a_1²/s_1² + a_2²/s_2².
local function of_two(s, c)
  local sum, images = 0, { s.counts[1], s.counts[2] }
  for t = 1, s.T do
    local a, sd, visits = s:signal(t):list(), s:noise(t):list(), s:visits(t)
    local d2 = (a[1] / sd[1]) ^ 2 + (a[2] / sd[2]) ^ 2
    local odds = images[c] * visits[c] / (images[3 - c] * visits[3 - c])
    sum = sum + visits[c] * sigmoid_of_normal(math.log(odds) + d2 / 2, d2) / s.T
  end
  return sum
end

function T.test_of_two_classes_is_the_integral()
  for _, coupling in ipairs { "variance", "speed", "class_speed" } do
    local s <close> = schedule { "cosine", T = 50, counts = { 900, 100 }, coupling = coupling,
      lambda = { "manual", 0.7, 1.6, normalise = "none" } }
    local r = s:share()
    for c = 1, 2 do lu.assertAlmostEquals(r.share[c], of_two(s, c), 4 * r.error[c]) end
  end
end

-- The process as Lua tables; a field of a schedule is a new table at every access.
local function tables_of(s)
  local of = { K = s.K, counts = s.counts, levels = s.levels, own = s.coupling == "sample",
    signal = {}, noise = {} }
  for t = 1, s.T do of.signal[t], of.noise[t] = s:signal(t):list(), s:noise(t):list() end
  return of
end

-- 1 − q_c of one draw y of class c at time t, from the densities; m is a constant prior mean. The noise is
-- values at + 1, at + 2, … of `normal`. y and log are reused: a table per draw costs the collector more than
-- the formulas take.
local y, log = {}, {}
local function one_minus_q(of, c, t, normal, at, m)
  local a, sd, levels, own, K, most = of.signal[t], of.noise[t], of.levels, of.own, of.K, -math.huge
  for j = 1, K do
    y[j] = m[j] + a[j] * ((j == c and 1 or 0) - m[j]) + (own and levels[c] or 1) * sd[j] * normal[at + j]
  end
  for k = 1, K do
    log[k] = math.log(of.counts[k])
    for j = 1, K do
      local noise = (own and levels[k] or 1) * sd[j]
      local away = y[j] - m[j] - a[j] * ((j == k and 1 or 0) - m[j])
      log[k] = log[k] - math.log(noise) - (away / noise) ^ 2 / 2
    end
    most = math.max(most, log[k])
  end
  local sum = 0
  for k = 1, K do sum = sum + math.exp(log[k] - most) end
  return 1 - math.exp(log[c] - most) / sum
end

function T.test_is_that_of_the_exact_posterior_whatever_the_constant_prior()
  local m, n = { 0.6, 0.1, 0.3 }, 12000
  for _, coupling in ipairs { "variance", "speed", "sample" } do
    local s <close> = schedule { "cosine", T = 20, counts = { 800, 150, 50 }, coupling = coupling,
      lambda = { "manual", 0.6, 1, 1.5, normalise = "none" } }
    local r, of = s:share(), tables_of(s)
    local normal = core.tensor.randn { shape = { n, 3 }, seed = 9, stream = "own" }:list()
    for c = 1, 3 do
      local sum, squares = 0, 0
      for i = 1, n do
        local x = one_minus_q(of, c, 1 + i % 20, normal, 3 * (i - 1), m)
        sum, squares = sum + x, squares + x * x
      end
      local error = ((squares / n - (sum / n) ^ 2) / n) ^ 0.5
      lu.assertAlmostEquals(r.share[c], sum / n, 4 * (error + r.error[c]))
    end
  end
end

-- The mean over classes, coupling variance.
function T.test_has_the_values_of_ham10000()
  local level = { "manual", 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, normalise = "none" }
  for _, case in ipairs { { "isotropic", 0.59 }, { "bound", 0.55 }, { { "power", gamma = 0.5 }, 0.49 },
    { { "power", gamma = 0.25, normalise = "head" }, 0.67 }, { level, 0.66 } } do
    local s <close> = schedule { "cosine", counts = COUNTS, lambda = case[1] }
    local r = s:share()
    lu.assertAlmostEquals(r.mean, case[2], 0.0051)
    lu.assertTrue(r.mean_error < 0.0005)
    local sum = 0
    for _, share in ipairs(r.share) do sum = sum + share end
    lu.assertAlmostEquals(r.mean, sum / 7, 1e-12)
  end
end

function T.test_equal_levels_are_one_process_in_three_couplings()
  local values = {}
  for i, coupling in ipairs { "variance", "sample", "class_speed" } do
    local s <close> = schedule { "cosine", counts = { 90, 9 }, coupling = coupling,
      lambda = { "manual", 1.5, 1.5, normalise = "none" } }
    values[i] = s:share().share
  end
  for c = 1, 2 do
    lu.assertAlmostEquals(values[2][c], values[1][c], 1e-6)
    lu.assertAlmostEquals(values[3][c], values[1][c], 0.003) -- t' instead of the level
  end
end

function T.test_standard_errors_are_those_of_repetitions()
  local s <close> = schedule { "cosine", T = 100, counts = { 90, 9, 3 }, lambda = "bound" }
  local n, sum, squares, stated = 60, 0, 0, 0
  for seed = 1, n do
    local r = s:share { draws = 400, seed = seed }
    sum, squares, stated = sum + r.mean, squares + r.mean ^ 2, stated + r.mean_error / n
  end
  local found = ((squares - sum ^ 2 / n) / (n - 1)) ^ 0.5
  lu.assertTrue(found > 0.7 * stated and found < 1.3 * stated, ("%g for %g"):format(found, stated))
end

function T.test_has_the_same_bits_at_any_thread_count()
  local before = core.sys.threads()
  for _, coupling in ipairs(COUPLINGS) do
    local s <close> = schedule { "cosine", counts = COUNTS, lambda = "bound", coupling = coupling }
    core.sys.threads(1)
    local one = s:share { draws = 5000 }
    core.sys.threads(3)
    local three = s:share { draws = 5000 }
    lu.assertEquals({ three.share, three.error, three.curve }, { one.share, one.error, one.curve })
  end
  core.sys.threads(before)
end

function T.test_the_curve_is_the_share_over_time()
  local s <close> = schedule { "cosine", T = 40, counts = COUNTS, lambda = "bound" }
  local r = s:share { points = 8, draws = 8000 }
  lu.assertEquals(r.t, { 5, 10, 15, 20, 25, 30, 35, 40 })
  for j = 1, 7 do
    local sum = 0
    for _, value in ipairs(r.curve[j]) do sum = sum + value / 8 end
    lu.assertAlmostEquals(sum, r.share[j], 1e-12)
    lu.assertTrue(r.curve[j][8] > r.curve[j][1])
  end
  -- at t = T the posterior is the class share
  lu.assertAlmostEquals(s:share { points = 40 }.curve[1][40], 1 - COUNTS[1] / 10015, 0.01)
  lu.assertStrContains(tostring(r), "class 7: n 115, λ 1.43, share 0.7")
end

function T.test_ends_of_its_range()
  local one <close> = schedule { K = 1 }
  lu.assertEquals(one:share().share, { 0 })
  local empty <close> = schedule { counts = { 5, 0 } }
  lu.assertEquals(empty:share().share, { 0, 1 })
  local late <close> = schedule { "linear", counts = { 90, 9 }, coupling = "class_speed",
    lambda = { "manual", 0.1, 0.2, normalise = "none" } } -- no image reaches the last steps
  for _, share in ipairs(late:share().share) do lu.assertTrue(share > 0 and share < 1) end
  local many <close> = schedule { K = 3000, T = 10, coupling = "sample" }
  local r = many:share { draws = 4194304 }
  lu.assertEquals({ r.draws, #r.t }, { 3, 3 }) -- a limit on time
  lu.assertErrorMsgContains("share.draws must be at least 2", one.share, one, { draws = 1 })
  lu.assertErrorMsgContains("did you mean share.draws?", one.share, one, { drawz = 1 })
  lu.assertEquals(aniso.schedule { K = 3, T = 2 }:share { draws = 3 }.t, { 1, 2 })
end

return { Share = T }
