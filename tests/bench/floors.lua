-- floors: what a training step takes at least: aniso exec tests/bench/floors.lua [ROUNDS]. The products of
-- W1 … W5 at the speed that a large one reaches on this machine in float32, and the passes over maps and
-- weights at the speed of memory. A step has more to do; by these algorithms none is faster. In bfloat16, 1×1
-- convolutions and linear layers at twice the speed (3×3 gain more by Winograd in float32), and maps of half
-- the bytes:
--   3×3 of stride 1, 16 channels and more    Winograd's F(4×4, 3×3): 36 products for 16 × 9, in whole tiles
--   3×3 of stride 2                          81 for 144; the weights' gradient as it is defined
--   other convolutions, linear layers        as they are defined; attention's own products are left out
--   normalisation                            8 passes over a map: forward 3, backward 5 (README.md, Roofline)
--   optimiser                                12 over the weights: AdamW 7, average 3, norm and zeros 1 each
local core = require "aniso.core"
local config = require "aniso.method.config"

local sessions = dofile "tests/bench/session.lua"
local clock = core.sys.monotonic

local ROUNDS = math.tointeger(arg[1] or 5)
local SMALL = { "resnet", depth = 8, width = 32 }
local WORKS = {
  { name = "w1", size = 32, batch = 128, backbone = SMALL },
  { name = "w2", size = 64, batch = 64, backbone = SMALL },
  { name = "w3", size = 64, batch = 32, backbone = { "resnet18" } },
  { name = "w4", size = 224, batch = 16, backbone = { "resnet18" }, crop = 64 },
  { name = "w5", size = 224, batch = 16, backbone = { "resnet50" }, crop = 64 },
}

local function best(work)
  local least = math.huge
  for _ = 1, ROUNDS do
    local start = clock()
    work()
    least = math.min(least, clock() - start)
  end
  return least
end

-- GFLOP/s of a product of two 512 × 512 matrices, the fastest round.
local function peak()
  local a, b = core.tensor.full({ 512, 512 }, 0.5), core.tensor.full({ 512, 512 }, 0.25)
  return 8 * 2 * 512 ^ 3 / best(function() for _ = 1, 8 do a:matmul(b) end end) * 1e-9
end

-- GB/s of copying 256 MB; a copy reads, and reads the line that it writes, and writes.
local function bandwidth()
  local n = 64 << 20
  local from, to = core.tensor.full({ n }, 1), core.tensor.zeros { n }
  return 3 * 4 * n / best(function() to:copy_(from) end) * 1e-9
end

-- The width of the map that a convolution makes, and whether it is strided, by its name in a network of which
-- the first stage has maps of net.map. A block that begins a later stage halves the map.
local function geometry(name, net)
  local stage, block, layer = name:match "layer(%d+)%.(%d+)%.(%w+)"
  if not stage then return net.stem, net.stem ~= net.size end
  local out, begins = net.map >> (stage - 1), stage ~= "1" and block == "0"
  if not begins then return out, false end
  local halves = net.bottleneck and "conv2" or "conv1"
  return net.bottleneck and layer == "conv1" and 2 * out or out, layer == halves
end

-- The operations of forward, data and weight products of one convolution, the elements of its result, and
-- those of the operations that bfloat16 makes faster.
local function count(name, shape, net)
  local O, C, k = shape[1], shape[2], shape[3]
  local out, is_strided = geometry(name, net)
  local elements = net.images * out * out * O
  local products = 2 * elements * C * k * k
  if C == 3 then return 2 * products, elements end -- images have no gradient
  if k == 3 and is_strided then return products * (2 * 81 / 144 + 1), elements end
  if k == 3 then return 3 * products / 4 * ((out + 3) // 4 * 4 / out) ^ 2, elements end
  return 3 * products, elements, 3 * products
end

-- net: {prefix, images, size = width of an image, stem and map = width of the stem's and the first stage's
-- maps, bottleneck = kind of blocks}
local function convolutions(state, net)
  local flops, elements, narrow = 0, 0, 0
  for name, tensor in pairs(state) do
    local shape = tensor:shape()
    if name:sub(1, #net.prefix) == net.prefix and #shape == 4 then
      local f, e, n = count(name, shape, net)
      flops, elements, narrow = flops + f, elements + e, narrow + (n or 0)
    end
  end
  return flops, elements, narrow
end

-- The operations of the denoiser's linear layers, forward, data and weight; tokens: those of an image's map.
local CLASSES, CROPS, DRAWS = 7, 4, 4
local function linear_layers(state, batch, tokens)
  local flops = 0
  for name, tensor in pairs(state) do
    local shape, rows = tensor:shape(), batch * DRAWS * CLASSES
    if name:find "features" or name:find "cross%.[kv]" then rows = batch * (tokens + CROPS) end
    if name:find "%.crops" then rows = batch * CROPS end
    if name:find "time" or name:find "modulation" then rows = batch * DRAWS end
    if #shape == 2 and not name:find "class" then flops = flops + 3 * 2 * rows * shape[1] * shape[2] end
  end
  return flops
end

-- → {convolved, denoised, narrow = operations, maps, weights = bytes of the passes}
local function floor_of(work)
  local session = sessions.begin(config.complete { data = { "lesions", n = 140, size = work.size },
    backbone = work.backbone, prior = { mode = "both", crops = CROPS, crop_size = work.crop or 16 },
    schedule = { "cosine", T = 1000 }, denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4 },
    train = { batch = 16, draws = DRAWS } })
  local state, kind = session.model.modules[1].module:state(), work.backbone[1]
  local large, crop = kind ~= "resnet", work.crop or 16
  local flops, elements, narrow = convolutions(state, { prefix = "backbone.", images = work.batch,
    size = work.size, stem = large and work.size // 2 or work.size,
    map = large and work.size // 4 or work.size, bottleneck = kind == "resnet50" })
  local f, e, n = convolutions(state, { prefix = "prior.local.", images = CROPS * work.batch, size = crop,
    stem = crop, map = crop })
  local last = large and work.size // 32 or work.size // 4
  local denoiser = linear_layers(session.model.modules[2].module:state(), work.batch, last * last)
  local weights = 0
  for _, part in ipairs(session.model.modules) do weights = weights + part.module:flat():shape()[1] end
  return { convolved = flops + f, denoised = denoiser, narrow = narrow + n + denoiser,
    maps = 8 * 4 * (elements + e), weights = 12 * 4 * weights }
end

local speed, memory = peak(), bandwidth()
print(("products %.0f GFLOP/s, memory %.1f GB/s, on %d threads"):format(speed, memory, core.sys.threads()))
print "        convolutions      denoiser       passes       float32          bfloat16"
for _, work in ipairs(WORKS) do
  local of = floor_of(work)
  local products, bytes = of.convolved + of.denoised, of.maps + of.weights
  print(("%s  %6.1f GFLOP  %6.1f GFLOP  %6.2f GB  %6.0f + %.0f ms  %6.0f + %.0f ms"):format(work.name,
    of.convolved * 1e-9, of.denoised * 1e-9, bytes * 1e-9, products / speed * 1e-6, bytes / memory * 1e-6,
    (products - of.narrow / 2) / speed * 1e-6, (bytes - of.maps / 2) / memory * 1e-6))
end
