-- The networks in Lua: named and flat state, loading with every kind of mistake, the options of
-- aniso.resnet, aniso.prior and aniso.denoiser, several draws from one encoded context.
local core = require "aniso.core"
local lu = require "luaunit"
local networks = require "aniso.method.networks"

local tensor = core.tensor

local function randn(stream, ...)
  return tensor.randn { shape = { ... }, seed = 7, stream = stream }
end

local function assert_error(text, f, ...)
  local ok, message = pcall(f, ...)
  lu.assertFalse(ok, "this should have failed: " .. text)
  lu.assertStrContains(tostring(message), text)
end

local function small_resnet(seed)
  return networks.resnet { "resnet", depth = 8, width = 4, seed = seed }
end

local Module = {}

function Module:test_flat_state_is_the_named_state()
  local m = small_resnet().module
  local values, gradient = m:flat()
  lu.assertEquals(values:numel(), m:count())
  lu.assertEquals(gradient:shape(), values:shape())
  m:get "backbone.conv1.weight":fill_(3)
  values = values:list()
  local threes = 0
  for _, v in ipairs(values) do threes = threes + (v == 3 and 1 or 0) end
  lu.assertEquals(threes, 4 * 3 * 3 * 3)
  local ranges = m:decay_ranges()
  lu.assertEquals(#ranges, 2)
  lu.assertEquals(ranges[1].first, 1)
  lu.assertTrue(ranges[1].decay)
  lu.assertEquals(ranges[2].first, ranges[1].length + 1)
  lu.assertEquals(ranges[1].length + ranges[2].length, m:count())
end

function Module:test_names_are_in_order_and_complete()
  local m = small_resnet().module
  local names, state, known = m:names(), m:state(), 0
  lu.assertEquals(names[1], "backbone.conv1.weight")
  lu.assertEquals(names[2], "backbone.bn1.weight")
  for _ in pairs(state) do known = known + 1 end
  lu.assertEquals(known, #names)
  assert_error("no tensor 'backbone.fc.weight'", m.get, m, "backbone.fc.weight")
end

function Module:test_load_copies()
  local a, b = small_resnet(1), small_resnet(2)
  local x = randn("x", 1, 8, 8, 3)
  a.module:train(false)
  b.module:train(false)
  local function output(net) return core.ops.no_grad(net.forward, net, x):list() end
  lu.assertNotEquals(output(a), output(b))
  lu.assertEquals(b.module:load(a.module:state()), #a.module:names())
  lu.assertEquals(output(a), output(b))
end

function Module:test_a_failed_load_changes_nothing()
  local a, b = small_resnet(1).module, small_resnet(2).module
  local before = b:flat():list()
  local state = a:state()
  state["backbone.conv1.weight"] = nil
  assert_error("'backbone.conv1.weight' (4, 3, 3, 3) is missing", b.load, b, state)
  state["backbone.conv1.weight"] = randn("w", 4, 3, 5, 5)
  assert_error("has shape (4, 3, 5, 5), the module expects (4, 3, 3, 3)", b.load, b, state)
  state["backbone.conv1.weight"] = 3
  assert_error("is a number, not a tensor", b.load, b, state)
  state = a:state()
  state.extra = randn("e", 2)
  assert_error("'extra' (2,) is unexpected", b.load, b, state)
  lu.assertEquals(b:flat():list(), before)
  lu.assertEquals(b:load({ extra = state.extra }, { strict = false }), 0)
end

function Module:test_swapping_twice_restores_the_values()
  local m = small_resnet().module
  local values = m:flat()
  local before, average = values:list(), tensor.zeros { m:count() }
  m:swap(average)
  lu.assertEquals(values:sum():item(), 0)
  m:swap(average)
  lu.assertEquals(values:list(), before)
  assert_error("the tensor of values is (3,)", m.swap, m, tensor.zeros { 3 })
end

function Module:test_a_frozen_module_is_in_evaluation_mode()
  local m = small_resnet().module
  lu.assertTrue(m:training())
  m:freeze()
  lu.assertTrue(m:frozen())
  lu.assertFalse(m:training())
  lu.assertTrue(m:freeze(false):training())
  lu.assertFalse(m:train(false):training())
end

function Module:test_order_of_calls()
  local m = core.module.new { seed = 1 }
  assert_error("not sealed", m.flat, m)
  m:seal()
  assert_error("sealed", m.seal, m)
  assert_error("declare before sealing", core.resnet.new, m, "late", { width = 4 })
  m:close()
  assert_error("closed", m.count, m)
  lu.assertEquals(tostring(m), "Module (closed)")
end

function Module:test_a_network_holds_a_reference_to_its_module()
  local net
  do
    local m = core.module.new { seed = 1 }
    net = core.resnet.new(m, "b", { width = 4 })
    m:seal()
  end
  collectgarbage()
  collectgarbage()
  local y = core.ops.no_grad(net.forward, net, randn("x", 1, 8, 8, 3))
  lu.assertEquals(y:shape(), { 1, 2, 2, 16 })
end

local Resnet = {}

function Resnet:test_published_names_load_without_the_classifier()
  local from, to = small_resnet(1), small_resnet(2)
  local published = {}
  for name, x in pairs(from.module:state()) do published[name:gsub("^backbone%.", "")] = x end
  published["fc.weight"], published["fc.bias"] = randn("w", 10, 16), randn("b", 10)
  published["bn1.num_batches_tracked"] = tensor.arange(1)
  to:load(published)
  lu.assertEquals(to.module:flat():list(), from.module:flat():list())
  published["layer9.0.conv1.weight"] = randn("w", 1)
  assert_error("'backbone.layer9.0.conv1.weight' (1,) is unexpected", to.load, to, published)
end

function Resnet:test_options()
  assert_error("6n+2", networks.resnet, { "resnet", depth = 10 })
  assert_error("did you mean resnet.depth", networks.resnet, { dept = 8 })
  lu.assertEquals(networks.resnet({ "resnet18", width = 4 }).features, 32)
  assert_error("made for 3 channels", function() small_resnet():forward(randn("x", 1, 8, 8, 1)) end)
end

local Prior = {}

local function features_and_images()
  return randn("f", 2, 4, 4, 6), randn("i", 2, 16, 16, 3)
end

function Prior:test_fields_by_mode()
  local f, x = features_and_images()
  local prior = networks.prior { K = 5, features = 6, crops = 3, local_width = 4 }
  local p = core.ops.no_grad(prior.forward, prior, x, f)
  lu.assertEquals(p.m:shape(), { 2, 5 })
  lu.assertEquals(p.crops:shape(), { 2, 3, prior.crop_features })
  lu.assertEquals(p.positions:shape(), { 2, 3, 2 })
  lu.assertEquals(p.saliency:shape(), { 2, 4, 4, 5 })
  lu.assertAlmostEquals(p.m:sum():item(), 2, 1e-5)
  lu.assertAlmostEquals(p.attention:sum():item(), 2, 1e-5)

  prior = networks.prior { mode = "global", K = 5, features = 6 }
  p = core.ops.no_grad(prior.forward, prior, x, f)
  lu.assertEquals(prior.crop_features, 0)
  lu.assertNil(p.crops)
  lu.assertNil(p.l)
  lu.assertEquals(p.ml:list(), tensor.zeros({ 2, 5 }):list())
end

function Prior:test_constant_modes_need_no_features()
  local x = randn("i", 2, 16, 16, 3)
  local p = networks.prior { mode = "frequency", K = 3, counts = { 6, 3, 1 } }:forward(x)
  lu.assertAlmostEquals(p.m:get(2, 1), 0.6, 1e-7)
  lu.assertEquals(p.m:list(), p.mg:list())
  lu.assertEquals(networks.prior { mode = "zero", K = 3 }:forward(x).m:sum():item(), 0)
  assert_error("needs counts", networks.prior, { mode = "frequency", K = 3 })
  assert_error("features", function() networks.prior { K = 3, features = 6 }:forward(x) end)
  assert_error("expected 3 numbers, got 2", networks.prior, { mode = "frequency", K = 3, counts = { 1, 2 } })
end

function Prior:test_options()
  assert_error("option prior.K is missing", networks.prior, { features = 6 })
  assert_error("option prior.top_percent", networks.prior, { K = 3, features = 6, top_percent = 0 })
  assert_error("one of both, global", networks.prior, { K = 3, mode = "globl" })
end

local Denoiser = {}

local function denoiser(kind, crop_features)
  return networks.denoiser { kind, K = 4, T = 20, features = 6, crop_features = crop_features, dim = 8 }
end

-- Replaces the initial zeros, so that the output depends on the input.
local function randomise(d)
  local values = d.module:flat()
  values:copy_(values + randn("stir", values:numel()) * 0.3)
  d.module:train(false)
  return d
end

local function context(d, B, crops)
  return d:encode { features = randn("f", B, 3, 2, 6), crops = crops,
    mg = randn("g", B, 4):softmax(), ml = randn("l", B, 4):softmax() }
end

function Denoiser:test_draws_and_times()
  for _, kind in ipairs { "cross_attention", "film" } do
    local d = randomise(denoiser(kind))
    lu.assertEquals(d.kind, kind)
    local c, y = context(d, 2), randn("y", 6, 4)
    lu.assertEquals(c.images, 2)
    local one = d:forward(c, y, 5)
    lu.assertEquals(one:shape(), { 6, 4 })
    local each = d:forward(c, y, tensor.from({ 5, 5, 5, 5, 5, 5 }, "int64")):list()
    for i, v in ipairs(one:list()) do lu.assertAlmostEquals(v, each[i], 2e-5) end
    assert_error("21 is not in 0 … 20", d.forward, d, c, y, 21)
    assert_error("integer", d.forward, d, c, y, 1.5)
    assert_error("multiple of 2 rows", d.forward, d, c, randn("y", 3, 4), 5)
  end
end

function Denoiser:test_map()
  local d = randomise(denoiser("cross_attention", 5))
  local c = context(d, 2, randn("c", 2, 3, 5))
  local _, map = d:forward(c, randn("y", 4, 4), 5, { map = true })
  lu.assertEquals(map:shape(), { 4, 4, 9 })
  lu.assertAlmostEquals(map:sum():item(), 16, 1e-4)
  d = denoiser("film")
  assert_error("no attention map", d.forward, d, context(d, 2), randn("y", 4, 4), 5, { map = true })
end

function Denoiser:test_arguments()
  local d = denoiser("cross_attention", 5)
  assert_error("crops is nil", context, d, 2)
  assert_error("vectors of 5", context, d, 2, randn("c", 2, 3, 4))
  assert_error("field mg", d.encode, d, { features = randn("f", 2, 3, 2, 6) })
  assert_error("another denoiser", function()
    local other = denoiser("film")
    other:forward(context(d, 2, randn("c", 2, 3, 5)), randn("y", 2, 4), 1)
  end)
  assert_error("multiple of 4 and of heads", networks.denoiser,
    { "cross_attention", K = 4, features = 6, dim = 10 })
end

return { Module = Module, Resnet = Resnet, Prior = Prior, Denoiser = Denoiser }
