-- Weights of a backbone from files with torchvision's names: what is passed over, converted and refused, and
-- how their images are normalised.
local aniso = require "aniso"
local config = require "aniso.method.config"
local core = require "aniso.core"
local lu = require "luaunit"
local model = require "aniso.method.model"
local network_input = require "aniso.method.network_input"
local networks = require "aniso.method.networks"
local normalisation = require "aniso.method.normalisation"

local folder = assert(core.sys.mkdtemp())

local Files = {}

-- The tensors of a network as torchvision stores them, with its classifier.
local function published(kind, width, more)
  local o = { kind, width = width, seed = 5 }
  for key, value in pairs(more or {}) do o[key] = value end
  local net = networks.resnet(o)
  local tensors = {}
  for name, x in pairs(net.module:state()) do
    tensors[name:gsub("^backbone%.", "")] = x
    if name:find "running_mean$" then
      tensors[name:gsub("^backbone%.", ""):gsub("running_mean", "num_batches_tracked")] =
        core.tensor.full({ 1 }, 7, "int64"):reshape {}
    end
  end
  tensors["fc.weight"] = core.tensor.full({ 1000, net.features }, 0 / 0) -- not used, so not checked
  tensors["fc.bias"] = core.tensor.full({ 1000 }, 1)
  return tensors, net
end

local function saved(name, tensors)
  local path = ("%s/%s.safetensors"):format(folder, name)
  assert(core.safetensors.save(path, tensors))
  return path
end

local function load(path, kind, more)
  local o = { kind, width = 2, weights = path }
  for key, value in pairs(more or {}) do o[key] = value end
  local module = core.module.new {}
  local net, notes = networks.build_resnet(module, "backbone", o, 3)
  module:seal()
  return net, notes
end

local function assert_refused(text, ...)
  local ok, message = pcall(load, ...)
  lu.assertFalse(ok, "this should have been refused: " .. text)
  lu.assertStrContains(tostring(message), text)
  lu.assertNotStrContains(tostring(message), "\n")
end

function Files.test_published_weights_load_and_the_classifier_is_named()
  for _, kind in ipairs { "resnet18", "resnet34", "resnet50" } do
    local tensors, net = published(kind, 2)
    local loaded, notes = load(saved(kind, tensors), kind)
    lu.assertEquals(loaded.module:flat():list(), net.module:flat():list(), kind)
    lu.assertEquals(loaded.module:flat_buffers():list(), net.module:flat_buffers():list(), kind)
    lu.assertEquals(notes, { ("fc.weight, fc.bias of %s.safetensors are not used"):format(kind) })
  end
  local tensors = published("resnet18", 2)
  tensors["fc.weight"], tensors["fc.bias"] = nil, nil
  lu.assertEquals(select(2, load(saved("bare", tensors), "resnet18")), {})
end

function Files.test_another_network()
  local path = saved("r50", published("resnet50", 2))
  assert_refused("r50.safetensors: this is a ResNet-50 of width 2, the recipe has a ResNet-18 of width 2; "
    .. 'backbone = { "resnet50", width = 2 }', path, "resnet18")
  assert_refused("the recipe has a ResNet-34 of width 2", path, "resnet34")
  assert_refused('this is a ResNet-14 for small images, of width 3, the recipe has a ResNet-18 of width 2; '
    .. 'backbone = { "resnet", depth = 14, width = 3 }',
    saved("small", published("resnet", 3, { depth = 14 })), "resnet18")
  assert_refused("this is a ResNet-18 of width 4, the recipe has a ResNet-18 of width 2", saved("wide",
    published("resnet18", 4)), "resnet18")
  local deep = published("resnet50", 2)
  for block = 6, 22 do
    for i = 1, 3 do
      deep[("layer3.%d.conv%d.weight"):format(block, i)] = core.tensor.zeros { 1, 1, 1, 1 }
    end
  end
  assert_refused("this is a ResNet-101 of width 2, the recipe has a ResNet-50 of width 2; there is no "
    .. "backbone of that depth", saved("r101", deep), "resnet50")
  local inner = {}
  for name, x in pairs(published("resnet50", 2)) do inner["module." .. name] = x end
  assert_refused('its names begin with module.; weights_prefix = "module." strips that',
    saved("inner", inner), "resnet18")
end

-- One changed tensor each, of a file that loads.
function Files.test_one_wrong_tensor()
  local cases = {
    { "layer1.0.bn1.bias", nil, "1 tensor of the backbone is missing: layer1.0.bn1.bias" },
    { "layer1.0.conv2.weight", core.tensor.zeros { 2, 2, 1, 1 },
      "tensor layer1.0.conv2.weight has shape (2, 2, 1, 1), the backbone expects (2, 2, 3, 3)" },
    { "bn1.weight", core.tensor.full({ 2 }, 1, "int64"), "tensor bn1.weight has shape (2) of int64" },
    { "bn1.running_var", core.tensor.full({ 2 }, math.huge),
      "tensor bn1.running_var holds NaN or an infinity" },
    { "bn1.running_var", core.tensor.full({ 2 }, -1), "tensor bn1.running_var holds a negative variance" },
    { "layer1.0.se.weight", core.tensor.zeros { 2 }, "1 tensor is not the backbone's: layer1.0.se.weight" },
    { "fc.extra", core.tensor.zeros { 2 }, "1 tensor is not the backbone's: fc.extra" },
  }
  for i, case in ipairs(cases) do
    local tensors = published("resnet18", 2)
    tensors[case[1]] = case[2]
    assert_refused(case[3], saved("wrong" .. i, tensors), "resnet18")
  end
  assert_refused("none.safetensors", folder .. "/none.safetensors", "resnet18")
end

-- A file of half-precision numbers: `pack` writes the value of one.
local function saved_narrow(name, dtype, tensors, of_value)
  local header, parts, at = {}, {}, 0
  for key, x in pairs(tensors) do
    if x:dtype() == "float32" and not key:find "^fc" then
      local list = x:list()
      for i, value in ipairs(list) do list[i] = ("<I2"):pack(of_value(value, key)) end
      header[#header + 1] = ('"%s":{"dtype":"%s","shape":[%s],"data_offsets":[%d,%d]}'):format(key, dtype,
        table.concat(x:shape(), ","), at, at + 2 * #list)
      parts[#parts + 1], at = table.concat(list), at + 2 * #list
    end
  end
  local text = "{" .. table.concat(header, ",") .. "}"
  local path = ("%s/%s.safetensors"):format(folder, name)
  local file <close> = assert(io.open(path, "wb"))
  file:write(("<s8"):pack(text), table.concat(parts))
  return path
end

local function upper_half(value)
  return ("<I4"):unpack(("<f"):pack(value)) >> 16
end

local ONE, INFINITY = 0x3C00, 0x7C00 -- of float16

function Files.test_narrow_numbers_are_converted_exactly()
  local tensors = published("resnet18", 2)
  local net = load(saved_narrow("bf16", "BF16", tensors, upper_half), "resnet18")
  for name, x in pairs(net.module:state()) do
    local given = tensors[name:gsub("^backbone%.", "")]:list()
    for i, value in ipairs(given) do given[i] = ("<f"):unpack(("<I4"):pack(upper_half(value) << 16)) end
    lu.assertEquals(x:list(), given, name)
  end
  net = load(saved_narrow("f16", "F16", tensors, function() return ONE + 1 end), "resnet18")
  lu.assertEquals(net.module:get("backbone.conv1.weight"):get(1, 1, 1, 1), 1 + 2 ^ -10)
  assert_refused("inf.safetensors: tensor layer2.0.bn1.weight holds NaN or an infinity",
    saved_narrow("inf", "F16", tensors, function(_, key)
      return key == "layer2.0.bn1.weight" and INFINITY or ONE
    end), "resnet18")
end

-- ── normalisation ───────────────────────────────────────────────────────────────────────
local Normalise = {}

local function complete(backbone)
  return config.complete { data = { "lesions", n = 70, size = 16 }, backbone = backbone,
    prior = { crops = 2 }, schedule = { T = 10 }, denoiser = { dim = 16, heads = 2, blocks = 1 } }
end

function Normalise.test_defaults()
  lu.assertNil(complete({ "resnet18" }).backbone.normalise)
  lu.assertEquals(complete({ "resnet18", weights = "w" }).backbone.normalise, { "imagenet" })
  local kept = complete { "resnet18", weights = "w", normalise = "dataset" }
  lu.assertEquals(config.complete(kept).backbone.normalise, { "dataset" })
  lu.assertNil(normalisation.of(kept.backbone))
  local own = complete { "resnet18",
    normalise = { mean = { 0.1, 0.2, 0.3 }, deviation = { 1, 1, 0.5 } } }
  lu.assertEquals(normalisation.of(own.backbone), { mean = { 0.1, 0.2, 0.3 }, std = { 1, 1, 0.5 } })
  for _, wrong in ipairs { { mean = { 123, 116, 103 } }, { deviation = { 1, 1 } },
    { deviation = { 0, 1, 1 } } } do
    local found = config.conflicts(complete { "resnet18", normalise = wrong })
    lu.assertStrContains(found[1], "option backbone.normalise." .. next(wrong) .. " must be 3 numbers from ")
  end
end

-- A run that was stored before the option existed keeps the numbers that its weights saw.
function Normalise.test_stored_runs_keep_the_moments_of_their_data()
  local stored = complete { "resnet18", weights = "w" }
  stored.backbone.normalise = nil
  local again = config.of_stored(stored)
  lu.assertNil(again.backbone.normalise)
  lu.assertEquals(again, stored)
end

-- images · std + mean are the pixels, whatever the moments.
function Normalise.test_batches_have_the_moments()
  local of = complete { "resnet", width = 4, normalise = "imagenet" }
  local dataset = aniso.data(of.data)
  local by = model.new(of, dataset, 0).normalise
  lu.assertEquals(by, { mean = { 0.485, 0.456, 0.406 }, std = { 0.229, 0.224, 0.225 } })
  local own = dataset:batch("train", 0, 3)
  local other = dataset:batch("train", 0, 3, { normalise = by })
  local same = dataset:batch("train", 0, 3, { normalise = { mean = dataset.mean, std = dataset.std } })
  lu.assertEquals(same:list(), own:list())
  local pixels = own * core.tensor.from(dataset.std) + core.tensor.from(dataset.mean)
  local again = other * core.tensor.from(by.std) + core.tensor.from(by.mean)
  lu.assertTrue((pixels - again):square():sum():item() < 1e-8)
  lu.assertNotEquals(other:list(), own:list())
  local input = network_input.of(dataset, of)
  lu.assertEquals({ input.mean, input.std }, { by.mean, by.std })
  lu.assertErrorMsgContains("std", dataset.batch, dataset, "train", 0, 1,
    { normalise = { mean = { 0, 0, 0 }, std = { 1, 0, 1 } } })
end

return { test_files = Files, test_normalise = Normalise }
