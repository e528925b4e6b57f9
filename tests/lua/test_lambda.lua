-- The class levels: closed forms, budgets with clipping, the bound and its minimiser, class
-- weights, errors, and help texts generated from the entries.
local lu = require "luaunit"
local annotations = require "aniso.prompt.help.annotations"
local bound = require "aniso.method.bound"
local class_weight = require "aniso.method.class_weight"
local effective_number = require "aniso.method.effective_number"
local lambda = require "aniso.method.lambda"
local options = require "aniso.recipe.options"

local COUNTS = { 6705, 1113, 1099, 514, 327, 142, 115 }
local K = #COUNTS
local UNIT = { A = 1, Dn = 1, p = 1, q = 1 }

local function complete(given)
  return options.check({ lambda = given }, { lambda = lambda.option }, "schedule").lambda
end

local function levels(given, counts, constants)
  return lambda.levels(complete(given), K, counts or counts == nil and COUNTS or nil, constants or UNIT)
end

local function assert_near(a, b, relative)
  lu.assertTrue(math.abs(a - b) <= relative * math.max(math.abs(a), math.abs(b)),
    ("%.17g is not %.17g to %g"):format(a, b, relative))
end

local Policies = {}

function Policies.test_are_proportional_to_their_formulas()
  local formulas = {
    [{ "power", gamma = -0.5 }] = function(n) return n ^ 0.5 end,
    [{ "bound" }] = function(n) return n ^ -0.25 end,
    [{ "bound", q = 2 }] = function(n) return n ^ (-1 / 6) end,
    [{ "effective", beta = 0.99 }] = function(n) return (1 - 0.99 ^ n) ^ -0.5 end,
  }
  for given, formula in pairs(formulas) do
    local got = levels(given)
    for j = 2, K do assert_near(got[j] / got[1], formula(COUNTS[j]) / formula(COUNTS[1]), 1e-10) end
  end
end

function Policies.test_manual_levels_are_kept()
  local given = { 1, 2, 3, 4, 5, 6, 7 }
  local got = levels({ "manual", table.unpack(given) }, false)
  for j = 1, K do assert_near(got[j], given[j] / 4, 1e-12) end
  lu.assertEquals(levels({ "manual", values = given, normalise = "none" }, false), given)
end

function Policies.test_groups_have_a_level_each()
  local of_class = { "many", "many", "medium", "medium", "medium", "few", "few" }
  local choice = complete { "groups", medium = 1.5, tail = 3, normalise = "none" }
  lu.assertEquals(lambda.levels(choice, K, COUNTS, UNIT, nil, of_class), { 1, 1, 1.5, 1.5, 1.5, 3, 3 })
  choice = complete { "groups", medium = 1.5, tail = 3 }
  local got = lambda.levels(choice, K, nil, UNIT, nil, of_class)
  for j, level in ipairs { 1, 1, 1.5, 1.5, 1.5, 3, 3 } do assert_near(got[j], level / (12.5 / 7), 1e-12) end
  lu.assertErrorMsgContains("head, medium and tail are those of a data set", levels, { "groups", tail = 2 })
  lu.assertErrorMsgContains("schedule.lambda.tail must be above 0", complete, { "groups", tail = 0 })
end

function Policies.test_levels_of_one_are_exactly_one()
  local ones = { 1, 1, 1, 1, 1, 1, 1 }
  for _, given in ipairs { { "isotropic" }, { "power", gamma = 0 }, { "effective", beta = 0 },
    { "manual", values = ones } } do
    for _, normalise in ipairs { "mean", "geometric", "prior", "max", "head", "none" } do
      given.normalise = normalise
      lu.assertEquals(levels(given), ones)
    end
  end
end

-- Reference values by mpmath with 50 digits.
function Policies.test_expm1_is_accurate()
  for x, expected in pairs { [-1e-20] = -1e-20, [-1e-10] = -9.9999999995000000e-11,
    [-1e-3] = -9.9950016662500835e-4, [-0.5] = -0.39346934028736658, [-0.69] = -0.49842393093394444,
    [-6.7] = -0.99876908809732652, [-745] = -1, [0.01] = 0.010050167084168058, [5] = 147.41315910257660 } do
    assert_near(effective_number.expm1(x), expected, 4e-16)
  end
  lu.assertEquals({ effective_number.expm1(0), effective_number.expm1(-math.huge) }, { 0, -1 })
end

-- √((1−β)/(1−β^n)) before normalisation, by mpmath; near β = 1 it tends to 1/√n.
function Policies.test_effective_has_its_exact_values()
  local got = levels { "effective", beta = 0.999, normalise = "none" }
  assert_near(got[1], 0.031642094789323849, 1e-15)
  assert_near(got[7], 0.095921267903373219, 1e-15)
  got = levels { "effective", beta = 1 - 1e-9, normalise = "none" }
  assert_near(got[7], 0.093250483481670018, 1e-15)
end

function Policies.test_every_entry_generates_its_documentation()
  local all = annotations.load()
  for name, policy in pairs(lambda.policies) do
    local class = all.classes["aniso.option.lambda." .. name]
    lu.assertEquals(class.text, policy.text)
    for option in pairs(policy.options or {}) do lu.assertNotNil(class.members[option], option) end
  end
end

local Budget = {}

local function budget_of(normalise, got)
  if normalise == "head" then return got[1] end -- the class with the most images
  local sum, weight, largest = 0, 0, 0
  for j, level in ipairs(got) do
    local n = normalise == "prior" and COUNTS[j] or 1
    sum = sum + n * (normalise == "geometric" and math.log(level) or level)
    weight, largest = weight + n, math.max(largest, level)
  end
  return normalise == "max" and largest or normalise == "geometric" and math.exp(sum / weight)
    or sum / weight
end

function Budget.test_and_clipping_hold_together()
  local ranges = { { 0 }, { 0.5 }, { 0, 1.5 }, { 0.8, 1.3 }, { 0.999, 1.001 }, { 1, 1 }, { 1 }, { 0, 1 } }
  for _, given in ipairs { { "power", gamma = 0.7 }, { "bound" }, { "effective" } } do
    for _, normalise in ipairs { "mean", "geometric", "prior", "max", "head" } do
      for _, range in ipairs(ranges) do
        given.normalise, given.min, given.max = normalise, range[1], range[2]
        local got = levels(given)
        assert_near(budget_of(normalise, got), 1, 1e-12)
        for j = 1, K do
          lu.assertTrue(got[j] >= range[1] and got[j] <= (range[2] or math.huge))
          lu.assertTrue(j == 1 or got[j] >= got[j - 1]) -- a rarer class has a higher level
        end
      end
    end
  end
end

local Bound = {}

-- Golden-section search over ln λ, in which a class's term is convex.
local function minimiser(c, n)
  local function term(x)
    local level = math.exp(x)
    return c.A / (level ^ c.p * n ^ 0.5) + c.Dn * level ^ c.q
  end
  local ratio, low, high = (5 ^ 0.5 - 1) / 2, -20, 20
  while high - low > 1e-9 do
    local left, right = high - ratio * (high - low), low + ratio * (high - low)
    if term(left) < term(right) then high = right else low = left end
  end
  return math.exp((low + high) / 2)
end

function Bound.test_policy_minimises_the_bound()
  for _, c in ipairs { UNIT, { A = 2, Dn = 0.3, p = 1, q = 2 }, { A = 0.5, Dn = 4, p = 2, q = 1 },
    { A = 1, Dn = 1, p = 0.5, q = 3 }, { A = 10, Dn = 1, p = 1.5, q = 0.5 } } do
    local got = levels({ "bound", normalise = "none" }, COUNTS, c)
    lu.assertEquals(levels { "bound", normalise = "none", A = c.A, Dn = c.Dn, p = c.p, q = c.q }, got)
    local value, terms = bound.value(c, COUNTS, got)
    local sum = 0
    for j = 1, K do
      assert_near(got[j], minimiser(c, COUNTS[j]), 1e-6) -- a flat minimum is determined to √precision
      assert_near(terms[j].generalisation, c.A / (got[j] ^ c.p * COUNTS[j] ^ 0.5), 1e-12)
      assert_near(terms[j].denoising, c.Dn * got[j] ^ c.q, 1e-12)
      sum = sum + terms[j].generalisation + terms[j].denoising
      for _, factor in ipairs { 0.99, 1.01 } do
        local other = { table.unpack(got) }
        other[j] = got[j] * factor
        lu.assertTrue(bound.value(c, COUNTS, other) > value)
      end
    end
    assert_near(value, sum / K, 1e-12)
  end
end

local Weights = {}

local function weights(given, by)
  local choice = options.check({ w = given }, { w = class_weight.option }, "loss").w
  return class_weight.list(choice, COUNTS, by)
end

function Weights.test_have_mean_1_over_the_images()
  local by = { 0.5, 0.8, 0.8, 1, 1.1, 1.4, 1.5 }
  for given, formula in pairs {
    [{ "power" }] = function(n) return n ^ -0.5 end,
    [{ "power", gamma = 1 }] = function(n) return 1 / n end,
    [{ "effective", beta = 0.99 }] = function(n) return 1 / (1 - 0.99 ^ n) end,
    [{ "lambda" }] = function(_, j) return by[j] end,
  } do
    local got, sum, images = weights(given, by), 0, 0
    for j, w in ipairs(got) do
      sum, images = sum + COUNTS[j] * w, images + COUNTS[j]
      assert_near(w / got[1], formula(COUNTS[j], j) / formula(COUNTS[1], 1), 1e-10)
    end
    assert_near(sum, images, 1e-12)
  end
  lu.assertNil(weights "none")
end

local Errors = {}

local function assert_error(words, given, counts)
  lu.assertErrorMsgContains(words, levels, given, counts)
end

function Errors.test_bad_levels_name_the_class()
  for _, bad in ipairs { 0, -1, 0 / 0, math.huge } do
    assert_error("class 5 has the level", { "manual", 1, 1, 1, 1, bad, 1, 1 })
  end
  assert_error("lambda[1]", { "power", gamma = 400 }) -- 6705^−400 is 0 in double
end

function Errors.test_counts_are_required_where_they_are_used()
  local empty = { 6705, 1113, 1099, 0, 327, 142, 115 }
  for _, policy in ipairs { "power", "bound", "effective" } do
    assert_error("give counts", policy, false)
    assert_error("class 4 has counts[4] = 0", policy, empty)
  end
  lu.assertEquals(#levels("isotropic", false), K)
  lu.assertEquals(#levels("isotropic", empty), K)
  lu.assertErrorMsgContains("counts[4]", bound.value, UNIT, empty, levels "isotropic")
  assert_error("give counts", { "isotropic", normalise = "prior" }, false)
end

function Errors.test_bad_options()
  assert_error("lambda.q must be above 0", { "bound", q = 0 })
  assert_error("lambda.beta must be below 1", { "effective", beta = 1 })
  assert_error("lambda.gamma must be a number", { "power", gamma = 0 / 0 })
  assert_error("min <= 1 <= max", { "power", gamma = 1, min = 1.2, max = 2 })
  assert_error("min <= max", { "power", gamma = 1, min = 1.2, max = 1 })
end

return { Policies = Policies, Budget = Budget, Bound = Bound, Weights = Weights, Errors = Errors }
