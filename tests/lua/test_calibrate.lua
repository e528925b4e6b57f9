-- select.calibrate: its option, the chains that a grid needs, and the choice among predictions whose best
-- tilt is known.
local lu = require "luaunit"
local calibrate = require "aniso.method.calibrate"
local config = require "aniso.method.config"

-- ── the option ──────────────────────────────────────────────────────────────────────────
local Option = {}

local function complete(given)
  return config.complete({ select = { calibrate = given } }).select.calibrate
end

function Option.test_it_is_off_unless_given()
  lu.assertNil(complete(nil))
  lu.assertNil(complete(false))
  lu.assertEquals(complete("bacc").metric, "bacc")
  local o = complete {}
  lu.assertEquals({ o.metric, o.where, #o.tau, o.tau[1], o.tau[16] }, { "macro_f1", "vote", 16, 0, 1.5 })
  lu.assertEquals({ o.temperature, o.level }, { {}, {} })
end

-- Printed names and stored ones are the same metric, as everywhere else.
function Option.test_a_metric_by_either_of_its_names()
  for printed, stored in pairs { tail = "few", few = "few", head = "many", auprc_tail = "auprc_few",
    all = "acc" } do
    lu.assertEquals(complete(printed).metric, stored)
  end
  lu.assertErrorMsgContains("macro_f1, head, medium, tail", complete, "xyzzyxyzzy")
end

-- It is known before the training that validation has no image of the group.
function Option.test_a_group_without_a_validation_image()
  local function check(metric, n_val)
    calibrate.check_validation(config.complete { select = { calibrate = metric } },
      { split = { test_is_val = 0, n_val = n_val, shot = { "many", "few", "few" } } })
  end
  for _, metric in ipairs { "tail", "auprc_tail" } do
    lu.assertErrorMsgContains("option select.calibrate.metric is " .. metric
      .. ", and the validation part has no image of the group tail", check, metric, { 9, 0, 0 })
    check(metric, { 9, 0, 1 })
  end
  lu.assertErrorMsgContains("no image of the group medium", check, "medium", { 9, 1, 1 })
  check("head", { 9, 0, 0 })
  check("bacc", { 9, 0, 0 })
end

function Option.test_mistakes_are_named()
  local function refused(text, given) lu.assertErrorMsgContains(text, complete, given) end
  refused("calibrate.metric: there is no metric bac of class probabilities (did you mean bacc?)", "bac")
  refused("there is no metric agreement", { metric = "agreement" })
  refused("did you mean select.calibrate.tau?", { taus = { 1 } })
  refused("select.calibrate.temperature.1 must be above 0", { temperature = { 0 } })
  refused("select.calibrate.level.1 must be mixture", { level = { "most" } })
  refused("give at least one value", { tau = {} })
  local many = {}
  for i = 1, 101 do many[i] = i end
  refused("10201 candidates, expected at most 10000", { tau = many, temperature = many })
  refused("must be a table", 3)
  lu.assertErrorMsgContains("give one of them", config.complete,
    { select = { calibrate = "bacc" }, sampler = { tilt = "prior" } })
end

-- ── choosing ────────────────────────────────────────────────────────────────────────────
local Choice = {}

local HOW = config.complete({}).sampler

local function texts(chains)
  local out = {}
  for i, one in ipairs(chains) do
    out[i] = ("%s %s %s%s"):format(one.how.level, one.how.tilt[1], one.how.tilt.tau or "",
      one.listed and " listed" or "")
  end
  return out
end

function Choice.test_a_chain_runs_for_each_level_and_each_tilt_inside_it()
  local function chains(o, coupling)
    return texts(calibrate.chains(complete(o), HOW, coupling or "variance"))
  end
  lu.assertEquals(chains {}, { "mixture none  listed" })
  lu.assertEquals(chains({ level = { "max", 0.5 } }, "variance"), { "mixture none  listed" })
  lu.assertEquals(chains({ level = { "max", "mixture", 0.5 } }, "sample"),
    { "mixture none  listed", "max none  listed", "0.5 none  listed" })
  lu.assertEquals(chains({ level = { "max" } }, "sample"), { "mixture none ", "max none  listed" })
  lu.assertEquals(chains { where = "chain", tau = { 0.5, 0 } },
    { "mixture none  listed", "mixture prior 0.5 listed" })
  lu.assertEquals(#chains({ where = "chain", tau = { 0.5, 1 }, level = { "min", "max" } }, "sample"), 5)
end

-- Predictions whose best τ is known: labels with π = (0.8, 0.2) and probabilities that were shifted by
-- log-odds of 1 towards class 0.
local LABELS, ROWS, WANTED = {}, {}, 1 / math.log(4)
for i = 0, 199 do
  local odds = (i - 99.5) / 20 -- of class 1, right at 0
  LABELS[i + 1] = odds > 0 and 1 or 0
  local p = 1 / (1 + math.exp(1 - odds))
  ROWS[i + 1] = { 1 - p, p }
end

local function choose(o, runs)
  return calibrate.choose({ o = complete(o), counts = { 80, 20 }, labels = LABELS }, runs)
end

local function run_of(rows_at, how)
  return { how = how or HOW, listed = true, read = type(rows_at) == "function" and rows_at
    or function() return rows_at end }
end

function Choice.test_the_best_tau_wins_and_of_equals_the_first()
  local found = choose({ metric = "acc", tau = { 0, WANTED, 1.2 } }, { run_of(ROWS) })
  lu.assertEquals({ found.tau, found.value, found.temperature, found.level, found.index },
    { WANTED, 1, 0.25, "mixture", 1 })
  lu.assertEquals(found.how.tilt, { "prior", tau = WANTED, where = "vote" })
  local first = WANTED + 1e-9
  lu.assertEquals(choose({ metric = "acc", tau = { first, WANTED } }, { run_of(ROWS) }).tau, first)
  local none = choose({ metric = "acc", tau = { 0 } }, { run_of(ROWS) })
  lu.assertEquals(none.how.tilt, { "none" })
end

function Choice.test_a_lower_value_wins_where_lower_is_better()
  local sharp = { { 0.9, 0.1 }, { 0.2, 0.8 } }
  local found = calibrate.choose({ o = complete { metric = "nll", tau = { 0 }, temperature = { 2, 1, 0.5 } },
    counts = { 1, 1 }, labels = { 0, 1 } }, { run_of(function(temperature)
      return temperature == 1 and sharp or { { 0.5, 0.5 }, { 0.5, 0.5 } }
    end) })
  lu.assertEquals(found.temperature, 1)
  lu.assertEquals(found.how.temperature, 1)
end

function Choice.test_chains_that_are_not_listed_have_no_candidates()
  local other = { level = "max", temperature = 0.25, tilt = { "none" } }
  local found = choose({ metric = "acc", tau = { 0 } },
    { { how = HOW, listed = false }, run_of(ROWS, other) })
  lu.assertEquals({ found.index, found.level }, { 2, "max" })
  lu.assertFalse(calibrate.same_chains(HOW, found.how))
  lu.assertTrue(calibrate.same_chains(HOW, HOW))
end

function Choice.test_an_undefined_metric_is_an_error()
  lu.assertErrorMsgContains("the validation part has no tail", choose, { metric = "few" }, { run_of(ROWS) })
end

return { Option = Option, Choice = Choice }
