-- Comparing runs and configurations of a database: Δ and tests against constructed counts,
-- and the notes about samples that are too small.
local lu = require "luaunit"
local core = require "aniso.core"
local metric = require "aniso.stats.metric"
local records = require "aniso.show.compare_records"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, record, every, truth = fixture.description, fixture.record, fixture.every, fixture.truth
local N = 120 -- images: 90 of class a, 30 of class b

local function named(list, name)
  for _, one in ipairs(list) do
    if one.name == name then return one end
  end
end

local function assert_near(got, expected, tolerance)
  lu.assertAlmostEquals(got, expected, tolerance or 1e-12)
end

local function assert_note(result, text)
  lu.assertStrContains(table.concat(result.notes, "\n"), text)
end

local function assert_no_note(result, text)
  lu.assertNil(table.concat(result.notes, "\n"):find(text, 1, true), text)
end

local Compare = {}

function Compare.test_images_per_run_have_one_decimal()
  local cells = require "aniso.show.compare_cells"
  lu.assertEquals({ cells.count(20 / 3).text, cells.count(6).text }, { "6.7", "6" })
  lu.assertEquals({ cells.change(-4 / 3).text, cells.change(2).text }, { "-1.3", "+2" })
end

function Compare.test_two_runs()
  local db <close> = fixture.new()
  record(db, "a", 0, every(4))  -- 30 wrong: 22 of class a (4, 8 … 88), 8 of b (92 … 120)
  record(db, "b", 0, every(10)) -- 12 wrong: 9 of a, 3 of b; 6 of them (20, 40 …) in both
  local r = assert(db:compare({ "1", "2" }, { draws = 200 }))
  lu.assertEquals({ r.groups[1].label, r.groups[2].label }, { "a seed 0", "b seed 0" })
  local acc, few = named(r.metrics, "acc"), named(r.metrics, "few")
  assert_near(acc.of[1].mean, 90 / 120)
  assert_near(acc.delta[2].mean, 18 / 120)
  assert_near(few.of[1].mean, 22 / 30)
  assert_near(few.delta[2].mean, 5 / 30)
  lu.assertEquals({ acc.delta[2].n, acc.delta[2].p }, { 1, nil })
  local pair = r.pairs[2]
  local test = pair.mcnemar[1]
  lu.assertEquals({ test.b, test.c, pair.n, #pair.mcnemar }, { 6, 24, 120, 1 })
  assert_near(test.p, metric.mcnemar(truth(), db:predictions(1).pred_idx, db:predictions(2).pred_idx, 2).p)
  assert_near(pair.intervals.acc.value, 18 / 120)
  assert_near(pair.intervals.few.value, 5 / 30)
  lu.assertTrue(pair.intervals.acc.lo > 0.05 and pair.intervals.acc.hi < 0.25)
  local class = named(r.classes, "b")
  lu.assertEquals({ class.support, class.n_train, class.shot }, { 30, 10, "few" })
  assert_near(class.recall.delta[2].mean, 5 / 30)
  assert_near(class.precision.of[1].mean, 22 / 44)
  local cells = {}
  for _, cell in ipairs(r.confusion) do cells[cell["true"] .. cell.pred] = cell.delta[2] end
  lu.assertEquals(cells, { aa = 13, ab = -13, ba = -5, bb = 5 })
  lu.assertEquals(r.config, { { key = "method", values = { "a", "b" } } })
  assert_note(r, "acc +0.150 (beyond the variation over images; seeds untested)")
  assert_note(r, "one run each")
  assert_no_note(r, "few test images")
  lu.assertStrContains(tostring(r), "0.750")
  local again = db:compare({ "1", "2" }, { draws = 200 })
  lu.assertEquals(again.pairs[2].intervals, pair.intervals)
end

function Compare.test_configurations_are_paired_by_seed()
  local db <close> = fixture.new()
  for seed, n in ipairs { 4, 5, 6, 8 } do record(db, "a", seed, every(n), { nll = seed }) end
  for seed, n in ipairs { 10, 12, 20 } do record(db, "b", seed, every(n), { nll = 2 * seed }) end
  local r = assert(db:compare({ "a", "b" }, { draws = 100 }))
  local acc = named(r.metrics, "acc")
  lu.assertEquals({ acc.of[1].n, acc.of[2].n, acc.delta[2].n }, { 4, 3, 3 })
  assert_near(acc.of[1].mean, 1 - (30 + 24 + 20 + 15) / 480)
  local d = { (30 - 12) / 120, (24 - 10) / 120, (20 - 6) / 120 }
  local expected = metric.paired_t({ 0, 0, 0 }, d)
  assert_near(acc.delta[2].mean, expected.mean)
  assert_near(acc.delta[2].p, expected.p, 1e-9)
  assert_near(acc.delta[2].lo, expected.lo, 1e-9)
  assert_near(named(r.metrics, "nll").delta[2].mean, 2)
  assert_near(r.pairs[2].intervals.acc.value, expected.mean)
  lu.assertEquals(#r.pairs[2].mcnemar, 3)
  assert_note(r, "Δ is over the seeds that both have (1, 2, 3)")
  assert_no_note(r, "too few for a test over seeds")
  assert_note(r, "acc +0.128 (beyond noise)")
  r = assert(db:compare({ "a", "7" }, { draws = 10 }))
  lu.assertEquals({ named(r.metrics, "acc").delta[2].n, named(r.metrics, "acc").delta[2].p }, { 1, nil })
  assert_note(r, "1 paired seed is too few for a test over seeds: at least 3")
end

function Compare.test_no_common_seed()
  local db <close> = fixture.new()
  for seed = 1, 2 do record(db, "a", seed, every(4)) end
  for seed = 3, 4 do record(db, "b", seed, every(10)) end
  local r = assert(db:compare { "a", "b" })
  local acc = named(r.metrics, "acc")
  assert_near(acc.delta[2].mean, 18 / 120)
  lu.assertEquals({ acc.delta[2].n, acc.delta[2].lo, r.pairs[2].mcnemar }, { 0, nil, nil })
  assert_note(r, "b and a have no pair of runs: Δ is the difference of the means")
  assert_note(r, "no test over images: they share no seed")
end

function Compare.test_the_reason_why_runs_cannot_be_paired()
  local db <close> = fixture.new()
  record(db, "a", 0, every(4))
  local silent = record(db, "silent", 0, every(10), { silent = true })
  local other = truth()
  other[1], other[120] = 1, 0
  record(db, "other", 0, every(10), { ["true"] = other })
  local split = description().split
  split.sha256, split.seed = "s2", 2
  record(db, "moved", 0, every(10), { split = split })
  local function reason(name)
    local r = assert(db:compare { "a", name })
    lu.assertNil(r.pairs[2].intervals)
    assert_near(named(r.metrics, "acc").delta[2].mean, named(r.metrics, "acc").of[2].mean - 0.75)
    return r.pairs[2].unpaired
  end
  lu.assertStrContains(reason "silent", silent.uid .. " has no stored predictions")
  lu.assertStrContains(reason "other", "different images")
  lu.assertStrContains(reason "moved", "different splits")
end

function Compare.test_few_images_and_few_disagreements_are_noted()
  local db <close> = fixture.new()
  local true_ = {}
  for i = 1, N do true_[i] = i <= 117 and 0 or 1 end
  record(db, "a", 0, every(40), { ["true"] = true_ })
  record(db, "b", 0, every(30), { ["true"] = true_ })
  local r = assert(db:compare({ "a", "b" }, { draws = 50 }))
  assert_note(r, "few test images (b 3; fewer than 20): one image is up to 0.33 of a recall")
  assert_note(r, "at seed 0 only 5 of 120 images are right in one and wrong in the other")
end

-- Text, CSV and JSON show the same numbers.
function Compare.test_formats_agree()
  local db <close> = fixture.new()
  for seed = 0, 2 do
    record(db, "a", seed, every(4 + seed), { nll = 0.5 })
    record(db, "b", seed, every(6 + seed))
  end
  local r = assert(db:compare({ "a", "b" }, { draws = 50 }))
  local json, csv = core.json.decode(records.json(r)), records.csv(r)
  local n = 0
  for section, list in pairs(json) do
    for _, record_ in ipairs(type(list) == "table" and section ~= "notes" and list or {}) do
      n = n + 1
      for _, column in ipairs { "value", "delta", "lo", "hi", "p", "sd" } do
        local value = record_[column]
        if math.type(value) == "float" then
          local exact = ("%.17g"):format(value)
          lu.assertTrue(csv:find(("%.15g"):format(value), 1, true) ~= nil or csv:find(exact, 1, true) ~= nil
            or csv:find(("%.16g"):format(value), 1, true) ~= nil, section .. " " .. exact)
        end
      end
    end
  end
  lu.assertTrue(n > 40)
  local nll = named(r.metrics, "nll")
  lu.assertEquals({ nll.of[2].n, nll.delta[2].mean }, { 0, nil })
  lu.assertStrContains(tostring(r), "n/a")
  for _, one in ipairs(json.metrics) do
    if one.name == "acc" and one.group == "b" then
      assert_near(one.delta, named(r.metrics, "acc").delta[2].mean)
      lu.assertEquals(one.pairs, 3)
    end
  end
end

return { TestCompare = Compare }
