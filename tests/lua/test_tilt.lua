-- The tilt of class probabilities: exact under label shift where the posterior is known, on the vote and
-- inside the chain; the same bits from stored probabilities; its options.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local options = require "aniso.recipe.options"
local sampler = require "aniso.method.sampler"
local schedule = require "aniso.method.schedule"
local shift = require "aniso.stats.tilt"
local tilt = require "aniso.method.tilt"

local COUNTS = { 800, 150, 50 }

local T = {}

-- A toy with 4 values of x and 3 classes: p(x|k).
local LIKELIHOOD = { { 0.7, 0.2, 0.1 }, { 0.1, 0.5, 0.1 }, { 0.1, 0.2, 0.2 }, { 0.1, 0.1, 0.6 } }

-- p(k|x) of each x under class shares.
local function posterior(shares)
  local out = {}
  for x, likelihood in ipairs(LIKELIHOOD) do
    local sum = 0
    out[x] = {}
    for k, share in ipairs(shares) do
      out[x][k] = likelihood[k] * share
      sum = sum + out[x][k]
    end
    for k in ipairs(shares) do out[x][k] = out[x][k] / sum end
  end
  return out
end

local function shares_of(counts, tau)
  local out, sum = {}, 0
  for k, n in ipairs(counts) do
    out[k] = n ^ (1 - tau)
    sum = sum + out[k]
  end
  for k in ipairs(counts) do out[k] = out[k] / sum end
  return out
end

local function close(got, rows, margin)
  for x, row in ipairs(rows) do
    for k, value in ipairs(row) do lu.assertAlmostEquals(got:get(x, k), value, margin) end
  end
end

-- The shares π_k^(1−τ) are the training shares tilted by −τ ln π_k.
function T.test_under_label_shift_it_is_the_posterior()
  local trained = posterior(shares_of(COUNTS, 0))
  for _, tau in ipairs { -0.5, 0, 0.5, 1, 1.5 } do
    close(shift.apply(trained, shift.prior(COUNTS, tau)), posterior(shares_of(COUNTS, tau)), 1e-6)
  end
end

function T.test_levels_and_counts_give_kappa()
  lu.assertEquals(shift.lambda({ 1, math.exp(1) }, -2), { -0.0, -2 })
  local kappa = shift.prior({ 3, 1 }, 2)
  lu.assertAlmostEquals(kappa[1], -2 * math.log(0.75), 1e-15)
  lu.assertAlmostEquals(kappa[2], -2 * math.log(0.25), 1e-15)
  lu.assertErrorMsgContains("class 2 has 0 training images", shift.prior, { 3, 0 }, 1)
end

-- The network of a perfect chain: ŷ0 = q(y_t, x, t), the posterior of the classes from y_t and x where the
-- classes have the probabilities of `p` (one row per row of y).
local function perfect(s, m, p)
  return function(y, t)
    local a, sd = s:gather("signal", t):totable(), s:gather("noise", t):totable()
    local rows, mean, out = y:totable(), m:totable(), {}
    for b, row in ipairs(rows) do
      local log, most, sum = {}, -math.huge, 0
      for k = 1, 3 do
        log[k] = math.log(p[b][k])
        for j = 1, 3 do
          local at = mean[b][j] + a[b][j] * ((j == k and 1 or 0) - mean[b][j])
          log[k] = log[k] - (row[j] - at) ^ 2 / (2 * sd[b][j] ^ 2)
        end
        most = math.max(most, log[k])
      end
      out[b] = {}
      for k = 1, 3 do
        out[b][k] = math.exp(log[k] - most)
        sum = sum + out[b][k]
      end
      for k = 1, 3 do out[b][k] = out[b][k] / sum end
    end
    return core.tensor.from(out)
  end
end

-- y_t and x are independent given the class, so tilting each step's posterior gives the chain that a
-- network trained under the new shares would run.
function T.test_inside_the_chain_it_is_the_chain_of_the_shifted_posterior()
  local m = core.tensor.full({ 4, 3 }, 1 / 3)
  for _, coupling in ipairs { "variance", "speed", "class_speed" } do
    local s <close> = schedule { "cosine", T = 50, counts = COUNTS, lambda = "bound", coupling = coupling }
    for _, kind in ipairs { "ddpm", "dpmpp" } do
      local given = { schedule = s, m = m, kind = kind, steps = 12, seed = 4, prediction = "y0", clip = 1 }
      given.denoise, given.kappa = perfect(s, m, posterior(shares_of(COUNTS, 0))), shift.prior(COUNTS, 1)
      local tilted = sampler.run(given)
      given.denoise, given.kappa = perfect(s, m, posterior(shares_of(COUNTS, 1))), nil
      close(tilted, sampler.run(given):totable(), 2e-4)
      given.denoise = perfect(s, m, posterior(shares_of(COUNTS, 0)))
      lu.assertNotEquals(sampler.run(given):list(), tilted:list()) -- without a tilt
    end
  end
end

-- An output of any prediction is read before it is tilted.
function T.test_every_prediction_is_tilted_alike()
  local s <close> = schedule { "cosine", T = 50, counts = COUNTS, lambda = "bound" }
  local m = core.tensor.full({ 4, 3 }, 1 / 3)
  local y0_of, results = perfect(s, m, posterior(shares_of(COUNTS, 0))), {}
  for i, prediction in ipairs { "y0", "epsilon", "v" } do
    results[i] = sampler.run { schedule = s, m = m, kind = "ddim", steps = 8, seed = 1, clip = 0,
      prediction = prediction, kappa = shift.prior(COUNTS, 0.5), denoise = function(y, t)
        local y0 = y0_of(y, t)
        local a, sd = s:gather("signal", t), s:gather("noise", t)
        return s:target(prediction, y0, m, t, (y - m - a * (y0 - m)) / sd)
      end }
  end
  close(results[2], results[1]:totable(), 1e-3)
  close(results[3], results[1]:totable(), 1e-3)
end

function T.test_test_levels_of_the_coupling_sample()
  local s <close> = schedule { "cosine", T = 20, coupling = "sample",
    lambda = { "manual", 0.5, 1, 2, normalise = "none" } }
  local m = core.tensor.from { { 0.5, 0.25, 0.25 }, { 0, 0, 1 } }
  lu.assertEquals(sampler.levels(s, m, "mixture"):list(), { 1, 2 })
  lu.assertEquals(sampler.levels(s, m, "max"):list(), { 2, 2 })
  lu.assertEquals(sampler.levels(s, m, "min"):list(), { 0.5, 0.5 })
  lu.assertEquals(sampler.levels(s, m, 0.75):list(), { 0.75, 0.75 })
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
local function complete(given)
  return options.check({ tilt = given }, { tilt = tilt.option }).tilt
end

function T.test_kinds_give_their_kappa()
  local levels = { 0.5, 1, 2 }
  lu.assertNil(tilt.of(complete "none", COUNTS, levels))
  lu.assertEquals({ tilt.of(complete { "prior", tau = 0.5 }, COUNTS, levels) },
    { shift.prior(COUNTS, 0.5), "vote" })
  lu.assertEquals({ tilt.of(complete { "lambda", kappa = 2, where = "chain" }, COUNTS, levels) },
    { shift.lambda(levels, 2), "chain" })
  lu.assertEquals((tilt.of(complete { "manual", values = { 0, 1, -1 } }, COUNTS, levels)), { 0, 1, -1 })
  lu.assertErrorMsgContains("has 1 numbers for 3 classes", tilt.of, complete { "manual", values = { 1 } },
    COUNTS, levels)
end

function T.test_different_tilts_have_different_descriptions()
  lu.assertEquals(tilt.describe(complete "none"), "no tilt")
  lu.assertEquals(tilt.describe(complete { "prior", tau = 0.5 }), "tilt prior (tau 0.5, vote)")
  lu.assertEquals(tilt.describe(complete { "lambda", where = "chain" }), "tilt lambda (kappa 1, chain)")
  lu.assertEquals(tilt.describe(complete { "manual", values = { 0, -0.5 } }), "tilt manual (0 -0.5, vote)")
  local many, others = {}, {}
  for k = 1, 100 do many[k], others[k] = k, k end
  others[100] = 99
  local first = tilt.describe(complete { "manual", values = many })
  lu.assertStrMatches(first, "tilt manual %(100 values %x%x%x%x%x%x, vote%)")
  lu.assertNotEquals(tilt.describe(complete { "manual", values = others }), first)
end

function T.test_mistakes_are_named()
  local function refused(text, given)
    lu.assertErrorMsgContains(text, config.complete, { sampler = given })
  end
  refused("option sampler.level must be mixture, max, min or a number above 0, got median",
    { level = "median" })
  refused("sampler.level must be", { level = 0 })
  refused("did you mean prior?", { tilt = "prio" })
  refused("did you mean sampler.tilt.tau?", { tilt = { "prior", tu = 1 } })
  refused("option sampler.tilt.where must be one of vote, chain", { tilt = { "prior", where = "end" } })
  lu.assertErrorMsgContains("expected finite numbers", shift.apply, { { 0 / 0, 1 } }, { 0, 0 })
  lu.assertErrorMsgContains("class 2 has the tilt", shift.apply, { { 1, 1 } }, { 0, math.huge })
end

function T.test_a_tilted_vote_has_the_bits_of_the_tilt_of_what_is_stored()
  local y0 = core.tensor.randn { shape = { 30, 3 }, seed = 8, stream = "y0" }
  local kappa = shift.prior(COUNTS, 0.7)
  local plain = sampler.probabilities(y0, "distance", 0.25, 3)
  lu.assertEquals(aniso.tilt.apply(plain, kappa):list(),
    (sampler.probabilities(y0, "distance", 0.25, 3, kappa)):list())
  lu.assertEquals(aniso.tilt.apply(plain:totable(), kappa):list(), aniso.tilt.apply(plain, kappa):list())
end

return { Tilt = T }
