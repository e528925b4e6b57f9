-- Our metrics against those of scikit-learn on fixed predictions, to 1e-12: tests/golden/metrics.json,
-- which tests/golden/metrics_sklearn.py wrote.
local lu = require "luaunit"
local core = require "aniso.core"
local metric = require "aniso.stats.metric"

local T = {}

local function cases()
  local file <close> = assert(io.open("tests/golden/metrics.json", "rb"))
  return core.json.decode(file:read "a").cases
end

local function near(got, expected, what)
  lu.assertNotNil(got, what)
  lu.assertAlmostEquals(got, expected, 1e-12, what)
end

function T.test_every_metric_of_every_case()
  local n = 0
  for _, case in ipairs(cases()) do
    local m = metric.evaluate { ["true"] = case["true"], probs = case.probs }
    for name, value in pairs(case.expected.all) do
      near(m[name], value, case.name .. ": " .. name)
      n = n + 1
    end
  end
  lu.assertEquals(n, 6 * 11)
end

-- scikit-learn has 0 where a rate is undefined, the file has -1 for an area that is.
function T.test_every_class()
  local absent = 0
  for _, case in ipairs(cases()) do
    local m = metric.evaluate { ["true"] = case["true"], probs = case.probs }
    for j, class in ipairs(m.class) do
      local what = ("%s, class %d: "):format(case.name, j - 1)
      for name, values in pairs(case.expected.class) do near(class[name] or 0, values[j], what .. name) end
      near(class.auc or -1, case.expected.auc[j], what .. "auc")
      near(class.auprc or -1, case.expected.auprc[j], what .. "auprc")
      absent = absent + (class.support == 0 and 1 or 0)
    end
  end
  lu.assertTrue(absent > 0)
end

-- The cases have what is hard: scores that are equal, and a class that is never predicted.
function T.test_the_cases_have_ties_and_an_unpredicted_class()
  local ties, unpredicted = 0, 0
  for _, case in ipairs(cases()) do
    local seen = {}
    for _, row in ipairs(case.probs) do
      ties, seen[row[1]] = ties + (seen[row[1]] and 1 or 0), true
    end
    for _, class in ipairs(metric.evaluate { ["true"] = case["true"], probs = case.probs }.class) do
      unpredicted = unpredicted + (class.predicted == 0 and class.support > 0 and 1 or 0)
    end
  end
  lu.assertTrue(ties > 100)
  lu.assertTrue(unpredicted > 0)
end

return T
