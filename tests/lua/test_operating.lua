-- Operating curves and the metrics that are computed from stored predictions: the tilt, tail recall at equal
-- head recall, test priors; under every name by which a metric can be given.
local lu = require "luaunit"
local core = require "aniso.core"
local derived = require "aniso.stats.derived"
local metric = require "aniso.stats.metric"
local operating = require "aniso.stats.operating"
local tilt = require "aniso.stats.tilt"
local fixture = dofile "tests/lua/store_fixture.lua"

local Operating = {}

local SHOT, COUNTS = { "many", "medium", "few" }, { 80, 15, 5 }

-- N images of three classes, 60 % of the first; rows of probabilities in which the rare classes are too low.
local function part(seed, n)
  local u = core.rng.below(seed, "test", 0, 4 * n, 1000000)
  for i, value in ipairs(u) do u[i] = value / 1000000 end
  local out = { true_idx = {}, probs = {}, counts = COUNTS }
  for i = 1, n do
    local class, row, sum = u[4 * i] < 0.6 and 0 or u[4 * i] < 0.8 and 1 or 2, {}, 0
    for k = 1, 3 do
      row[k] = COUNTS[k] / 100 * math.exp(3 * u[4 * i - k] + (k == class + 1 and 1 or 0))
      sum = sum + row[k]
    end
    for k = 1, 3 do row[k] = row[k] / sum end
    out.true_idx[i], out.probs[i] = class, row
  end
  return out
end

local function argmax(rows)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = 0
    for k = 2, #row do
      if row[k] > row[out[i] + 1] then out[i] = k - 1 end
    end
  end
  return out
end

function Operating.test_stored_probabilities_give_the_same_curve()
  local listed, packed, rows = part(3, 40), part(3, 40), {}
  for i, row in ipairs(listed.probs) do
    rows[i] = ("<fff"):pack(table.unpack(row))
    for k in ipairs(row) do row[k] = ("<f"):unpack(rows[i], 4 * k - 3) end
  end
  packed.probs = table.concat(rows)
  lu.assertEquals(operating.curve({ packed, packed }, SHOT), operating.curve({ listed, listed }, SHOT))
  lu.assertEquals(operating.predictions(packed, 0.4), operating.predictions(listed, 0.4))
  local wrong = { probs = "abc", true_idx = { 0 }, counts = COUNTS }
  lu.assertErrorMsgContains("a float32 per class expected", operating.curve, { wrong }, SHOT)
end

function Operating.test_predictions_are_those_of_the_tilted_probabilities()
  local one = part(1, 200)
  lu.assertEquals(operating.predictions(one, 0), argmax(one.probs))
  for _, tau in ipairs { -0.7, 0.4, 1.2 } do
    local tilted = tilt.apply(one.probs, tilt.prior(COUNTS, tau)):totable()
    lu.assertEquals(operating.predictions(one, tau), argmax(tilted), tau)
  end
  lu.assertEquals(operating.predictions({ probs = { { 0.4, 0.4, 0.2 } }, counts = COUNTS }, 0), { 0 })
end

function Operating.test_the_grid_of_the_tilt()
  lu.assertEquals(#operating.grid, 81)
  lu.assertEquals(operating.grid[1], -2)
  lu.assertEquals(operating.grid[41], 0)
  lu.assertAlmostEquals(operating.grid[81], 2, 1e-12)
end

function Operating.test_recall_of_the_tail_grows_and_of_the_head_falls_with_the_tilt()
  local curve = operating.curve({ part(2, 400) }, SHOT)
  for i = 2, #curve.tau do
    lu.assertTrue(curve.many[i] <= curve.many[i - 1])
    lu.assertTrue(curve.few[i] >= curve.few[i - 1])
  end
  lu.assertTrue(curve.few[#curve.few] > curve.few[1] + 0.3)
end

-- The curve tries few tilts of each image; predictions() tries the one that it is given. With equal and zero
-- probabilities too, and parts of other training shares.
function Operating.test_a_curve_has_the_recalls_of_each_tilt()
  local one, other = part(6, 300), part(7, 200)
  other.counts = { 30, 60, 10 }
  local ties = { { 0.4, 0.4, 0.2 }, { 1 / 3, 1 / 3, 1 / 3 }, { 0, 0.5, 0.5 }, { 0, 0, 1 }, { 1, 0, 0 } }
  table.move(ties, 1, #ties, 1, one.probs)
  local true_idx = table.move(other.true_idx, 1, 200, 301, { table.unpack(one.true_idx) })
  for _, taus in ipairs { operating.grid, { 0 }, { -1, 0.3 }, { -5, -4, 0, 17 } } do
    local curve = operating.curve({ one, other }, SHOT, taus)
    for i, tau in ipairs(taus) do
      local called = operating.predictions(one, tau)
      table.move(operating.predictions(other, tau), 1, 200, 301, called)
      for _, group in ipairs { "many", "medium", "few" } do
        lu.assertEquals(curve[group][i], operating.recall(group, SHOT, true_idx, called) or false, tau)
      end
    end
  end
  lu.assertEquals(operating.recall("few", SHOT, { 2, 2, 0, 2 }, { 2, 0, 0, 1 }), 1 / 3)
  lu.assertNil(operating.recall("few", SHOT, { 0, 1 }, { 0, 1 }))
end

-- Between two points of the grid the recall of the head is interpolated.
function Operating.test_the_tilt_of_a_head_recall()
  local one = part(3, 400)
  local many = operating.curve({ one }, SHOT).many
  local last
  for i, head in ipairs(many) do last = head >= 0.8 and i or last end
  local tau = operating.tau_at(one, SHOT, 0.8)
  lu.assertTrue(tau >= operating.grid[last] and tau < operating.grid[last + 1])
  lu.assertAlmostEquals((tau - operating.grid[last]) / 0.05,
    (many[last] - 0.8) / (many[last] - many[last + 1]), 1e-9)
  lu.assertAlmostEquals(operating.tau_at(one, SHOT, many[#many] / 2), 2, 1e-12)
  lu.assertNil(operating.tau_at(one, SHOT, many[1] + 1e-9))
  lu.assertNil(operating.tau_at(one, { "medium", "medium", "few" }, 0.5)) -- there is no head
end

function Operating.test_bands_are_at_equal_head_recall()
  local a = { tau = { 0, 1, 2 }, many = { 1, 0.8, 0.4 }, few = { 0, 0.4, 0.8 } }
  local b = { tau = { 0, 1, 2 }, many = { 0.9, 0.7, 0.5 }, few = { 0.2, 0.4, 0.9 } }
  lu.assertAlmostEquals(operating.tail_at(a, 0.9), 0.2, 1e-12)
  lu.assertAlmostEquals(operating.tail_at(a, 0.6), 0.6, 1e-12)
  lu.assertNil(operating.tail_at(a, 0.3))
  local band = operating.band({ a, b }, { 0.95, 0.8, 0.6 })
  lu.assertEquals(band.n, { 1, 2, 2 })
  lu.assertEquals(band.sd[1], false)
  lu.assertAlmostEquals(band.mean[2], (0.4 + 0.3) / 2, 1e-12)
  lu.assertAlmostEquals(band.mean[3], (0.6 + 0.65) / 2, 1e-12)
  lu.assertAlmostEquals(band.sd[3], 0.05 / math.sqrt(2), 1e-12)
end

-- ── test priors ─────────────────────────────────────────────────────────────────────────
local function source_of(one)
  local pred = argmax(one.probs)
  local m = metric.evaluate { ["true"] = one.true_idx, probs = one.probs, shot = SHOT }
  local test = { true_idx = one.true_idx, probs = one.probs, pred_idx = pred, counts = COUNTS }
  return { shot = SHOT, counts = COUNTS, confusion = function() return m.confusion end,
    parts = function()
      return { { test = function() return test end, val = function() return nil end } }
    end }, m
end

-- The same as a set with copies of its images: 16 images of one class, 4 of another and 1 of the third, so
-- that whole numbers of copies give the new shares.
function Operating.test_a_test_prior_is_a_set_with_copies()
  local one = { true_idx = {}, probs = {}, counts = COUNTS }
  local big = part(4, 400)
  local missing = { 16, 4, 1 }
  for i, class in ipairs(big.true_idx) do
    if missing[class + 1] > 0 then
      missing[class + 1] = missing[class + 1] - 1
      one.true_idx[#one.true_idx + 1], one.probs[#one.probs + 1] = class, big.probs[i]
    end
  end
  local source = source_of(one)
  -- reversed: shares 0.05, 0.15, 0.80 of the training counts
  for prior, copies in pairs { uniform = { 1, 4, 16 }, reversed = { 1, 12, 256 } } do
    local t, probs = {}, {}
    for i, class in ipairs(one.true_idx) do
      for _ = 1, copies[class + 1] do t[#t + 1], probs[#probs + 1] = class, one.probs[i] end
    end
    local expected = metric.evaluate { ["true"] = t, probs = probs }
    for name in pairs(derived.reweighted) do
      local what = derived.parse(name .. "@" .. prior)
      lu.assertAlmostEquals(derived.value(what, source), expected[name], 1e-9, what.name)
    end
  end
end

function Operating.test_uniform_accuracy_is_balanced_accuracy()
  local source, m = source_of(part(5, 300))
  lu.assertAlmostEquals(derived.value(derived.parse "acc@uniform", source), m.bacc, 1e-12)
end

function Operating.test_names()
  lu.assertEquals(derived.parse("tail@head=0.90").name, derived.TAIL)
  lu.assertEquals(derived.parse("tail@head=0.955").name, "tail@head=0.955")
  lu.assertEquals(derived.parse("all@uniform").name, "acc@uniform")
  lu.assertFalse(derived.parse("nll@reversed").higher)
  lu.assertNil(derived.parse "acc")
  lu.assertErrorMsgContains("a number between 0 and 1", derived.parse, "tail@head=90")
  lu.assertErrorMsgContains("a test prior is uniform or reversed, got flat", derived.parse, "acc@flat")
  lu.assertErrorMsgContains("a test prior changes acc, brier, kappa", derived.parse, "bacc@uniform")
end

-- ── from a database ─────────────────────────────────────────────────────────────────────
-- Runs with predictions on validation and test.
local function stored()
  local db = fixture.new()
  for seed = 0, 2 do
    local of = fixture.description { label = "a", name = "a", seed = seed, study = "s",
      dataset = { name = "three", sha256 = "d3", classes = { "a", "b", "c" } }, lambda = { 1, 1, 1 } }
    of.split = { name = "cut", sha256 = "s3", n_train = COUNTS, n_val = COUNTS, n_test = COUNTS, shot = SHOT }
    local run = db:start_run(of)
    for i, name in ipairs { "val", "test" } do
      local one = part(10 * seed + i, 200)
      local m = metric.evaluate { ["true"] = one.true_idx, probs = one.probs, shot = SHOT }
      run:evaluation(fixture.evaluation(m.confusion, { part = name, bins = m.bins, results = { nll = m.nll },
        predictions = { true_idx = one.true_idx, pred_idx = m.pred, probs = core.tensor.from(one.probs) } }))
    end
    run:finish()
  end
  return db
end

function Operating.test_the_metric_under_every_name()
  local db <close> = stored()
  local runs, values = db:runs { metrics = true }, {}
  for i, run in ipairs(runs) do
    values[i] = run.metrics["tail@head=0.8"]
    local seed = run.seed
    local val, test = part(10 * seed + 1, 200), part(10 * seed + 2, 200)
    local tau = operating.tau_at(val, SHOT, 0.8)
    lu.assertAlmostEquals(values[i], operating.recall("few", SHOT, test.true_idx,
      operating.predictions(test, tau)), 1e-12)
  end
  local best = math.max(table.unpack(values))
  lu.assertTrue(best > math.min(table.unpack(values)))
  lu.assertEquals(values[db:find("@best:tail@head=0.80").seed + 1], best)
  lu.assertEquals(#db:select { ("tail@head=0.8>=%.17g"):format(best) }, 1)
  lu.assertEquals(#db:select { "acc@uniform>0", "seed=1" }, 1)
  local sorted = db:select({}, { sort = "tail@head=0.8" })
  lu.assertEquals(values[sorted[1].seed + 1], best)
  local mean = db:groups("s")[1]:of "tail@head=0.80"
  lu.assertAlmostEquals(mean.mean, (values[1] + values[2] + values[3]) / 3, 1e-12)
  local empty <close> = fixture.new()
  local _, problem = empty:find "@best:tail@head=0.90"
  lu.assertStrContains(problem, "has predictions to compute tail@head=0.9 from")
end

function Operating.test_the_curves_of_a_study()
  local db <close> = stored()
  local operating_curve = require "aniso.show.operating_curve"
  local list = operating_curve.of_groups(db, db:groups "s")
  lu.assertEquals({ #list, #list[1].curves }, { 1, 3 })
  lu.assertEquals(list[1].curves[1].few, operating.curve({ part(2, 200) }, SHOT).few)
  local columns, rows = operating_curve.rows(list, "csv")
  lu.assertEquals(columns, { "label", "seeds", "head", "tail", "tail_sd" })
  lu.assertEquals(#rows, #list[1].band.head)
  local values = {}
  for i, curve in ipairs(list[1].curves) do values[i] = operating.tail_at(curve, rows[9][3]) end
  lu.assertAlmostEquals(rows[9][4], (values[1] + values[2] + values[3]) / 3, 1e-12)
end

return { Operating = Operating }
