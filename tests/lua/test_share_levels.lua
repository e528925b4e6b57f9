-- Levels from the image-needed share: the policy `share` and the isotropic control of equal mean share; what
-- cannot be reached, and how both are given.
local lu = require "luaunit"
local aniso = require "aniso"
local options = require "aniso.recipe.options"
local schedule = require "aniso.method.schedule"
local share_levels = require "aniso.method.share_levels"

local COUNTS = { 6705, 1113, 514, 115 }
local IMAGES = 6705 + 1113 + 514 + 115

local function make(lambda, more)
  local given = { "cosine", T = 200, counts = COUNTS, lambda = lambda }
  for key, value in pairs(more or {}) do given[key] = value end
  return schedule(given)
end

local Share = {}

function Share.test_every_class_has_its_target()
  for _, coupling in ipairs { "variance", "speed" } do
    local s <close> = make({ "share", target = 0.65 }, { coupling = coupling })
    for j, share in ipairs(s:share().share) do
      lu.assertAlmostEquals(share, 0.65 * (1 - COUNTS[j] / IMAGES), 5.01e-4)
    end
    for j, share in ipairs(s:share { seed = 3 }.share) do -- not only with the draws of the search
      lu.assertAlmostEquals(share, 0.65 * (1 - COUNTS[j] / IMAGES), 0.006)
    end
    lu.assertStrContains(tostring(s), "share (target 0.65), not normalised")
  end
end

-- The shares of known levels have these levels as their solution.
function Share.test_levels_are_found_again_from_their_shares()
  local known <close> = make({ "manual", 0.7, 1, 1.2, 1.3, normalise = "none" })
  local s <close> = make({ "share", target = known:share().share, relative = false })
  for j, level in ipairs(known.levels) do lu.assertAlmostEquals(s.levels[j], level, 0.02) end
end

function Share.test_a_level_at_the_end_of_its_range_is_held_there()
  local s <close> = make { "share", target = 0.7, max = 1.2 }
  local share = s:share().share
  lu.assertEquals(s.levels[1], 1.2)
  lu.assertTrue(share[1] < 0.7 * (1 - COUNTS[1] / IMAGES))
  for j = 2, 4 do
    lu.assertTrue(s.levels[j] <= 1.2)
    if s.levels[j] < 1.2 then lu.assertAlmostEquals(share[j], 0.7 * (1 - COUNTS[j] / IMAGES), 5.01e-4) end
  end
  lu.assertTrue(s.levels[4] < 1.2)
end

function Share.test_what_cannot_be_reached_is_an_error()
  lu.assertErrorMsgContains("no levels have these shares: class 1 is at 0.1", make,
    { "share", target = 0.7, relative = false }) -- pure noise leaves 1 − π = 0.21
  lu.assertErrorMsgContains("no levels have these shares", make, { "share", target = 0.6 },
    { coupling = "sample" })
end

function Share.test_rounds_end()
  local calls = 0
  lu.assertErrorMsgContains("class 2 is at 0.1", share_levels.solve, { 0.5, 0.5 }, 0, 2, function(levels)
    calls = calls + 1
    return { share = { 0.5, levels[2] > 0.5 and 0.9 or 0.1 } } -- jumps over its target
  end)
  lu.assertTrue(calls <= 80)
end

local Matched = {}

function Matched.test_the_isotropic_control_has_the_mean_share()
  for _, coupling in ipairs { "variance", "speed", "sample", "class_speed" } do
    for _, policy in ipairs { { "power", gamma = 0.5 }, "bound" } do
      local s <close> = make(policy, { coupling = coupling })
      local control <close> = make({ "isotropic", share_of = policy }, { coupling = coupling })
      for j = 2, 4 do lu.assertEquals(control.levels[j], control.levels[1]) end
      lu.assertAlmostEquals(control:share().mean, s:share().mean, 2e-7)
      -- METHOD §3: with mean 1 these policies need the image less than λ ≡ 1
      lu.assertTrue(control.levels[1] < 1 or coupling == "class_speed")
    end
  end
end

function Matched.test_that_of_the_isotropic_process_is_exactly_1()
  local s <close> = make { "isotropic", share_of = "isotropic" }
  lu.assertEquals(s.levels, { 1, 1, 1, 1 })
  lu.assertStrContains(tostring(s), "isotropic, the mean image-needed share of isotropic, mean normalised")
end

-- The constants of the bound are those of the schedule.
function Matched.test_the_policy_is_that_of_the_schedule()
  local constants = { p = 3, q = 0.25 }
  local s <close> = make("bound", { bound_constants = constants })
  local control <close> = make({ "isotropic", share_of = "bound" }, { bound_constants = constants })
  lu.assertAlmostEquals(control:share().mean, s:share().mean, 2e-7)
end

local Options = {}

local function complete(given)
  return options.check({ lambda = given }, schedule.options, "schedule").lambda
end

function Options.test_resolve_to_themselves()
  for _, given in ipairs { "share", { "share", target = { 0.1, 0.5 }, relative = false, max = 2 },
    { "isotropic", share_of = { "power", gamma = 0.5 } } } do
    lu.assertEquals(complete(complete(given)), complete(given))
    lu.assertEquals(complete(given).normalise, "none")
  end
  lu.assertEquals(complete "isotropic", { "isotropic", normalise = "mean", min = 0 }) -- as before share_of
end

function Options.test_a_recipe_varies_them_in_one_line()
  local list = aniso.grid { ["schedule.lambda"] = { "bound", { "isotropic", share_of = "bound" } } }
  lu.assertEquals(list[2].label, "lambda=isotropic(share_of=bound)")
end

function Options.test_mistakes_are_named()
  local function refused(words, given)
    lu.assertErrorMsgContains(words, complete, given)
  end
  refused("schedule.lambda.normalise: the image-needed share determines", { "share", normalise = "mean" })
  refused("determines the scale", { "isotropic", share_of = "bound", normalise = "head" })
  refused("schedule.lambda.target: expected a share above 0 and below 1", { "share", target = 1 })
  refused("expected a share above 0 and below 1, or one per class, got x", { "share", target = { 0.5, "x" } })
  refused("schedule.lambda.share_of must be a known kind (did you mean bound?)",
    { "isotropic", share_of = "bond" })
  refused("schedule.lambda.relative must be true or false", { "share", relative = 1 })
  refused("name one of the program's policies", { "isotropic", share_of = function() end })
  lu.assertErrorMsgContains("has 2 shares for 4 classes", make, { "share", target = { 0.5, 0.5 } })
  lu.assertErrorMsgContains("share needs the training images per class", schedule.new,
    { K = 2, lambda = "share" })
  lu.assertErrorMsgContains("level of equal share is", make, { "isotropic", share_of = "bound", max = 0.5 })
  local own = { "isotropic" }
  own.share_of = own
  refused("contains itself", own)
end

return { Share = Share, Matched = Matched, Options = Options }
