-- Every number that `aniso table`, `curve` and `compare` show, recomputed from the tables `confusion` and
-- `prediction` (tests/lua/independent.lua). Stored numbers of runs without predictions cannot be recomputed
-- and are left out.
local lu = require "luaunit"
local core = require "aniso.core"
local numbers = dofile "tests/lua/numbers_fixture.lua"
local own = dofile "tests/lua/independent.lua"
local assert_near, values, groups_of = numbers.assert_near, numbers.values, numbers.groups
local command_json = numbers.command_json

local COLS = { "all", "head", "medium", "tail", "bacc", "macro_f1", "worst_class", "kappa", "macro_precision",
  "kappa_quadratic", "mcc", "nll", "brier", "auc", "auprc", "auprc_many", "auprc_few", "ece",
  "tail@head=0.9" }
local NAME = { all = "acc", head = "many", tail = "few" }
local STORED = { macro_precision = true, kappa_quadratic = true, mcc = true, nll = true, brier = true,
  auc = true, auprc = true, auprc_many = true, auprc_medium = true, auprc_few = true, ece = true,
  ["tail@head=0.9"] = true }

-- Numbers derived from counts exist for all runs; stored numbers of runs without predictions cannot be
-- recomputed.
local function get(name)
  return function(one) return one.rates[NAME[name] or name] end
end

local DRAWS = 25

local Numbers = {}

function Numbers:setUp()
  Numbers.path = Numbers.path or numbers.make()
  self.db = assert(core.db.open(Numbers.path, "read"))
end

function Numbers:tearDown()
  self.db:close()
end

function Numbers:test_table()
  for study in pairs(numbers.splits) do
    for _, sampler in ipairs { "chain", "prior" } do
      local groups = groups_of(self.db, study, sampler)
      local rows = command_json(Numbers.path, "table", study, "--prior", "--cols", table.concat(COLS, ","))
      lu.assertEquals(#rows, 6)
      for _, row in ipairs(rows) do
        for _, name in ipairs(row.by == sampler and COLS or {}) do
          if not (STORED[name] and row.label == "silent") then
            local n, mean, sd = own.moments(values(groups[row.label], get(name)))
            local what = table.concat({ study, row.label, sampler, name }, " ")
            assert_near(row[name], mean, what)
            assert_near(row[name .. "_sd"], sd, what .. " sd")
            lu.assertTrue(n == 0 or row.seeds == n, what)
          end
        end
      end
    end
  end
end

function Numbers:test_curve()
  for study in pairs(numbers.splits) do
    local groups = groups_of(self.db, study)
    for _, y in ipairs { "tail", "head", "medium", "macro_f1" } do
      if #values(groups.flat, get(y)) > 0 then
        local rows = command_json(Numbers.path, "curve", study, "-x", "schedule.lambda.gamma", "-y", y)
        lu.assertEquals(#rows, 3)
        for _, row in ipairs(rows) do
          for label, group in pairs(groups) do
            if group.gamma == row["schedule.lambda.gamma"] then
              local _, mean, sd = own.moments(values(group, get(y)))
              assert_near(row[y], mean, label)
              assert_near(row[y .. "_sd"], sd, label)
              for _, one in ipairs(group) do
                assert_near(row[("%s seed %d"):format(y, one.seed)], get(y)(one), label)
              end
            end
          end
        end
      end
    end
  end
end

-- ── compare ─────────────────────────────────────────────────────────────────────────────
-- The members of two groups with the same seed; two single runs in any case.
local function paired(first, second)
  local a, b = {}, {}
  for _, one in ipairs(first) do
    for _, two in ipairs(second) do
      if one.seed == two.seed or #first + #second == 2 then a[#a + 1], b[#b + 1] = one, two end
    end
  end
  return a, b
end

-- A record of metrics or classes against one number of the members.
local function check_record(record, first, second, number, what)
  local n, mean, sd = own.moments(values(second, number))
  assert_near(record.value, mean, what)
  assert_near(record.sd, sd, what .. " sd")
  lu.assertEquals(record.n, n, what)
  if first == second then return lu.assertNil(record.delta, what) end
  local x, y = {}, {}
  local a, b = paired(first, second)
  for k in ipairs(a) do
    if number(a[k]) and number(b[k]) then x[#x + 1], y[#y + 1] = number(a[k]), number(b[k]) end
  end
  local test = own.paired(x, y)
  for _, key in ipairs { "lo", "hi", "t", "p" } do
    assert_near(record[key], test[key], what .. " " .. key, 1e-6)
  end
  assert_near(record.delta, test.mean, what .. " delta")
  assert_near(record.delta_sd, test.sd, what .. " sd of delta")
  lu.assertEquals(record.pairs, test.n, what)
end

local function check_metrics(json, groups)
  local seen = 0
  for _, record in ipairs(json.metrics) do
    local second = groups[record.group]
    local derived = not STORED[record.name]
    if derived or record.group ~= "silent" and json.baseline ~= "silent" then
      seen = seen + 1
      check_record(record, groups[json.baseline], second, get(record.name),
        record.group .. " " .. record.name)
    end
  end
  return seen
end

local CLASS = { a = 1, b = 2, c = 3, d = 4 }

local function check_classes(json, groups)
  for _, record in ipairs(json.classes) do
    local name = record.quantity
    if record.group then
      check_record(record, groups[json.baseline], groups[record.group], function(one)
        return one.classes[CLASS[record.name]][name]
      end, record.group .. " " .. record.name .. " " .. name)
    elseif name == "support" then
      assert_near(record.value, groups[json.baseline][1].classes[CLASS[record.name]].truly, record.name)
    end
  end
end

local function check_confusion(json, groups)
  local function mean(group, i, j)
    local _, of = own.moments(values(group, function(one) return one.matrix[i][j] end))
    return of
  end
  for _, record in ipairs(json.confusion) do
    local i, j = CLASS[record.name], CLASS[record.predicted]
    local value = mean(groups[record.group], i, j)
    assert_near(record.value, value, "confusion", 1e-4) -- sums of counts in float32, divided
    if record.group ~= json.baseline then
      assert_near(record.delta, value - mean(groups[json.baseline], i, j), "change of confusion", 1e-4)
    end
  end
end

local function check_images(json, groups)
  local base, tests, intervals = groups[json.baseline], 0, 0
  for label, group in pairs(groups) do
    local a, b = paired(base, group)
    local runs, tilted, complete = {}, {}, #a > 0 and group ~= base
    for k in ipairs(a) do
      complete = complete and a[k].t and b[k].t
      runs[k], tilted[k] = { a[k].pred, b[k].pred }, { a[k].tilted, b[k].tilted }
    end
    local drawn = complete and own.bootstrap(a[1].t, runs, a[1].shot, DRAWS) or {}
    drawn["tail@head=0.9"] = complete and own.bootstrap(a[1].t, tilted, a[1].shot, DRAWS).few
    for _, record in ipairs(json.images or {}) do
      if record.group == label then
        local x, y = values(a, get(record.name)), values(b, get(record.name))
        assert_near(record.delta, own.paired(x, y).mean, label .. record.name)
        assert_near(record.lo, drawn[record.name].lo, label .. record.name .. " lo")
        assert_near(record.hi, drawn[record.name].hi, label .. record.name .. " hi")
        intervals = intervals + 1
      end
    end
    for k in ipairs(complete and a or {}) do
      local test = own.mcnemar(a[k].t, a[k].pred, b[k].pred)
      for _, record in ipairs(json.mcnemar) do
        if record.group == label and record.name == "seed " .. b[k].seed then
          lu.assertEquals({ record.b, record.c }, { test.b, test.c })
          assert_near(record.p, test.p, "McNemar", 1e-6)
          tests = tests + 1
        end
      end
    end
  end
  lu.assertEquals(tests, #(json.mcnemar or {}))
  lu.assertEquals(intervals, #(json.images or {}))
  return tests, intervals
end

local function check(json, groups)
  check_classes(json, groups)
  check_confusion(json, groups)
  lu.assertTrue(check_metrics(json, groups) > 10)
  return check_images(json, groups)
end

-- A study alone, with its baseline and with another; the first group is the flat one.
function Numbers:test_compare_of_studies()
  for study in pairs(numbers.splits) do
    local groups = groups_of(self.db, study)
    for _, baseline in ipairs { "flat", "steeper" } do
      local json = command_json(Numbers.path, "compare", study, "--baseline", baseline, "--draws", DRAWS)
      lu.assertEquals(json.baseline, baseline)
      local tests, intervals = check(json, groups)
      lu.assertEquals(tests, 3) -- silent has a run without predictions: nothing is tested on images
      lu.assertTrue(intervals >= 4)
    end
  end
end

function Numbers:test_compare_of_two_groups_and_of_runs()
  local all = groups_of(self.db, "two")
  local json = command_json(Numbers.path, "compare", "two:steeper", "two:silent", "--draws", DRAWS)
  check(json, { steeper = all.steeper, silent = all.silent })
  local function id(label, seed)
    local found = self.db:query([[
      SELECT max(run_id) AS id FROM run r JOIN study s USING(study_id)
       WHERE s.name = 'two' AND label = ?1 AND seed = ?2 AND status = 'finished' AND removed_at IS NULL]],
      label, seed)
    return found[1].id
  end
  json = command_json(Numbers.path, "compare", id("flat", 0), id("steeper", 3), "--draws", DRAWS)
  local tests = check(json, { ["flat seed 0"] = { all.flat[1] }, ["steeper seed 3"] = { all.steeper[4] } })
  lu.assertEquals(tests, 1)
end

return { Numbers = Numbers }
