-- Every operation against PyTorch: value, gradient of each input, and inputs changed in place.

local core = require "aniso.core"
local golden = dofile "tests/lua/golden.lua"

-- "@x" is the tensor x of the case, "nil" is nil; a table is an option table with such values.
local function argument(value, inputs)
  if value == "nil" then return nil end
  if type(value) == "string" and value:sub(1, 1) == "@" then return inputs[value:sub(2)] end
  if type(value) ~= "table" then return value end
  local filled = {}
  for key, entry in pairs(value) do filled[key] = argument(entry, inputs) end
  return filled
end

local function inputs_of(case)
  local inputs = {}
  for _, key in ipairs(case.tensors) do inputs[key] = case.tensor(key):clone() end
  for _, key in ipairs(case.grads) do inputs[key]:param() end
  return inputs
end

-- MMD is an object: it keeps its kernels between batches.
local function mmd(a, b, values)
  return core.mmd.new(values):loss(a, b)
end

local function check(case)
  local inputs, arguments = inputs_of(case), {}
  for i = 1, #case.args do arguments[i] = argument(case.args[i], inputs) end
  local operation = case.op == "mmd" and mmd
    or assert(core.ops[case.op], "core.ops." .. case.op .. " is missing")
  local out = operation(table.unpack(arguments, 1, #case.args))
  golden.assert_near("value", out, case.tensor "out")
  for _, key in ipairs(case.after) do
    golden.assert_near(key .. " afterwards", inputs[key], case.tensor("after/" .. key))
  end
  if #case.grads == 0 then return end
  core.ops.sum(core.ops.mul(out, case.tensor "dout")):backward()
  for _, key in ipairs(case.grads) do
    golden.assert_near("gradient of " .. key, inputs[key].grad, case.tensor("d" .. key))
  end
end

return {
  test_map = golden.tests("ops_map", check),
  test_linear = golden.tests("ops_linear", check),
  test_attention = golden.tests("ops_attention", check),
  test_diffusion = golden.tests("ops_diffusion", check),
}
