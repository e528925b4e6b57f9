-- The backbones: torchvision's names in full, and aniso.resnet of each kind.
local core = require "aniso.core"
local lu = require "luaunit"
local networks = require "aniso.method.networks"

local Names = {}

local NORMALISATION = { "weight", "bias", "running_mean", "running_var" }

-- The state of torchvision's resnetNN() without num_batches_tracked and the classifier.
local function published(blocks, convolutions)
  local names = {}
  local function add(conv, bn)
    names[#names + 1] = conv .. ".weight"
    for _, what in ipairs(NORMALISATION) do names[#names + 1] = bn .. "." .. what end
  end
  add("conv1", "bn1")
  for layer, n in ipairs(blocks) do
    for block = 0, n - 1 do
      local at = ("layer%d.%d."):format(layer, block)
      for i = 1, convolutions do add(at .. "conv" .. i, at .. "bn" .. i) end
      if block == 0 and (layer > 1 or convolutions == 3) then
        add(at .. "downsample.0", at .. "downsample.1")
      end
    end
  end
  return names
end

local NETWORKS = {
  resnet18 = { blocks = { 2, 2, 2, 2 }, convolutions = 2, tensors = 122, features = 8 },
  resnet34 = { blocks = { 3, 4, 6, 3 }, convolutions = 2, tensors = 218, features = 8 },
  resnet50 = { blocks = { 3, 4, 6, 3 }, convolutions = 3, tensors = 320, features = 32 },
}

-- torchvision counts the classifier's two tensors and a num_batches_tracked per normalisation, of which there
-- is one per convolution.
function Names.test_are_those_of_torchvision()
  for kind, of in pairs(NETWORKS) do
    local net = networks.resnet { kind, width = 2, prefix = "b" }
    local expected, convolutions = published(of.blocks, of.convolutions), 0
    for i, name in ipairs(expected) do expected[i] = "b." .. name end
    lu.assertEquals(net.module:names(), expected, kind)
    for _, name in ipairs(expected) do
      convolutions = convolutions + (#net.module:get(name):shape() == 4 and 1 or 0)
    end
    lu.assertEquals(#expected + 2 + convolutions, of.tensors, kind)
    lu.assertEquals(net.features, 2 * of.features, kind)
    lu.assertStrContains(tostring(net), "ResNet-" .. kind:sub(-2))
  end
end

-- A bottleneck's stride is that of its 3×3 convolution: the 1×1 before it sees every position.
function Names.test_shapes_of_a_bottleneck()
  local m = networks.resnet({ "resnet50", width = 2 }).module
  local function shape(name) return m:get("backbone." .. name):shape() end
  lu.assertEquals(shape "layer1.0.downsample.0.weight", { 8, 2, 1, 1 })
  lu.assertEquals(shape "layer2.0.conv1.weight", { 4, 8, 1, 1 })
  lu.assertEquals(shape "layer2.0.conv2.weight", { 4, 4, 3, 3 })
  lu.assertEquals(shape "layer2.0.conv3.weight", { 16, 4, 1, 1 })
  lu.assertEquals(shape "layer2.1.conv1.weight", { 4, 16, 1, 1 })
  lu.assertEquals(shape "layer4.2.bn3.running_var", { 64 })
end

function Names.test_a_width_without_room()
  local ok, message = pcall(networks.resnet, { "resnet50", width = 1 << 24 })
  lu.assertFalse(ok)
  lu.assertStrContains(message, "elements")
  lu.assertErrorMsgContains("known kind", networks.resnet, { "resnet51" })
end

local Parts = {}

function Parts.test_freezing_a_part_by_its_names()
  local net = networks.resnet { "resnet", width = 4, prefix = "b" }
  local m = net.module
  lu.assertErrorMsgContains("no tensor whose name begins with 'b.layer4.'", m.freeze, m, true, "b.layer4.")
  m:freeze(true, "b.layer1.")
  net:forward(core.tensor.randn { shape = { 2, 8, 8, 3 }, seed = 1, stream = "x" }):sum():backward()
  lu.assertEquals(m:get("b.layer1.0.conv1.weight").grad:sum():item(), 0)
  lu.assertNotEquals(m:get("b.layer2.0.conv1.weight").grad:sum():item(), 0)
  lu.assertNotEquals(m:get("b.conv1.weight").grad:sum():item(), 0) -- the gradient passes through the part
  lu.assertFalse(m:frozen())
  lu.assertEquals(#m:decay_ranges(), 2)
  lu.assertEquals(m:buffer_ranges "b.bn1.", { { first = 1, length = 8, decay = false } })
  lu.assertEquals(m:decay_ranges "c.", {})
end

local Memory = {}

-- A step's gradient, running moments and peak memory with n units recomputed.
local function step(n)
  local net = networks.resnet { "resnet18", width = 4, seed = 5 }
  local images = core.tensor.randn { shape = { 8, 64, 64, 3 }, seed = 1, stream = "noise" }
  net:recompute(n or net.units)
  collectgarbage()
  core.sys.tensor_peak()
  local features = net:forward(images)
  local loss = (features * features):sum()
  features:close()
  loss:backward()
  local peak = core.sys.tensor_peak()
  local _, gradient = net.module:flat()
  return { gradient = gradient:list(), moments = net.module:flat_buffers():list(),
    peak = peak, bytes = net:unit_bytes(), units = net.units }
end

function Memory.test_recomputed_units_have_the_same_bits()
  step(0)
  local kept, again = step(0), step()
  lu.assertEquals(again.gradient, kept.gradient)
  lu.assertEquals(again.moments, kept.moments)
  lu.assertEquals(kept.units, 9)
  for _, bytes in ipairs(kept.bytes) do lu.assertEquals(bytes, { before = 0, kept = 0, peak = 0 }) end
  lu.assertTrue(again.peak < kept.peak, ("%d and %d bytes"):format(kept.peak, again.peak))
  lu.assertTrue(again.bytes[1].kept > again.bytes[9].kept and again.bytes[9].kept > 0)
  lu.assertTrue(again.bytes[1].peak <= again.peak and again.bytes[9].before <= again.peak)
end

function Memory.test_a_count_of_units_is_checked()
  local net = networks.resnet { "resnet18", width = 2 }
  lu.assertErrorMsgContains("expected 0 to 9", net.recompute, net, 10)
  lu.assertErrorMsgContains("expected 0 to 9", net.recompute, net, -1)
end

return { Memory = Memory, test_names = Names, test_parts = Parts }
