-- The bootstrap: its intervals against the binomial distribution and against resampling by hand, and the
-- parts that the engine computes.

local bootstrap = require "aniso.stats.bootstrap"
local core = require "aniso.core"
local lu = require "luaunit"
local metric = require "aniso.stats.metric"

local function assert_near(got, expected, tolerance)
  lu.assertAlmostEquals(got, expected, tolerance or 1e-12)
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
  local rng = core.rng
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

function Bootstrap.test_only_the_named_metrics()
  local sums, groups = core.tensor.zeros(3, 6), { "many", "few" }
  for i = 1, 3 do
    for j, count in ipairs { 4, 2, 3, 3, i, 1 } do sums:set(i, j, count) end
  end
  local rates = core.bootstrap.rates
  local all = rates(sums, 2, 2, groups)
  lu.assertEquals(rates(sums, 2, 2, groups, { "few", "acc" }), { few = all.few, acc = all.acc })
  lu.assertEquals(all.few, { 0.5, 0.5, 0.5 })
  lu.assertEquals(rates(sums, 2, 2, groups, {}), {})
  for _, name in ipairs { "tail", 3, false } do
    lu.assertErrorMsgContains("acc, bacc, macro_f1, many, medium or few expected", rates, sums, 2, 2, groups,
      { "acc", name })
  end
  local true_, pred, how = { 0, 0, 1, 1, 1 }, { 0, 1, 1, 1, 0 }, { draws = 50, shot = groups }
  local whole = bootstrap.samples(true_, { pred }, 2, how)[1]
  how.metrics = { "few", "bacc" }
  local part = bootstrap.samples(true_, { pred }, 2, how)[1]
  lu.assertEquals(part.drawn, { few = whole.drawn.few, bacc = whole.drawn.bacc })
  lu.assertEquals(part.whole, { few = whole.whole.few, bacc = whole.whole.bacc })
end

-- Recalls of groups are computed only from the images of their classes, with the same result.
function Bootstrap.test_recalls_of_groups_alone()
  local true_, first, second, clusters = {}, {}, {}, {}
  for i = 1, 90 do
    true_[i], first[i], second[i] = i % 5, (i * 7 + i // 9) % 5, i % 3 == 0 and i % 5 or (i * 11) % 5
    clusters[i] = i // 2
  end
  local how = { draws = 80, seed = 2, shot = { "many", "few", false, "medium", "few" }, clusters = clusters }
  local all = bootstrap.samples(true_, { first, second }, 5, how)
  for _, names in ipairs { { "few" }, { "many", "few" }, { "medium" } } do
    how.metrics = names
    for p, part in ipairs(bootstrap.samples(true_, { first, second }, 5, how)) do
      for _, name in ipairs(names) do
        lu.assertEquals(part.drawn[name], all[p].drawn[name])
        lu.assertEquals(part.whole[name], all[p].whole[name])
      end
    end
  end
  how.metrics, how.shot = { "few" }, { "many", "many", false, false, false }
  lu.assertEquals(bootstrap.samples(true_, { first }, 5, how)[1].whole.few, { false })
end

-- Sums against a loop in Lua: undefined values, weights of 0, seeds that a resample has twice or not at all.
function Bootstrap.test_combined_sums()
  local combined = core.bootstrap.combined
  local lists = { { 1, 2, false, 4 }, { 10, false, 30, 40 }, { 100, 200, 300, false } }
  lu.assertEquals(combined(lists, { 1, 0.5, 0 }), { 6, 24 })
  lu.assertEquals(combined(lists, { -1, 0, 0 }), { -4, -2, -1 })
  lu.assertEquals(combined({ {} }, { 1 }), {})
  local counts = core.tensor.zeros(4, 2)
  for r, row in ipairs { { 2, 0 }, { 0, 2 }, { 1, 1 }, { 1, 1 } } do
    for s, count in ipairs(row) do counts:set(r, s, count) end
  end
  -- resamples 1: 2 · (1 − 10) · ½; 2: 2 · 200 · ¼; 3 and 4 have an undefined value
  lu.assertEquals(combined(lists, { 0.5, -0.5, 0.25 }, counts, { 1, 1, 2 }), { -9, 100 })
  local function refused(text, ...) lu.assertErrorMsgContains(text, combined, ...) end
  refused("lists of equal lengths", { { 1, 2 }, { 1 } }, { 1, 1 })
  refused("lists expected", {}, {})
  refused("lists expected", { 3 }, { 1 })
  refused("(R, S) expected", lists, { 1, 1, 1 }, core.tensor.zeros(3, 2), { 1, 1, 2 })
  refused("element 3: an integer from 1 to 2", lists, { 1, 1, 1 }, counts, { 1, 1, 3 })
  refused("table expected", lists, { 1, 1, 1 }, counts)
  lu.assertError(combined, lists, { 1, 1 })
end

return { TestBootstrap = Bootstrap }
