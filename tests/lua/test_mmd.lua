-- The MMD userdata: values, gradients, printing, closing, and errors.
local lu = require "luaunit"
local core = require "aniso.core"
local mmd = require "aniso.method.mmd"

local from = core.tensor.from

-- For one row each, MMD² = 2 − 2·k(a, b), averaged over the kernels.
local function expected(distance2, base, multipliers)
  local k = 0
  for _, m in ipairs(multipliers) do k = k + math.exp(-distance2 / (2 * base * m)) / #multipliers end
  return 2 - 2 * k
end

local Mmd = {}

function Mmd.test_two_points()
  local a, b = from { { 1, 2 } }, from { { 3, 1 } } -- a squared distance of 5
  local loss = mmd { multipliers = { 0.5, 2 } }
  lu.assertAlmostEquals(loss(a, b):item(), expected(5, 4, { 0.5, 2 }), 1e-6)
  lu.assertAlmostEquals(loss:loss(a, a):item(), 0, 1e-7)
  local wide = mmd { multipliers = { 1 }, base = 10 }
  lu.assertAlmostEquals(wide(a, b):item(), expected(5, 10, { 1 }), 1e-6)
end

function Mmd.test_the_gradient_reduces_the_distance()
  local a, b = from { { 0.0 } }, from { { 1.0 } }
  a:param()
  mmd { multipliers = { 1 }, base = 1 } (a, b):backward()
  lu.assertAlmostEquals(a.grad:list()[1], -2 * math.exp(-0.5), 1e-6)
end

function Mmd.test_prints_and_closes()
  local loss = mmd { multipliers = { 0.5, 1 }, unbiased = true }
  lu.assertEquals(tostring(loss), "MMD (unbiased), h = 2K × {0.5, 1.0}")
  loss:close()
  lu.assertEquals(tostring(loss), "MMD (closed)")
  lu.assertErrorMsgContains("closed", loss, from { { 1 } }, from { { 1 } })
end

function Mmd.test_mistakes_raise()
  local a = from { { 1, 2 } }
  lu.assertErrorMsgContains("mmd.bandwidth", mmd.new, { bandwidth = 1 })
  lu.assertErrorMsgContains("mmd.multipliers", mmd.new, { multipliers = { 0 } })
  lu.assertErrorMsgContains("1 to 8", mmd.new, { multipliers = {} })
  lu.assertErrorMsgContains("(1, 3)", mmd.new(), a, from { { 1, 2, 3 } })
  lu.assertErrorMsgContains("unbiased", mmd { unbiased = true }, a, a)
end

return { Mmd = Mmd }
