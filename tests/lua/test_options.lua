-- Option tables, typed values and dotted paths.
local lu = require "luaunit"
local options = require "aniso.recipe.options"
local literal = require "aniso.recipe.literal"
local nearest = require "aniso.recipe.nearest"

local defaults = {
  data = options.any,
  train = { epochs = 30, lr = 1e-3, augment = { flip = true } },
  schedule = { "cosine", T = 1000 },
  policy = options.kinds {
    default = "isotropic", isotropic = {}, power = { gamma = options.number { default = 0.25 } },
  },
  mode = options.one_of { "joint", "staged" },
  batch = options.integer { default = 8, min = 1 },
  drop = options.number { default = 0, min = 0, below = 1 },
  widths = options.list("number", { 1, 2 }),
  note = options.optional "string",
}

local function assert_error(given, expected)
  local ok, why = pcall(options.check, given, defaults)
  lu.assertFalse(ok, "should be an error: " .. expected)
  lu.assertEquals(why, expected)
end

local T = {}

function T.test_defaults_are_complete_and_copied()
  local first, second = options.check({}, defaults), options.check({}, defaults)
  lu.assertEquals(first.train, { epochs = 30, lr = 1e-3, augment = { flip = true } })
  lu.assertEquals(first.schedule, { "cosine", T = 1000 })
  lu.assertEquals(first.policy, { "isotropic" })
  lu.assertEquals(first.mode, "joint")
  lu.assertEquals(first.widths, { 1, 2 })
  lu.assertNil(first.note)
  first.train.augment.flip = false
  lu.assertTrue(second.train.augment.flip)
end

function T.test_given_values_win()
  local out = options.check({ train = { epochs = 3 }, schedule = "linear", note = "x",
    policy = { "power", gamma = -1 }, widths = {} }, defaults)
  lu.assertEquals(out.train.epochs, 3)
  lu.assertEquals(out.train.lr, 1e-3)
  lu.assertEquals(out.schedule, { "linear", T = 1000 })
  lu.assertEquals(out.policy, { "power", gamma = -1 })
  lu.assertEquals(out.widths, {})
  lu.assertEquals(out.note, "x")
end

function T.test_an_unknown_name_suggests_the_nearest()
  assert_error({ train = { epoch = 3 } }, "unknown option train.epoch (did you mean train.epochs?)")
  assert_error({ train = { augment = { fliip = 1 } } },
    "unknown option train.augment.fliip (did you mean train.augment.flip?)")
  assert_error({ quite_else = 1 },
    "unknown option quite_else (known here: batch, data, drop, mode, note, policy, schedule, train, widths)")
  assert_error({ policy = { "power", gama = 1 } }, "unknown option policy.gama (did you mean policy.gamma?)")
  assert_error({ policy = { "isotropic", gamma = 1 } },
    "unknown option policy.gamma (there are no options here)")
end

function T.test_a_wrong_value_names_the_option()
  assert_error({ train = { epochs = "three" } }, 'option train.epochs must be a number, got "three"')
  assert_error({ train = { lr = 0 / 0 } }, "option train.lr must be a number, got " .. tostring(0 / 0))
  assert_error({ train = 3 }, "option train must be a table, got 3")
  assert_error({ mode = "both" }, 'option mode must be one of joint, staged, got "both"')
  assert_error({ batch = 0 }, "option batch must be at least 1, got 0")
  assert_error({ batch = 2.5 }, "option batch must be a whole number, got 2.5")
  assert_error({ drop = 1 }, "option drop must be below 1, got 1")
  assert_error({ widths = { 1, "2" } }, 'option widths.2 must be a number, got "2"')
  assert_error({ note = 3 }, "option note must be a string, got 3")
  assert_error({ policy = "powr" }, 'option policy must be a known kind (did you mean power?), got "powr"')
end

function T.test_set_reads_paths_and_literals()
  local config = { schedule = { lambda = "bound" }, train = {} }
  options.set(config, "train.epochs", "3")
  options.set(config, "schedule.lambda.gamma", "-0.5")
  options.set(config, "data.root", "/a folder/with spaces")
  options.set(config, "widths", "{1,1,2}")
  lu.assertEquals(config, { train = { epochs = 3 }, schedule = { lambda = { "bound", gamma = -0.5 } },
    data = { root = "/a folder/with spaces" }, widths = { 1, 1, 2 } })
  lu.assertErrorMsgContains("is not an option name", options.set, config, "train..epochs", "3")
end

function T.test_apply_does_not_change_its_argument()
  local base = { a = { b = 1, c = { 1 } } }
  local out = options.apply(base, { ["a.b"] = 2, ["a.c.1"] = 5 })
  lu.assertEquals(out, { a = { b = 2, c = { 5 } } })
  lu.assertEquals(base, { a = { b = 1, c = { 1 } } })
end

function T.test_flatten_lists_leaves_in_order()
  local leaves = options.flatten { b = { "power", gamma = 2 }, a = 1, c = {} }
  local text = {}
  for i, leaf in ipairs(leaves) do text[i] = leaf.key end
  lu.assertEquals(table.concat(text, " "), "a b.1 b.gamma c")
end

function T.test_literals()
  lu.assertIs(literal.read "3", 3)
  lu.assertEquals(math.type(literal.read "3"), "integer")
  lu.assertEquals(literal.read "-0.25", -0.25)
  lu.assertEquals(literal.read "0x10", 16)
  lu.assertIs(literal.read "true", true)
  lu.assertIs(literal.read "false", false)
  lu.assertNil(literal.read "nil")
  lu.assertEquals(literal.read "cosine", "cosine")
  lu.assertEquals(literal.read '"a b"', "a b")
  lu.assertEquals(literal.read [["a\"\n"]], 'a"\n')
  lu.assertEquals(literal.read [=[[[C:\new]]]=], [[C:\new]])
  lu.assertEquals(literal.read [=[{ [[a]b]], ["k"] = [[c:\d]] }]=], { "a]b", k = [[c:\d]] })
  lu.assertEquals(literal.read "{1, 1,2 ,}", { 1, 1, 2 })
  lu.assertEquals(literal.read "{power, gamma=-0.25}", { "power", gamma = -0.25 })
  lu.assertEquals(literal.read '{ {1}, ["a b"] = {x = false} }', { { 1 }, ["a b"] = { x = false } })
end

function T.test_literals_execute_nothing()
  lu.assertEquals(literal.read "os.exit(7)", "os.exit(7)")
  for _, wrong in ipairs { "{1", '"abc', "{1}x", "{=}", "{a=}", '{"a" "b"}', "{[nil]=1}", '"\\q"', "[[a",
    "[[a]]b" } do
    lu.assertFalse((pcall(literal.read, wrong)), wrong)
  end
end

function T.test_nearest()
  lu.assertEquals(nearest("epoch", { "batch", "epochs", "lr" }), "epochs")
  lu.assertEquals(nearest("shceudle", { "schedule", "sampler" }), "schedule")
  lu.assertNil(nearest("zzzzzz", { "schedule", "sampler" }))
  lu.assertNil(nearest("t", { "lr" }))
  lu.assertEquals(nearest("predicts", { "prior_epochs", "prediction", "optimiser" }), "prediction")
  lu.assertEquals(nearest("batch_size", { "batch", "epochs" }), "batch")
  lu.assertNil(nearest("classes", { "class_weight", "lr" }))
end

return T
