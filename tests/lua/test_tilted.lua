-- The recalls of groups of classes at each tilt: the engine's against the definition.
local lu = require "luaunit"
local core = require "aniso.core"
local operating = require "aniso.stats.operating"

local Tilted = {}

-- The class, 1 …, that the tilted row calls.
local function called(row, shares, tau)
  local best, top = 1, math.log(row[1]) - tau * shares[1]
  for k = 2, #row do
    local value = math.log(row[k]) - tau * shares[k]
    if value > top then best, top = k, value end
  end
  return best
end

-- The mean recall of a group over all parts at one tilt.
local function recall(parts, groups, group, tau)
  local correct, support = {}, {}
  for _, part in ipairs(parts) do
    for i, row in ipairs(part.probs) do
      local class = part.true_idx[i] + 1
      support[class] = (support[class] or 0) + 1
      correct[class] = (correct[class] or 0) + (called(row, part.log_shares, tau) == class and 1 or 0)
    end
  end
  local sum, classes = 0, 0
  for k, of in ipairs(groups) do
    if of == group and support[k] then sum, classes = sum + correct[k] / support[k], classes + 1 end
  end
  return classes > 0 and sum / classes
end

local function part_of(seed, K, shares)
  local rows, truth = {}, {}
  local u = core.rng.below(seed, "test", 0, 200 * (K + 1), 50)
  for i = 1, 200 do
    truth[i], rows[i] = u[i] % (K - 1), {} -- no image is of the last class
    for k = 1, K do rows[i][k] = i % 50 == 0 and 0 or math.max(0, u[200 + (i - 1) * K + k] - 4) / 500 end
    if i % 40 == 1 then rows[i][i % K + 1] = 0 / 0 end
  end
  return { probs = rows, true_idx = truth, log_shares = shares }
end

-- Values from 1e-320 to 1e35: as logarithms, they are as far apart as the lines of a strong tilt.
local function wide_part(seed, K, shares)
  local out = part_of(seed, K, shares)
  local u = core.rng.below(seed, "wide", 0, 200 * K, 356)
  for i, row in ipairs(out.probs) do
    for k = 1, K do row[k] = 10.0 ^ (u[(i - 1) * K + k] - 320) end
    if i % 3 == 0 then row[out.true_idx[i] + 1] = row[(i + out.true_idx[i]) % K + 1] end
  end
  return out
end

local UNEVEN = { -300, -7, -2, -1.9999, 0, 1e-12, 0.013, 1, 5, 40, 300 }

-- Against each tilt of each image by itself: twenty classes of which one has no group, parts with shares
-- of their own, ties, probabilities and shares of zero, NaN, tilts at any distance.
function Tilted.test_recalls_are_those_of_each_tilt()
  local K, groups, shares, others = 20, {}, {}, {}
  for k = 1, K do
    shares[k], others[k] = math.log((k % 7 + 1) / 80), math.log((k % 5 + 1) / 60)
    groups[k] = k < 8 and "many" or k < 12 and "medium" or k > 12 and "few"
  end
  local parts = { part_of(9, K, shares), part_of(10, K, others), wide_part(11, K, shares) }
  for _, infinite in ipairs { false, true } do
    if infinite then shares[3] = -math.huge end
    for _, taus in ipairs { operating.grid, UNEVEN, { 0.5 } } do
      local recalls = core.tilted.recalls(parts, groups, taus)
      for _, group in ipairs { "many", "medium", "few" } do
        local expected = {}
        for t, tau in ipairs(taus) do expected[t] = recall(parts, groups, group, tau) end
        lu.assertEquals(recalls[group], expected)
      end
    end
    for _, part in ipairs(parts) do
      for _, tau in ipairs { -2, 0, 1.3, 300 } do
        local tilted, expected = {}, {}
        for k, share in ipairs(part.log_shares) do tilted[k] = tau * share end
        for i, row in ipairs(part.probs) do expected[i] = called(row, part.log_shares, tau) - 1 end
        lu.assertEquals(core.tilted.called(part.probs, tilted), expected)
      end
    end
  end
end

function Tilted.test_what_is_counted_is_checked()
  local shares, groups = { math.log(0.8), math.log(0.2) }, { "many", "few" }
  local function recalls(probs, truth, taus, of)
    local part = { probs = probs, true_idx = truth, log_shares = shares }
    return core.tilted.recalls({ part }, of or groups, taus)
  end
  lu.assertEquals(recalls({ { 0.7, 0.3 }, { 0.7, 0.3 } }, { 0, 1 }, { 0, 1 }),
    { many = { 1, 0 }, medium = { false, false }, few = { 0, 1 } })
  lu.assertEquals(recalls({}, {}, { 0 }), { many = { false }, medium = { false }, few = { false } })
  lu.assertErrorMsgContains("a row per image", recalls, {}, { 0 }, { 0 })
  lu.assertErrorMsgContains("a row per image", recalls, ("f"):rep(16), { 0 }, { 0 })
  lu.assertErrorMsgContains("a list of rows", recalls, { 1 }, { 0 }, { 0 })
  lu.assertErrorMsgContains("a list of rows", recalls, 1, { 0 }, { 0 })
  lu.assertErrorMsgContains("a float32 per class", recalls, ("f"):rep(9), { 0 }, { 0 })
  lu.assertErrorMsgContains("a number per class", recalls, { { 0.7 } }, { 0 }, { 0 })
  lu.assertErrorMsgContains("element 1: an integer from 0 to 1", recalls, { { 0.7, 0.3 } }, { 2 }, { 0 })
  lu.assertErrorMsgContains("at least one class", recalls, { { 0.7, 0.3 } }, { 0 }, { 0 }, {})
  lu.assertErrorMsgContains("many, medium or few", recalls, { { 0.7, 0.3 } }, { 0 }, { 0 }, { "tail", "few" })
  lu.assertErrorMsgContains("at least one tilt", recalls, { { 0.7, 0.3 } }, { 0 }, {})
  lu.assertErrorMsgContains("ascending", recalls, { { 0.7, 0.3 } }, { 0 }, { 1, 1 })
  lu.assertErrorMsgContains("true_idx", recalls, { { 0.7, 0.3 } }, nil, { 0 })
  lu.assertErrorMsgContains("a list of parts", core.tilted.recalls, { 1 }, groups, { 0 })
  lu.assertEquals(core.tilted.called({ { 0.7, 0.3 }, { 0, 0 } }, { 0, 0 }), { 0, 0 })
  lu.assertEquals(core.tilted.called({ { 0.7, 0.3 } }, { 0, -1 }), { 1 })
  lu.assertErrorMsgContains("at least one class", core.tilted.called, { { 0.7, 0.3 } }, {})
  lu.assertErrorMsgContains("a number per class", core.tilted.called, { { 0.7 } }, shares)
end

function Tilted.test_the_recall_of_a_group()
  local of = core.tilted.recall
  local shot = { "many", "few", "few", false }
  lu.assertEquals(of("few", shot, { 0, 1, 1, 2, 3 }, { 0, 1, 2, 2, 0 }), (1 / 2 + 1) / 2)
  lu.assertEquals(of("many", shot, { 0, 1, 1, 2, 3 }, { 0, 1, 2, 2, 0 }), 1)
  lu.assertNil(of("medium", shot, { 0, 1 }, { 0, 1 }))
  lu.assertErrorMsgContains("element 2: an integer from 0 to 3", of, "few", shot, { 0, 1 }, { 0, 4 })
  lu.assertErrorMsgContains("element 2: an integer", of, "few", shot, { 0, 1 }, { 0 })
  lu.assertErrorMsgContains("tail", of, "tail", shot, { 0, 1 }, { 0, 1 })
end

return { tilted = Tilted }
