-- Successive halving on synthetic scores: who continues, who wins, ties, failures, both directions, and how
-- often the rule finds the better candidate in noise.
local lu = require "luaunit"
local halving = require "aniso.stats.halving"
local policy = require "aniso.method.search"
local lambda = require "aniso.method.lambda"
local options = require "aniso.recipe.options"

local MORE, LESS = { higher = true, eta = 3 }, { higher = false, eta = 3 }

local function how(base, last)
  return { higher = base.higher, eta = base.eta, last = last }
end

-- {spread, score, …} → an entry; the first of a list is the reference.
local function entries(list)
  local out = {}
  for i, one in ipairs(list) do
    out[i] = { spread = one[1], reference = i == 1, scores = one[2] and { table.unpack(one, 2) } or nil }
  end
  return out
end

local Rung = {}

function Rung.test_one_in_eta_continues_and_the_reference()
  local list = entries { { 0, 0.1 }, { 1, 0.5 }, { 1, 0.4 }, { 1, 0.3 }, { 1, 0.2 } }
  local verdict = halving.rung(list, MORE)
  lu.assertEquals(verdict.kept, { 1, 2, 3 }) -- ⌈5/3⌉ = 2 and the reference
  lu.assertEquals(verdict.order, { 2, 3, 4, 5, 1 })
  lu.assertNil(verdict.winner)
  lu.assertEquals(halving.rung(list, LESS).kept, { 1, 5 })
  lu.assertEquals(halving.rung(list, { higher = true, eta = 5 }).kept, { 1, 2 })
end

function Rung.test_a_reference_that_is_left_alone_wins()
  local verdict = halving.rung(entries { { 0, 0.9 }, { 1, 0.5 }, { 1, 0.4 } }, MORE)
  lu.assertEquals({ verdict.kept, verdict.winner }, { { 1 }, 1 })
end

function Rung.test_a_candidate_that_failed_drops_out()
  local list = entries { { 0 }, { 1, 0.2 }, { 1 }, { 1, 0.1 } }
  local verdict = halving.rung(list, MORE)
  lu.assertEquals(verdict.kept, { 2 })
  lu.assertEquals(verdict.winner, 2)
  lu.assertNil(verdict.rows[1])
  lu.assertNil(verdict.rows[2].delta) -- to a reference that failed
  verdict = halving.rung(entries { { 0 }, { 1 } }, how(MORE, true))
  lu.assertEquals({ verdict.order, verdict.kept, verdict.winner }, { {}, {}, nil })
end

function Rung.test_rows_are_paired_with_the_reference()
  -- Differences 0.1, 0.2, 0.3: mean 0.2, standard deviation 0.1.
  local rows = halving.rung(entries { { 0, 0.5, 0.1, 0.9 }, { 1, 0.6, 0.3, 1.2 } }, MORE).rows
  lu.assertAlmostEquals(rows[1].mean, 0.5, 1e-12)
  lu.assertNil(rows[1].delta)
  lu.assertAlmostEquals(rows[2].delta, 0.2, 1e-12)
  lu.assertAlmostEquals(rows[2].se, 0.1 / math.sqrt(3), 1e-12)
end

local Winner = {}

local function winner(list, base)
  return halving.rung(entries(list), how(base or MORE, true)).winner
end

function Winner.test_one_seed_has_no_standard_error()
  lu.assertEquals(winner { { 0, 0.5 }, { 1, 0.5000001 } }, 2)
  lu.assertEquals(winner({ { 0, 0.5 }, { 1, 0.4999999 } }, LESS), 2)
end

function Winner.test_within_one_standard_error_the_nearest_to_equal_wins()
  -- Differences to the reference: 0, 0.2 (mean 0.1, error 0.1) and 0.09, 0.11 (mean 0.1, error 0.01).
  lu.assertEquals(winner { { 0, 0.5, 0.5 }, { 1, 0.5, 0.7 } }, 1)
  lu.assertEquals(winner { { 0, 0.5, 0.5 }, { 1, 0.59, 0.61 } }, 2)
  lu.assertEquals(winner({ { 0, 0.5, 0.5 }, { 1, 0.5, 0.3 } }, LESS), 1)
  lu.assertEquals(winner({ { 0, 0.5, 0.5 }, { 1, 0.41, 0.39 } }, LESS), 2)
end

function Winner.test_the_error_is_that_of_the_difference_to_the_best()
  -- Entry 2 is far behind in every seed; entry 3 is behind by less than its error and nearer to equal.
  lu.assertEquals(winner { { 0, 0.1, 0.1, 0.1 }, { 0.1, 0.6, 0.61, 0.6 }, { 0.5, 0.9, 0.68, 0.78 },
    { 1, 0.8, 0.8, 0.8 } }, 3)
  -- The seeds vary much, the difference does not: pairing decides for the better one.
  lu.assertEquals(winner { { 0, 0.1, 0.5, 0.9 }, { 1, 0.13, 0.54, 0.93 } }, 2)
end

function Winner.test_ties()
  lu.assertEquals(winner { { 2, 0.5 }, { 1, 0.5 }, { 1, 0.5 } }, 2) -- the smaller spread, then the earlier
  lu.assertEquals(winner { { 2, 0.5, 0.5 }, { 1, 0.5, 0.5 }, { 1, 0.5, 0.5 } }, 2)
  lu.assertEquals(halving.rung(entries { { 3, 0.5 }, { 2, 0.5 }, { 1, 0.5 }, { 1, 0.5 } }, MORE).order,
    { 3, 4, 2, 1 })
end

-- 600 searches of four candidates whose scores are a common seed effect of deviation 0.05, an advantage and
-- noise of deviation 0.01. Uniform draws from one generator: the test has the same numbers everywhere.
local function search_in_noise(advantages)
  local won, state = {}, 12345
  local function draw()
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 2147483648 - 0.5
  end
  for _ = 1, 600 do
    local list = {}
    for i in ipairs(advantages) do list[i] = { i - 1 } end
    for seed = 1, 3 do
      local effect = 0.05 * math.sqrt(12) * draw()
      for i, advantage in ipairs(advantages) do
        list[i][seed + 1] = 0.5 + effect + advantage + 0.01 * math.sqrt(12) * draw()
      end
    end
    local i = winner(list)
    won[i] = (won[i] or 0) + 1
  end
  return won
end

function Winner.test_the_right_one_in_noise()
  local won = search_in_noise { 0, 0, 0.04, 0.01 }
  lu.assertTrue(won[3] > 560, tostring(won[3])) -- four deviations better, under larger seed effects
  won = search_in_noise { 0, 0, 0, 0 } -- without a difference mostly the isotropic one
  lu.assertTrue(won[1] > 270 and won[1] > (won[2] or 0) and won[1] > (won[4] or 0), tostring(won[1]))
end

local Candidates = {}

local function complete(given)
  return options.check({ lambda = given }, { lambda = lambda.option }, "schedule").lambda
end

function Candidates.test_their_names_and_levels()
  local list = policy.candidates(complete { "search", gamma = { 0, 0.5, -1 }, groups = { { 1, 1.5, 2 } },
    normalise = "prior", max = 3 })
  local names = {}
  for i, one in ipairs(list) do names[i] = one.name end
  lu.assertEquals(names, { "isotropic", "γ 0.5", "γ -1", "groups 1/1.5/2" })
  lu.assertEquals(list[1].lambda, { "isotropic" })
  lu.assertEquals(list[3].lambda, { "power", gamma = -1, normalise = "prior", min = 0, max = 3 })
  lu.assertEquals(list[4].lambda, { "groups", head = 1, medium = 1.5, tail = 2, normalise = "prior", min = 0,
    max = 3 })
  for _, one in ipairs(list) do complete(one.lambda) end
end

function Candidates.test_the_metric_and_its_direction()
  local function metric(name) return policy.metric(complete { "search", metric = name }) end
  lu.assertEquals({ metric(nil).name, metric(nil).higher }, { "macro_f1", true })
  lu.assertEquals({ metric "tail".name, metric "tail".higher }, { "few", true })
  lu.assertEquals({ metric "nll".name, metric "nll".higher }, { "nll", false })
  lu.assertEquals(metric "tail@head=0.90".name, "tail@head=0.9")
end

return { Rung = Rung, Winner = Winner, Candidates = Candidates }
