-- The images of each class that are called it at each tilt: the engine's count against the definition.
local lu = require "luaunit"
local core = require "aniso.core"
local operating = require "aniso.stats.operating"

local Tilted = {}

-- Against each tilt of each image by itself: twenty classes, ties, probabilities and shares of zero, NaN.
function Tilted.test_counts_are_those_of_each_tilt()
  local K, rows, truth, shares = 20, {}, {}, {}
  local u = core.rng.below(9, "test", 0, 200 * (K + 1), 50)
  for k = 1, K do shares[k] = math.log((k % 7 + 1) / 80) end
  for i = 1, 200 do
    truth[i], rows[i] = u[i] % K, {}
    for k = 1, K do rows[i][k] = i % 50 == 0 and 0 or math.max(0, u[200 + (i - 1) * K + k] - 4) / 500 end
    if i % 40 == 1 then rows[i][i % K + 1] = 0 / 0 end
  end
  for _, infinite in ipairs { false, true } do
    if infinite then shares[3] = -math.huge end
    local expected = {}
    for t, tau in ipairs(operating.grid) do
      expected[t] = {}
      for k = 1, K do expected[t][k] = 0 end
      for i, row in ipairs(rows) do
        local best, top = 1, math.log(row[1]) - tau * shares[1]
        for k = 2, K do
          local value = math.log(row[k]) - tau * shares[k]
          if value > top then best, top = k, value end
        end
        if best == truth[i] + 1 then expected[t][best] = expected[t][best] + 1 end
      end
    end
    lu.assertEquals(core.tilted.correct(rows, truth, shares, operating.grid), expected)
  end
end

function Tilted.test_what_is_counted_is_checked()
  local correct, shares = core.tilted.correct, { math.log(0.8), math.log(0.2) }
  lu.assertEquals(correct({ { 0.7, 0.3 }, { 0.7, 0.3 } }, { 0, 1 }, shares, { 0, 1 }), { { 1, 0 }, { 0, 1 } })
  lu.assertEquals(correct({}, {}, shares, { 0 }), { { 0, 0 } })
  lu.assertErrorMsgContains("a list of rows", correct, {}, { 0 }, shares, { 0 })
  lu.assertErrorMsgContains("a number per class", correct, { { 0.7 } }, { 0 }, shares, { 0 })
  lu.assertErrorMsgContains("a class, from 0", correct, { { 0.7, 0.3 } }, { 2 }, shares, { 0 })
  lu.assertErrorMsgContains("at least one class", correct, { { 0.7, 0.3 } }, { 0 }, {}, { 0 })
  lu.assertErrorMsgContains("at least one tilt", correct, { { 0.7, 0.3 } }, { 0 }, shares, {})
  lu.assertErrorMsgContains("ascending", correct, { { 0.7, 0.3 } }, { 0 }, shares, { 1, 1 })
end

return { tilted = Tilted }
