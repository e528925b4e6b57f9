-- Comparing runs: deltas against metric.lua, pairing, and what happens where it is impossible.

local lu = require "luaunit"
local compare = require "aniso.compare"
local metric = require "aniso.metric"

-- 60 images of three classes; `wrong(i)` says which are called the next class.
local function run(label, wrong, extra)
  local r = { label = label, K = 3, ["true"] = {}, pred = {}, sample = {} }
  for i = 1, 60 do
    r.sample[i], r["true"][i] = i - 1, i % 3
    r.pred[i] = wrong(i) and (i + 1) % 3 or i % 3
  end
  for k, v in pairs(extra or {}) do r[k] = v end
  return r
end

local function every(n)
  return function(i) return i % n == 0 end
end

local function find(result, name)
  for _, m in ipairs(result.metrics) do
    if m.name == name then return m end
  end
end

local Compare = {}

function Compare.test_delta_and_tests_of_two_runs()
  local a, b = run("a", every(4)), run("b", every(10))
  local result = compare.runs({ a, b }, { draws = 100 })
  local acc = find(result, "acc")
  lu.assertAlmostEquals(acc.value[1], 45 / 60, 1e-12)
  lu.assertAlmostEquals(acc.delta[2], (54 - 45) / 60, 1e-12)
  lu.assertNil(find(result, "nll"))
  local p = result.pairs[2]
  lu.assertNil(p.unpaired)
  -- wrong in a: 15 images, in b: 6, in both (multiples of 20): 3
  lu.assertEquals({ p.n, p.mcnemar.b, p.mcnemar.c }, { 60, 3, 12 })
  lu.assertAlmostEquals(p.acc.value, 9 / 60, 1e-12)
  lu.assertTrue(p.acc.lo < p.acc.value and p.acc.value < p.acc.hi)
  lu.assertAlmostEquals(p.macro_f1.value, find(result, "macro_f1").delta[2], 1e-12)
end

function Compare.test_confusion_alone_gives_deltas_but_no_test()
  local a = run("a", every(4))
  local matrix = metric.evaluate({ ["true"] = a["true"], pred = a.pred, K = 3 }).confusion
  local result = compare.runs { a, { label = "b", confusion = matrix } }
  lu.assertAlmostEquals(find(result, "kappa").delta[2], 0, 1e-12)
  lu.assertStrContains(result.pairs[2].unpaired, "not stored")
  lu.assertNil(result.pairs[2].mcnemar)
end

function Compare.test_different_images_are_not_paired()
  local a, b = run("a", every(4)), run("b", every(5))
  b.sample[7] = 1000
  lu.assertStrContains(compare.runs({ a, b }).pairs[2].unpaired, "different images")
end

function Compare.test_a_metric_of_one_run_only_is_false_in_the_other()
  local probs = {}
  for i = 1, 60 do probs[i] = { 0.5, 0.3, 0.2 } end
  local result = compare.runs({ run("a", every(4)), run("b", every(4), { probs = probs }) },
    { draws = 10 })
  local nll = find(result, "nll")
  lu.assertEquals({ nll.value[1], nll.delta[2] }, { false, false })
  lu.assertTrue(nll.value[2] > 0)
end

function Compare.test_seeds_are_paired_by_number()
  local first = { run("a", every(4), { seed = 0 }), run("a", every(5), { seed = 1 }),
    run("a", every(6), { seed = 7 }) }
  local second = { run("b", every(10), { seed = 1 }), run("b", every(6), { seed = 0 }) }
  local result = compare.seeds(first, second)
  lu.assertEquals(result.seeds, { 0, 1 })
  lu.assertEquals(result.acc.n, 2)
  lu.assertAlmostEquals(result.acc.mean, ((50 - 45) + (54 - 48)) / 60 / 2, 1e-12)
  lu.assertAlmostEquals(result.acc.first.mean, (45 + 48) / 120, 1e-12)
  lu.assertTrue(result.acc.p < 0.1)
end

function Compare.test_mistakes()
  lu.assertErrorMsgContains("two runs or more", compare.runs, { run("a", every(4)) })
  lu.assertErrorMsgContains("neither predictions", compare.runs,
    { run("a", every(4)), { label = "b" } })
  local four = run("b", every(4), { K = 4 })
  lu.assertErrorMsgContains("they cannot be compared", compare.runs, { run("a", every(4)), four })
  lu.assertErrorMsgContains("no seed", compare.seeds, { run("a", every(4)) }, {})
end

return { TestCompare = Compare }
