-- The networks against PyTorch: names of the parameters, outputs, gradients of inputs and
-- parameters, running moments after a forward in training.

local core = require "aniso.core"
local golden = dofile "tests/lua/golden.lua"

-- network → function(module, case) that returns run(inputs) → {output name = tensor}
local networks = {}

function networks.resnet(module, case)
  local net = core.resnet.new(module, "backbone", case.options)
  return function(inputs) return { features = net:forward(inputs.images) } end
end

function networks.prior(module, case)
  local prior = core.prior.new(module, "prior", case.options)
  return function(inputs) return prior:forward(inputs.images, inputs.features) end
end

function networks.denoiser(module, case)
  local denoiser = core.denoiser.new(module, "denoiser", case.options)
  return function(inputs)
    local context = denoiser:encode { features = inputs.features, crops = inputs.crops, mg = inputs.mg,
      ml = inputs.ml }
    local with_map = case.options.kind == "cross_attention"
    local epsilon, map = denoiser:forward(context, inputs.y, inputs.t, { map = with_map })
    return { epsilon = epsilon, map = map }
  end
end

-- The loss of a case: Σ out·dout over its differentiated outputs.
local function total(case, outputs)
  local loss
  for _, key in ipairs(case.differentiated) do
    local part = core.ops.sum(outputs[key] * case.tensor("dout/" .. key))
    loss = loss and loss + part or part
  end
  return loss
end

local function check_outputs(case, outputs)
  for _, key in ipairs(case.outputs) do
    local expected = case.tensor("out/" .. key)
    if expected:dtype() == "int64" then
      golden.assert_equal(key, outputs[key], expected)
    else
      golden.assert_near(key, outputs[key], expected)
    end
  end
end

local function check_gradients(case, module, inputs)
  local names = {}
  for i, key in ipairs(case.params) do names[i] = "grad/" .. key end
  local scale = golden.largest(case, names)
  for i, key in ipairs(case.params) do
    golden.assert_near("gradient of " .. key, module:get(key).grad, case.tensor(names[i]), case.tolerance,
      scale)
  end
  for _, key in ipairs(case.wanted) do
    golden.assert_near("gradient of " .. key, inputs[key].grad, case.tensor("din/" .. key), case.tolerance)
  end
end

local function check(case)
  local module = core.module.new { seed = 1 }
  local run = networks[case.network](module, case)
  module:seal():train(case.train)
  for _, part in ipairs(case.frozen or {}) do module:freeze(true, part) end
  golden.load_state(module, case)
  local inputs = {}
  for _, key in ipairs(case.inputs) do inputs[key] = case.tensor("in/" .. key):clone() end
  for _, key in ipairs(case.wanted) do inputs[key]:param() end
  local outputs = run(inputs)
  check_outputs(case, outputs)
  for _, key in ipairs(case.train and case.buffers or {}) do
    golden.assert_near(key .. " afterwards", module:get(key), case.tensor("after/" .. key))
  end
  total(case, outputs):backward()
  check_gradients(case, module, inputs)
end

return { test_modules = golden.tests("modules", check), test_resnets = golden.tests("resnets", check) }
