-- Queries of a tensor: shape, position of the largest element, finiteness, conversion.
local lu = require "luaunit"
local aniso = require "aniso"

local tensor = aniso.tensor
local T = {}

local function row(x)
  local out = {}
  for i = 1, x:numel() do out[i] = x:get(i) end
  return out
end

function T.test_dim()
  lu.assertEquals(tensor.zeros({ 2, 3, 4 }):dim(), 3)
  lu.assertEquals(tensor.zeros({ 5 }):dim(), 1)
end

function T.test_an_element_by_its_position()
  local x = tensor.from { 1.5, -2, 7 }
  lu.assertEquals({ x[1], x[2], x[3] }, { 1.5, -2, 7 })
  lu.assertEquals(tensor.from({ 4, 5 }):to("int64")[2], 5)
  lu.assertEquals(x:narrow(1, 2, 2)[1], -2)
  lu.assertErrorMsgContains("position 0 of a Tensor is not in 1 to 3", function() return x[0] end)
  lu.assertErrorMsgContains("position 4 of a Tensor is not in 1 to 3", function() return x[4] end)
  lu.assertEquals(x[4 / 2], x[2]) -- a float, as in a table
  lu.assertErrorMsgContains("position 1.5 of a Tensor is not a whole number", function() return x[1.5] end)
  lu.assertErrorMsgContains("nan of a Tensor is not a whole number", function() return x[0 / 0] end)
  lu.assertErrorMsgContains("t:item()", function() return x:sum()[1] end)
  lu.assertNotNil(x.shape) -- a method
  x:close()
  lu.assertErrorMsgContains("closed", function() return x[1] end)
end

function T.test_a_row_by_its_position()
  local x = tensor.from { { 1, 2, 3 }, { 4, 5, 6 } }
  lu.assertEquals(x[2]:list(), { 4, 5, 6 })
  lu.assertEquals(x[2][3], 6)
  lu.assertEquals(x:permute(2, 1)[3]:list(), { 3, 6 })
  lu.assertEquals(tensor.zeros({ 2, 3, 4 })[1]:shape(), { 3, 4 })
  lu.assertErrorMsgContains("position 3 of a Tensor is not in 1 to 2", function() return x[3] end)
  local w = tensor.from({ { 1, 2 }, { 3, 4 } }):param()
  w[2]:sum():backward()
  lu.assertEquals(w.grad:totable(), { { 0, 0 }, { 1, 1 } })
end

-- Positions start at 0, as class labels do; of equal elements, the first is returned.
function T.test_argmax_along_the_last_dimension()
  local x = tensor.from { { 1, 5, 2 }, { 9, 0, 3 }, { 4, 7, 7 } }
  lu.assertEquals(row(x:argmax()), { 1, 0, 1 })
end

function T.test_finite()
  lu.assertTrue(tensor.from({ 1, -2, 0 }):finite())
  lu.assertFalse(tensor.from({ 1, 0 / 0, 0 }):finite())
  lu.assertFalse(tensor.from({ 1, math.huge, 0 }):finite())
end

-- Only the elements of the view are searched.
function T.test_finite_of_a_view()
  local x = tensor.from { { 1, 2, 0 / 0 }, { 3, 4, 5 } }
  lu.assertTrue(x:narrow(2, 1, 2):finite())
  lu.assertFalse(x:narrow(2, 2, 2):finite())
end

function T.test_to()
  local whole = tensor.from({ 1.9, -1.9, 3 }):to "int64"
  lu.assertEquals(whole:dtype(), "int64")
  lu.assertEquals(row(whole), { 1, -1, 3 })
  lu.assertEquals(row(whole:to "float32"), { 1.0, -1.0, 3.0 })
end

-- In any order of dimensions and of any type.
function T.test_finite_reads_every_element()
  local x = tensor.from { { 1, 2, 0 / 0 }, { 3, 4, 5 } }
  lu.assertFalse(x:permute(2, 1):finite())
  lu.assertTrue(x:narrow(1, 2, 1):permute(2, 1):finite())
  lu.assertTrue(tensor.arange(3):finite())
end

-- C leaves the conversion of such numbers undefined.
function T.test_an_int64_tensor_takes_only_what_it_can_hold()
  for _, value in ipairs { 0 / 0, 1e300, -1e300, math.huge, 2.0 ^ 63 } do
    local x = tensor.arange(2)
    lu.assertErrorMsgContains("an int64 tensor cannot hold", x.set, x, 1, value)
    lu.assertErrorMsgContains("an int64 tensor cannot hold", x.fill_, x, value)
    lu.assertErrorMsgContains("an int64 tensor cannot hold", x.copy_, x, tensor.from { 5, value })
    lu.assertEquals(row(x), { 0, 1 }) -- nothing was written
    lu.assertErrorMsgContains("an int64 tensor cannot hold", tensor.full, { 2 }, value, "int64")
    lu.assertErrorMsgContains("an int64 tensor cannot hold", tensor.from, { 1, value }, "int64")
    local floats = tensor.from { { 1, 2 }, { 3, value } }
    lu.assertErrorMsgContains("an int64 tensor cannot hold", floats.to, floats, "int64")
  end
  local x = tensor.arange(1)
  x:set(1, -2.0 ^ 63)
  lu.assertEquals(x:get(1), math.mininteger)
end

function T.test_item_requires_one_number()
  lu.assertEquals(tensor.full({ 1, 1 }, 4):item(), 4)
  local none, two = tensor.zeros { 0 }, tensor.zeros { 2 }
  lu.assertErrorMsgContains("item: the tensor (0,) has 0 elements, not one", none.item, none)
  lu.assertErrorMsgContains("item: the tensor (2,) has 2 elements, not one", two.item, two)
end

-- A tensor without elements is copied, repeated and converted like any other.
function T.test_a_tensor_without_elements()
  lu.assertEquals(tensor.zeros({ 2, 0 }):clone():shape(), { 2, 0 })
  lu.assertEquals(tensor.zeros({ 2, 0 }):to("int64"):shape(), { 2, 0 })
  lu.assertEquals(tensor.zeros({ 0 }):repeat_rows(2):shape(), { 0 })
end

function T.test_a_norm_requires_an_eps_above_0()
  local ops, x = aniso.core.ops, tensor.zeros { 2, 3 }
  lu.assertErrorMsgContains("layer_norm: eps = 0", ops.layer_norm, x, nil, nil, 0)
  lu.assertErrorMsgContains("layer_norm: eps = -1", ops.layer_norm, x, nil, nil, -1)
end

function T.test_linear_weights_without_an_element()
  local linear, zeros = aniso.core.ops.linear, tensor.zeros
  lu.assertErrorMsgContains("linear: w (0, 3) has no element", linear, zeros { 4, 3 }, zeros { 0, 3 })
  lu.assertErrorMsgContains("linear: w (2, 0) has no element", linear, zeros { 4, 0 }, zeros { 2, 0 })
end

return T
