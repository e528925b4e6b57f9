-- aniso.schedule: options, the userdata's methods, errors that name the argument.
local lu = require "luaunit"
local schedule = require "aniso.method.schedule"
local core = require "aniso.core"

local COUNTS = { 6705, 1113, 1099, 514, 327, 142, 115 }
local tensor = core.tensor

local function bound(more)
  local given = { base = "cosine", T = 100, counts = COUNTS, lambda = "bound" }
  for key, value in pairs(more or {}) do given[key] = value end
  return schedule(given)
end

local function randn(B, K, name)
  return tensor.randn { shape = { B, K }, seed = 5, stream = name }
end

local Test = {}

function Test.test_fields_hold_its_options()
  local s <close> = bound { coupling = "speed" }
  lu.assertEquals({ s.K, s.T, s.base, s.policy, s.coupling, s.normalise },
    { 7, 100, "cosine", "bound", "speed", "mean" })
  lu.assertEquals(s.counts, COUNTS)
  lu.assertEquals(s.lambda:shape(), { 7 })
  lu.assertErrorMsgContains("no field or method 'lamda'", function() return s.lamda end)
end

function Test.test_lambda_follows_the_quarter_power()
  local lambda = bound().lambda:list()
  local sum = 0
  for j, level in ipairs(lambda) do
    sum = sum + level
    lu.assertAlmostEquals(level / lambda[1], (COUNTS[j] / COUNTS[1]) ^ -0.25, 1e-5)
  end
  lu.assertAlmostEquals(sum, 7, 1e-5)
end

function Test.test_signal_noise_and_snr_are_rows_of_the_table()
  local s = bound()
  local bar = s:alpha_bar(50)
  for j = 1, 7 do
    lu.assertAlmostEquals(s:signal(50):get(j), bar ^ 0.5, 1e-6)
    lu.assertAlmostEquals(s:noise(50):get(j), s.lambda:get(j) * (1 - bar) ^ 0.5, 1e-6)
    lu.assertAlmostEquals(s:snr(50):get(j) * s.lambda:get(j) ^ 2, bar / (1 - bar), 1e-5)
  end
  lu.assertEquals(s:alpha_bar(0), 1)
  lu.assertEquals(s:snr(0):get(1), math.huge)
  lu.assertErrorMsgContains("outside 0 … T = 100", s.signal, s, 101)
end

function Test.test_both_spellings_of_the_base_are_the_same()
  lu.assertEquals(schedule { "linear", K = 2 }.base, "linear")
  lu.assertEquals(schedule { base = "linear", K = 2 }.base, "linear")
  lu.assertEquals(schedule { K = 2 }.base, "cosine")
  lu.assertErrorMsgContains("both", schedule.new, { "linear", base = "sigmoid", K = 2 })
end

function Test.test_manual_levels_and_clipping()
  local s = schedule { K = 3, lambda = { "manual", 1, 1, 2, normalise = "none" } }
  lu.assertEquals(s.lambda:list(), { 1, 1, 2 })
  s = schedule { lambda = { "manual", 1, 1, 4, max = 1.5 } }
  lu.assertAlmostEquals(s.lambda:get(3), 1.5, 1e-6)
  lu.assertAlmostEquals(s.lambda:get(1), 0.75, 1e-6)
end

function Test.test_resolved_options_can_be_resolved_again()
  local options = require "aniso.recipe.options"
  local given = { "linear", lambda = { "manual", 1, 2 } }
  local once = options.check(given, schedule.options, "schedule")
  local twice = options.check(once, schedule.options, "schedule")
  lu.assertEquals(twice, once)
  lu.assertEquals(schedule.new(once, { 5, 3 }).counts, { 5, 3 })
end

function Test.test_bound_gives_value_and_terms()
  local s = bound()
  local value, terms = s:bound(s.lambda)
  local flat = s:bound { 1, 1, 1, 1, 1, 1, 1 }
  local sum = 0
  for _, term in ipairs(terms) do sum = sum + term.generalisation + term.denoising end
  lu.assertAlmostEquals(value, sum / 7, 1e-9)
  local expected = 0
  for _, n in ipairs(COUNTS) do expected = expected + (1 / n ^ 0.5 + 1) / 7 end
  lu.assertAlmostEquals(flat, expected, 1e-9)
  lu.assertErrorMsgContains("class 2 has lambda[2] = 0", s.bound, s, { 1, 0, 1, 1, 1, 1, 1 })
end

function Test.test_a_mistake_is_one_line_that_names_it()
  local function assert_error(words, given)
    lu.assertErrorMsgContains(words, schedule.new, given)
  end
  assert_error("did you mean schedule.lambda?", { K = 2, lamda = "bound" })
  assert_error("did you mean schedule.lambda.gamma?", { K = 2, lambda = { "power", gama = 1 } })
  assert_error("did you mean bound?", { K = 2, lambda = "bond" })
  assert_error("class 2 has the level 0", { lambda = { "manual", 1, 0, 2 } })
  assert_error("class 3 has the level nan", { lambda = { "manual", 1, 1, 0 / 0 } })
  assert_error("class 4 has counts[4] = 0", { counts = { 3, 2, 1, 0 }, lambda = "bound" })
  assert_error("give counts", { K = 2, lambda = "power" })
  assert_error("give counts", {})
  assert_error("K = 3 but counts has 2", { K = 3, counts = { 1, 2 } })
  assert_error("schedule.T", { K = 2, T = 0 })
  assert_error("beta_end = 3", { "linear", K = 2, beta_end = 3 })
end

function Test.test_rows_have_one_time_or_one_each()
  local s = bound()
  local y0, m, e = randn(3, 7, "y0"), randn(3, 7, "m"), randn(3, 7, "e")
  local t = tensor.from({ 40, 40, 40 }, "int64")
  lu.assertEquals(s:noised(y0, m, 40, e):list(), s:noised(y0, m, t, e):list())
  lu.assertEquals(s:gather("signal", t):shape(), { 3, 7 })
  local by_hand = m + s:gather("signal", t) * (y0 - m) + s:gather("noise", t) * e
  for i, value in ipairs(s:noised(y0, m, t, e):list()) do
    lu.assertAlmostEquals(value, by_hand:list()[i], 1e-5)
  end
  lu.assertErrorMsgContains("m: expected (3, 7)", s.noised, s, y0, randn(2, 7, "m"), t, e)
  lu.assertErrorMsgContains("row 2: t = 101", s.gather, s, "noise",
    tensor.from({ 3, 101 }, "int64"))
end

function Test.test_posterior_ddim_and_estimate_agree()
  local s = bound { coupling = "speed" }
  local y, m, x, e = randn(4, 7, "y"), randn(4, 7, "m"), randn(4, 7, "x"), randn(4, 7, "e")
  local z0, eps = s:estimate(y, m, x, 60, { prediction = "v" })
  local mean, variance = s:posterior(59, 60, z0, y - m)
  local y_u, again = s:ddim_step(y, m, x, 60, 59, { prediction = "v", eta = 1, noise = e })
  lu.assertEquals(again:list(), z0:list())
  lu.assertEquals(eps:shape(), { 4, 7 })
  for i, value in ipairs(y_u:list()) do
    local expected = m:list()[i] + mean:list()[i] + variance:list()[i] ^ 0.5 * e:list()[i]
    lu.assertAlmostEquals(value, expected, 1e-4)
  end
end

function Test.test_sample_coupling_requires_levels()
  local s = bound { coupling = "sample" }
  local y0, m, e = randn(2, 7, "y0"), tensor.full({ 2, 7 }, 1 / 7), randn(2, 7, "e")
  lu.assertErrorMsgContains("levels_of_labels", s.noised, s, y0, m, 50, e)
  local level = s:levels_of_labels(tensor.from({ 0, 6 }, "int64"))
  lu.assertEquals(level:list(), { s.lambda:get(1), s.lambda:get(7) })
  lu.assertAlmostEquals(s:levels_of_priors(m):get(1), 1, 1e-6) -- the mean of λ
  local sd = s:gather("noise", 50, level)
  lu.assertAlmostEquals(sd:get(2, 3), level:get(2) * (1 - s:alpha_bar(50)) ^ 0.5, 1e-6)
  lu.assertErrorMsgContains("label 7", s.levels_of_labels, s, tensor.from({ 7 }, "int64"))
  lu.assertErrorMsgContains("belongs to coupling", bound().noised, bound(), y0, m, 50, e, level)
end

function Test.test_times()
  local s = bound()
  lu.assertEquals(s:times(4), { 100, 75, 50, 25, 0 })
  lu.assertEquals(s:times(2, "quadratic"), { 100, 25, 0 })
  lu.assertErrorMsgContains("expected 1 … T = 100", s.times, s, 101)
end

function Test.test_text_and_close()
  local s = bound()
  for _, words in ipairs { "K = 7", "T = 100", "cosine", "variance", "bound", "6705", "0.5166" } do
    lu.assertStrContains(tostring(s), words)
  end
  s:close()
  lu.assertErrorMsgContains("closed", s.signal, s, 1)
  lu.assertStrContains(tostring(s), "closed")
end

-- As with a tensor: no caller expects nil in its place.
function Test.test_without_memory_it_is_an_error()
  local n, failures = 0, 0
  repeat
    n = n + 1
    core.sys.fail_at(n)
    local ok, s = pcall(schedule, { "cosine", T = 10, counts = COUNTS })
    core.sys.fail_at(0)
    lu.assertNotNil(s)
    if not ok then
      failures = failures + 1
      lu.assertStrContains(tostring(s), "memory")
    end
  until ok
  lu.assertTrue(failures > 3)
end

return { Schedule = Test }
