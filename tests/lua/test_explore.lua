-- Exploring schedules: s:plot, aniso.compare_schedules, s:bound, s:simulate against
-- the closed forms of METHOD §1, drawings and errors.
local lu = require "luaunit"
local aniso = require "aniso"
local curves = require "aniso.prompt.explore.curves"
local sys = aniso.core.sys

local COUNTS = { 6705, 1113, 1099, 514, 327, 142, 115 }

local function schedule(more)
  local given = { "cosine", T = 60, counts = COUNTS, lambda = "bound" }
  for key, value in pairs(more or {}) do given[key] = value end
  return aniso.schedule(given)
end

-- The SVG that draw{file = …} writes, and the numbers in it for a line.
local function written(draw, ...)
  local folder = assert(sys.mkdtemp())
  local path = folder .. "/x.svg"
  local given = select(select("#", ...), ...)
  given.file = path
  lu.assertEquals(draw(...), path)
  local file <close> = assert(io.open(path))
  local text = file:read "a"
  os.remove(path)
  os.remove(folder)
  return text
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

local Plot = {}

function Plot.test_signal_noise_and_snr()
  local s <close> = schedule()
  local svg = written(s.plot, s, {})
  lu.assertEquals(count(svg, "<g "), 3)
  lu.assertStrContains(svg, "Signal a: cosine, T = 60, coupling variance, λ bound")
  lu.assertStrContains(svg, ("all classes: t 0: 1; t 6: %.4g"):format(s:alpha_bar(6) ^ 0.5))
  lu.assertStrContains(svg, ("class 7: n 115, λ 1.43: t 0: 0; t 6: %.4g"):format(s:noise(6):get(7)))
  lu.assertStrContains(svg, ("t 0: n/a; t 6: %.4g"):format(math.log(s:snr(6):get(7))))
  lu.assertEquals(count(written(s.plot, s, { what = "noise", class = { 1, 7 } }), 'class="an%-line'), 4)
end

function Plot.test_speed_has_a_signal_per_class()
  local s <close> = schedule { coupling = "speed" }
  lu.assertStrContains(written(s.plot, s, { what = "signal" }), "class 3: n 1099")
end

function Plot.test_sample_shows_the_level_of_the_images_class()
  local s <close> = schedule { coupling = "sample" }
  local noise = curves.of(s).noise
  lu.assertAlmostEquals(noise[7][61], s.lambda:get(7) * s:noise(60):get(7), 1e-6)
  lu.assertStrContains(written(s.plot, s, { what = "noise" }), "images of class 7")
end

function Plot.test_many_classes_are_seven_by_rank()
  local counts = {}
  for j = 1, 100 do counts[j] = j end
  local s <close> = schedule { counts = counts }
  local shown = curves.chosen(s)
  lu.assertEquals({ #shown, shown[1], shown[7] }, { 7, 100, 1 })
  lu.assertErrorMsgContains("class 101 is not one of the classes 1 to 100", s.plot, s, { class = 101 })
  lu.assertErrorMsgContains("did you mean plot.what?", s.plot, s, { waht = "snr" })
end

function Plot.test_one_class_under_several_schedules()
  local s <close> = schedule()
  local linear = { "linear", T = 60, counts = COUNTS }
  local svg = written(aniso.compare_schedules, { { "ours", s }, { "flat", linear } })
  lu.assertStrContains(svg, "of class 7")
  lu.assertStrContains(svg, "ours: λ 1.43: t 0")
  lu.assertStrContains(svg, "flat: λ 1: t 0")
  linear.T = 30
  svg = written(aniso.compare_schedules, { { "ours", s }, { "short", linear }, class = 1, what = "all" })
  lu.assertStrContains(svg, "ours: λ 0.517: t/T 0: 1; t/T 0.1: ")
  lu.assertErrorMsgContains("entry 2 must be {label, schedule}", aniso.compare_schedules,
    { { "a", s }, { s } })
  lu.assertErrorMsgContains("class 9", aniso.compare_schedules, { { "a", s }, class = 9 })
end

local Bound = {}

function Bound.test_the_minimum_agrees_with_the_closed_form()
  local s <close> = schedule()
  local curve = s:bound()
  lu.assertAlmostEquals(curve.minimum.gamma, 0.25, 1e-9) -- 1/(2(p+q)), p = q = 1
  lu.assertAlmostEquals(curve.minimum.value, curve.own, 1e-7)
  local own, terms = s:bound(s.lambda)
  lu.assertAlmostEquals(curve.own, own, 1e-7) -- λ is kept as float32
  lu.assertAlmostEquals(curve.terms[7].denoising, terms[7].denoising, 1e-6)
  for j, level in ipairs(curve.minimum.lambda) do lu.assertAlmostEquals(level, s.lambda:get(j), 1e-5) end
  for i, gamma in ipairs(curve.gamma) do
    lu.assertTrue(curve.value[i] >= curve.minimum.value)
    if gamma == 0 then lu.assertAlmostEquals(curve.value[i], (s:bound { 1, 1, 1, 1, 1, 1, 1 }), 1e-9) end
  end
  lu.assertStrContains(tostring(curve), "smallest E = 1.04577 at ")
end

function Bound.test_range_and_errors()
  local s <close> = schedule { lambda = { "power", gamma = 1, normalise = "prior" } }
  local curve = s:bound { gamma = { 0, 1, 3 } }
  lu.assertEquals(curve.gamma, { 0, 0.5, 1 })
  lu.assertAlmostEquals(curve.value[3], curve.own, 1e-6)
  lu.assertErrorMsgContains("must be {from, to, n}", s.bound, s, { gamma = { 1, 0, 5 } })
  local bare <close> = aniso.schedule { K = 3 }
  lu.assertErrorMsgContains("has no counts", bare.bound, bare)
  lu.assertErrorMsgContains("did you mean bound.gamma?", s.bound, s, { gama = { 0, 1, 3 } })
end

local Simulate = {}

-- Mean, deviation and 95% quantile of every recorded time and class against q(y_t | y0),
-- within five standard errors of n paths.
local function check_moments(s, y0, m, level, given)
  local n = given.n
  local r = s:simulate(given)
  lu.assertEquals(r.mean:shape(), { r.t:numel(), s.K })
  for i, t in ipairs(r.t:list()) do
    for j = 1, s.K do
      local a, sd = s:signal(t):get(j), s:noise(t):get(j) * level
      if s.coupling == "class_speed" then a, sd = a / (a ^ 2 + sd ^ 2) ^ 0.5, sd / (a ^ 2 + sd ^ 2) ^ 0.5 end
      local mean = m[j] + a * (y0[j] - m[j])
      local margin = 5 * sd / n ^ 0.5 + 1e-5
      lu.assertAlmostEquals(r.mean:get(i, j), mean, margin)
      lu.assertAlmostEquals(r.sd:get(i, j), sd, margin)
      lu.assertAlmostEquals(r.quantile:get(3, i, j), mean + 1.644854 * sd, 3 * margin)
    end
  end
  return r
end

function Simulate.test_every_coupling_has_the_moments_of_the_closed_form()
  local third = { 1 / 3, 1 / 3, 1 / 3 }
  for _, coupling in ipairs { "variance", "speed", "sample", "class_speed" } do
    local s <close> = schedule { coupling = coupling, counts = { 900, 100, 10 } }
    local level = (coupling == "sample" or coupling == "class_speed") and s.lambda:get(3) or 1
    check_moments(s, { 0, 0, 1 }, third, level, { y0 = 3, n = 1500, points = 6 })
  end
end

function Simulate.test_a_vector_and_a_prior()
  local s <close> = schedule { counts = { 900, 100, 10 }, T = 20 }
  local y0, m = { 0.5, 0.25, 0.25 }, { 0.7, 0.2, 0.1 }
  local r = check_moments(s, y0, m, 1, { y0 = y0, prior = m, n = 1500, seed = 3, points = 4 })
  lu.assertEquals(r.t:list(), { 0, 5, 10, 15, 20 })
  lu.assertEquals(r.mean:list()[1], 0.5)
  local from = aniso.tensor.from
  local same = s:simulate { y0 = from(y0), prior = from(m), n = 1500, seed = 3, points = 4 }
  lu.assertItemsEquals(same.t:list(), r.t:list())
  for i, mean in ipairs(same.mean:list()) do lu.assertAlmostEquals(mean, r.mean:list()[i], 1e-6) end
  lu.assertStrContains(tostring(r), "1500 paths of the label vector given")
end

function Simulate.test_paths_depend_on_the_seed()
  local s <close> = schedule { T = 10 }
  local function run(seed) return s:simulate({ y0 = 2, n = 50, seed = seed, points = 3 }).quantile:list() end
  local before = sys.threads()
  local first = run(1)
  sys.threads(2)
  local second = run(1)
  sys.threads(before)
  lu.assertEquals(sys.startable_threads(2), 2)
  lu.assertErrorMsgContains("n = 0: expected", sys.startable_threads, 0)
  lu.assertEquals(second, first)
  lu.assertNotEquals(run(2), first)
end

function Simulate.test_it_prints_itself_and_quantiles_are_optional()
  local s <close> = schedule { T = 10 }
  local r = s:simulate { y0 = 7, n = 20, points = 9, quantiles = {} }
  lu.assertNil(r.quantile)
  lu.assertStrContains(tostring(r), "20 paths of class 7: mean of y")
  lu.assertEquals(count(written(r.plot, r, {}), "an%-bar an"), 0)
  r = s:simulate { y0 = 7, n = 20, points = 9 }
  local svg = written(r.plot, r, {})
  lu.assertEquals(count(svg, "an%-bar an"), 2)
  lu.assertStrContains(svg, "class 1: n 6705")
end

function Simulate.test_a_mistake_names_the_option()
  local s <close> = schedule()
  lu.assertErrorMsgContains("give y0 = a class from 1 to 7", s.simulate, s)
  lu.assertErrorMsgContains("class 8", s.simulate, s, { y0 = 8 })
  lu.assertErrorMsgContains("2 values for 7", s.simulate, s, { y0 = { 0, 1 } })
  lu.assertErrorMsgContains("prior has 1 values", s.simulate, s, { y0 = 1, prior = { 1 } })
  lu.assertErrorMsgContains("simulate.n must be at least 2", s.simulate, s, { y0 = 1, n = 1 })
  local sample <close> = schedule { coupling = "sample" }
  lu.assertErrorMsgContains("give y0 = class", sample.simulate, sample, { y0 = { 1, 0, 0, 0, 0, 0, 0 } })
end

return { Plot = Plot, Bound = Bound, Simulate = Simulate }
