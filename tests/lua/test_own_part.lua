-- Parts that a recipe defines: references, labels, errors.
local lu = require "luaunit"
local aniso = require "aniso"
local config = require "aniso.method.config"
local core = require "aniso.core"
local own_part = require "aniso.recipe.own_part"
local prior_loss = require "aniso.method.prior_loss"
local sampler = require "aniso.method.sampler"
local study = require "aniso.recipe.study"

local COUNTS = { 900, 90, 9 }

local function hash_of(f)
  return own_part.reference(f, "x").sha256
end

local Reference = {}

function Reference.test_is_plain_data_with_its_options()
  local function f() end
  local given = { f, gamma = 0.5, name = "mine", normalise = "none" }
  local complete = config.complete { schedule = { lambda = given } }
  local lambda = complete.schedule.lambda
  lu.assertEquals({ lambda[1], lambda.gamma, lambda.normalise, lambda.min }, { "own:mine", 0.5, "none", 0 })
  lu.assertEquals(lambda.sha256, hash_of(f))
  local again = config.complete(core.json.decode(core.json.encode(complete)))
  lu.assertEquals(again, complete)
end

function Reference.test_labels_and_options_by_path()
  local function f() end
  local jobs = study.expand(study.new { name = "s", data = "lesions", base = { schedule = { lambda = f } },
    vary = { study.grid { ["schedule.lambda.gamma"] = { 0.5, 1 } },
      study.grid { sampler = { { f, name = "step", steps = 5 }, { module = "other" } } } } })
  lu.assertEquals(jobs[1].label, "gamma=0.5 sampler=step(steps=5)")
  lu.assertEquals(jobs[4].label, "gamma=1 sampler=other")
  lu.assertEquals(jobs[1].config.schedule.lambda, { f, gamma = 0.5 })
  jobs = study.expand(study.new { name = "s", data = "lesions", base = {},
    vary = { study.grid { ["schedule.lambda"] = { f } } } })
  lu.assertEquals(jobs[1].label, "lambda=own:" .. hash_of(f):sub(1, 6))
end

local Kinds = {}

function Kinds.test_a_policy_gives_the_levels()
  local s <close> = aniso.schedule { counts = COUNTS, lambda = { function(counts, o)
    for j, n in ipairs(counts) do counts[j] = n ^ -o.gamma end
    return counts
  end, gamma = 0.5, name = "root" } }
  local power <close> = aniso.schedule { counts = COUNTS, lambda = { "power", gamma = 0.5 } }
  lu.assertEquals(s.levels, power.levels)
  lu.assertEquals({ s.policy, s.counts }, { "own:root", COUNTS })
  lu.assertStrContains(tostring(s), "own:root (gamma 0.5), mean normalised to 1")
end

function Kinds.test_stored_levels_replace_a_missing_policy()
  local gone = { "own:gone", sha256 = ("0"):rep(64), normalise = "mean", min = 0 }
  lu.assertErrorMsgContains("cannot be found", aniso.schedule.new, { counts = COUNTS, lambda = gone })
  lu.assertEquals(aniso.schedule.new({ lambda = gone }, COUNTS, { 0.5, 1, 1.5 }).levels, { 0.5, 1, 1.5 })
end

function Kinds.test_a_prior_loss_is_arguments_or_a_function()
  local logits = core.tensor.from { { 1, 0, 2 }, { 0, 3, 1 } }
  local labels = core.tensor.from({ 0, 2 }, "int64")
  local function loss(given)
    local choice = config.complete { loss = { prior = given } }.loss.prior
    return prior_loss.new(choice, COUNTS)(logits, labels, 0.5):item()
  end
  local focal = loss { "focal", gamma = 3 }
  lu.assertEquals(loss { function(_, o) return { focal = o.gamma } end, gamma = 3 }, focal)
  lu.assertEquals(loss(function()
    return function(z, y) return core.ops.cross_entropy(z, y, { focal = 3 }) end
  end), focal)
  lu.assertErrorMsgContains("expected arguments of ops.cross_entropy", loss, function() return 3 end)
  lu.assertErrorMsgContains("must be a scalar tensor", loss, function()
    return function() return 1 end
  end)
end

-- The operations of the networks before it would be missing from the gradient.
function Kinds.test_a_prior_loss_that_drops_the_tape_is_refused()
  local weights = core.tensor.full({ 3, 3 }, 0.5):param()
  local labels = core.tensor.from({ 0, 2 }, "int64")
  local function gradient(with)
    local choice = config.complete { loss = { prior = function()
      return function(z, y)
        with(z, y)
        return core.ops.cross_entropy(z, y)
      end
    end } }.loss.prior
    local logits = core.tensor.full({ 2, 3 }, 1):matmul(weights)
    prior_loss.new(choice, COUNTS)(logits, labels, 0.5):backward()
    return weights.grad
  end
  lu.assertNotNil(gradient(function() end))
  for _, with in ipairs {
    core.ops.clear_tape,
    function(z, y) core.ops.cross_entropy(z, y):backward() end,
    function(z) -- records more than it drops
      core.ops.clear_tape()
      return z:exp():log():sum()
    end,
    function(z) return pcall(z.matmul, z, z) end,
  } do
    local refusal = ".*loss%.prior: .*the loss must not call backward or clear_tape.*"
    lu.assertErrorMsgMatches(refusal, gradient, with)
    core.ops.clear_tape()
  end
end

function Kinds.test_a_step_function_samples()
  local choice = config.complete { sampler = { function(chain, y, output, t, u)
    local read = { prediction = chain.read.prediction, eta = chain.options.eta }
    return (chain.schedule:ddim_step(y, chain.m, output, t, u, read, chain.level))
  end, eta = 0, steps = 3 } }.sampler
  local s <close> = aniso.schedule { K = 3, T = 30 }
  local function run(kind)
    return sampler.run { schedule = s, m = core.tensor.full({ 2, 3 }, 1 / 3), steps = 3, kind = kind,
      denoise = function(y) return y * 0.3 end }:list()
  end
  lu.assertEquals(run(choice), run "ddim")
end

-- A loss that is cut off from the logits would train nothing, and its run would finish.
function Kinds.test_a_prior_loss_that_does_not_depend_on_the_logits_is_refused()
  local weights = core.tensor.full({ 3, 3 }, 0.5):param()
  local labels = core.tensor.from({ 0, 2 }, "int64")
  for _, loss in ipairs {
    function(z, y) return z:detach():cross_entropy(y) end,
    function(z, y) return core.ops.no_grad(function() return z:cross_entropy(y) end) end,
    function() return core.tensor.full({ 1 }, 1) end,
  } do
    local choice = config.complete { loss = { prior = function() return loss end } }.loss.prior
    local logits = core.tensor.full({ 2, 3 }, 1):matmul(weights)
    lu.assertErrorMsgMatches(".*loss%.prior: .*the loss does not depend on the logits.*",
      prior_loss.new(choice, COUNTS), logits, labels, 0.5)
    core.ops.clear_tape()
  end
end

local Errors = {}

-- What a part raises or returns is reported with the option and the recipe's line.
function Errors.test_of_a_part_name_its_line()
  local labels, logits = core.tensor.from({ 0, 2 }, "int64"), core.tensor.full({ 2, 3 }, 1)
  local function trained(part)
    prior_loss.new(config.complete { loss = { prior = part } }.loss.prior, COUNTS)(logits, labels, 0.5)
  end
  for _, case in ipairs {
    { function() return { focl = 2 } end, "arguments of ops.cross_entropy: unknown option focl" },
    { function() return { weight = { 1 } } end, "arguments of ops.cross_entropy: expected 3 numbers, got 1" },
    { function() error { 1 } end, "raised a table as an error" },
    { function() error() end, "raised a nil as an error" },
  } do
    lu.assertErrorMsgMatches(".*option loss%.prior: .*test_own_part%.lua:%d+: .*", trained, case[1])
    lu.assertErrorMsgContains(case[2], trained, case[1])
  end
end

local function assert_error(words, given)
  lu.assertErrorMsgContains(words, config.complete, { schedule = { lambda = given } })
end

function Errors.test_name_the_option_and_the_mistake()
  local function f() end
  assert_error("module = ../x: a module's name", { module = "../x" })
  assert_error("module = a..b: a module's name", { module = "a..b" })
  assert_error("there is no module nothing in", { module = "nothing" })
  assert_error("a function or a module, not both", { f, module = "x" })
  assert_error("lambda.gamma: an own part's option is a finite number", { f, gamma = 0 / 0 })
  assert_error("lambda.with: an own part's option is", { f, with = f })
  assert_error("a part's name has letters", { f, name = "a b" })
  assert_error("normalise must be one of", { f, normalise = "sum" })
  assert_error("must be one of bound", { "own:mine" }) -- a reference has a hash
  lu.assertErrorMsgContains("train.lr must be a number", config.complete, { train = { lr = f } })
end

function Errors.test_a_table_that_contains_itself()
  local function f() end
  local loop, shared = {}, { 1 }
  loop.inner = { again = loop }
  assert_error("option schedule.lambda.loop.inner.again: the table contains itself", { f, loop = loop })
  local own = { f }
  own.own = own
  assert_error("option schedule.lambda.own: the table contains itself", own)
  lu.assertNotNil(own_part.reference({ f, one = shared, other = shared }, "x")) -- twice is not a cycle
  for _, where in ipairs { "sampler", "loss.prior", "loss.class_weight", "schedule.lambda" } do
    local given = { name = "s", data = "lesions", base = {},
      variants = { { label = "x", [where] = { f, loop = loop } } } }
    lu.assertErrorMsgContains(where .. ".loop.inner.again: the table contains itself", function()
      study.expand(study.new(given))
    end)
    local base = {}
    require("aniso.recipe.paths").set(base, where, { f, loop = loop })
    lu.assertErrorMsgContains(where .. ".loop.inner.again: the table contains itself", study.new,
      { name = "s", data = "lesions", base = base })
    lu.assertErrorMsgContains(where .. ".loop.inner.again: the table contains itself", config.complete, base)
  end
end

return { Reference = Reference, Kinds = Kinds, Errors = Errors }
