-- Lists of PyTorch function calls (torch_steps.lua), and those that compute the backbone and the prior.
local core = require "aniso.core"
local prior_loss = require "aniso.method.prior_loss"

local encoder = { null = core.json.null }

local NULL = encoder.null

-- ── lists of steps ──────────────────────────────────────────────────────────────────────
local Steps = {}
Steps.__index = Steps

-- tensors: the model's; made = { count = 0 }: shared by lists whose results must have different names.
function encoder.list(tensors, made)
  return setmetatable({ list = {}, made = made, tensors = tensors }, Steps)
end

-- Adds a call → the name of its result.
function Steps:call(name, ...)
  self.made.count = self.made.count + 1
  local result = "x" .. self.made.count
  self.list[#self.list + 1] = { result, name, ... }
  return result
end

-- Adds a call whose result is given a name.
function Steps:define(result, name, ...)
  self.list[#self.list + 1] = { result, name, ... }
  return result
end

function Steps:linear(x, prefix)
  local bias = self.tensors[prefix .. ".bias"] and prefix .. ".bias" or NULL
  return self:call("linear", x, prefix .. ".weight", bias)
end

function Steps:batch_norm(x, prefix)
  return self:call("batch_norm", x, prefix .. ".running_mean", prefix .. ".running_var", prefix .. ".weight",
    prefix .. ".bias")
end

-- ── backbone ────────────────────────────────────────────────────────────────────────────
-- x (B,C,H,W) after a residual block; the block's tensors determine its kind.
local function block(s, prefix, x, stride)
  local has = s.tensors
  local bottleneck, y = has[prefix .. ".conv3.weight"] ~= nil, x
  for i = 1, bottleneck and 3 or 2 do
    local name = ("%s.conv%d.weight"):format(prefix, i)
    local side = has[name]:size(3)
    y = s:call("conv2d", y, name, NULL, i == (bottleneck and 2 or 1) and stride or 1, side // 2)
    y = s:batch_norm(y, ("%s.bn%d"):format(prefix, i))
    if has[("%s.conv%d.weight"):format(prefix, i + 1)] then y = s:call("relu", y) end
  end
  if has[prefix .. ".downsample.0.weight"] then
    x = s:call("conv2d", x, prefix .. ".downsample.0.weight", NULL, stride)
    x = s:batch_norm(x, prefix .. ".downsample.1")
  end
  return s:call("relu", s:call("add", y, x))
end

-- The network with torchvision's names: its output for images (B,C,H,W).
local function resnet(s, prefix, x, stem_stride)
  local stem = prefix .. ".conv1.weight"
  local large = s.tensors[stem]:size(3) == 7
  x = s:call("conv2d", x, stem, NULL, large and 2 or stem_stride or 1, large and 3 or 1)
  x = s:call("relu", s:batch_norm(x, prefix .. ".bn1"))
  if large then x = s:call("max_pool2d", x, 3, 2, 1) end
  for layer = 1, math.huge do
    for i = 0, math.huge do
      local name = ("%s.layer%d.%d"):format(prefix, layer, i)
      if not s.tensors[name .. ".conv1.weight"] then
        if i == 0 then return x end
        break
      end
      x = block(s, name, x, layer > 1 and i == 0 and 2 or 1)
    end
  end
end

-- ── prior ───────────────────────────────────────────────────────────────────────────────
-- The windows that engine/model/crops.h chooses in images (B,C,H,W), one by one: the heaviest of those that
-- share the fewest pixels with earlier windows. The prediction fails if one leads by no more than
-- rounding errors.
local function windows(s, of, maps, logits, count, side)
  local H, W, rows = of.input.height, of.input.width, {}
  local p = s:call("softmax", logits, 1)
  local heat = s:call("sum", s:call("mul", maps, s:call("reshape", p, { -1, #of.classes, 1, 1 })), 1, true)
  local weight = s:call("avg_pool2d", s:call("interpolate", heat, { H, W }), side, 1)
  local margin = s:call("mul", s:call("amax", s:call("abs", weight), { 1, 2, 3 }, true), 1e-5)
  local cover = s:call("zeros_like", s:call("narrow", "pixels", 1, 0, 1))
  for i = 1, count do
    local shared = s:call("round", s:call("mul", s:call("avg_pool2d", cover, side, 1), side * side))
    local worse = s:call("gt", shared, s:call("amin", shared, { 1, 2, 3 }, true))
    local free = s:call("masked_fill", weight, worse, -1e30)
    local most = s:call("amax", free, { 1, 2, 3 }, true)
    local is_best = s:call("eq", free, most)
    local second = s:call("amax", s:call("masked_fill", free, is_best, -1e30), { 1, 2, 3 }, true)
    local one = s:call("div", is_best, 1) -- a number
    local leads = s:call("mul", s:call("gt", s:call("sub", most, second), margin),
      s:call("eq", s:call("sum", one, { 1, 2, 3 }, true), 1))
    s:call("_assert", s:call("all", leads), "two windows of an image have equal weights")
    local around = side - 1
    local wide = s:call("pad", one, { around, around, around, around })
    local inside = s:call("max_pool2d", wide, side, 1) -- 1 at the window's pixels
    cover = s:call("add", cover, inside)
    local cut = s:call("masked_select", "pixels", s:call("gt", inside, 0.5))
    rows[i] = s:call("reshape", cut, { -1, 3, side, side })
  end
  return rows
end

-- The features of the windows (B,n,D) and the logits of the local prior.
local function local_prior(s, of, maps, logits)
  local o, rows = of.config.prior, {}
  local third = (math.min(of.input.height, of.input.width) + 1) // 3 // 2 * 2
  local side = o.crop_size ~= 0 and o.crop_size or math.max(third, 2)
  for i, window in ipairs(windows(s, of, maps, logits, o.crops, side)) do
    rows[i] = s:call("mean", resnet(s, "net.prior.local", window), { 2, 3 })
  end
  local crops = s:define("crops", "stack", rows, 1)
  local score = s:linear(s:call("mul", s:call("tanh", s:linear(crops, "net.prior.pool.v")),
    s:call("sigmoid", s:linear(crops, "net.prior.pool.u"))), "net.prior.pool.w")
  return s:linear(s:call("sum", s:call("mul", crops, s:call("softmax", score, 1)), 1), "net.prior.head")
end

-- m, mg and ml of the images.
local function prior(s, of, grid)
  local o, choice = of.config.prior, of.config.loss.prior
  local scale, cells = choice and prior_loss.scale(choice) or 1, grid[2] * grid[3]
  local count = math.max(1, math.floor(o.top_percent / 100 * cells + 0.5))
  local maps = s:call("conv2d", "features", "net.prior.saliency.weight", "net.prior.saliency.bias")
  local sorted = s:call("msort", s:call("permute", s:call("flatten", maps, 2), { 2, 0, 1 })) -- (cells, B, K)
  local g = s:call("mul", s:call("mean", s:call("narrow", sorted, 0, cells - count, count), 0), scale)
  s:define("mg", "softmax", g, 1)
  if o.mode == "global" then
    s:define("ml", "zeros_like", "mg")
    s:define("m", "clone", "mg")
    return
  end
  s:define("ml", "softmax", s:call("mul", local_prior(s, of, maps, g), scale), 1)
  if o.mode == "local" then
    s:define("mg", "zeros_like", "ml")
    s:define("m", "clone", "ml")
  else
    s:define("m", "lerp", "ml", "mg", o.weight)
  end
end

-- Adds the steps from images (B,H,W,C) to their features (B,D,h,w), m, mg, ml and, for a local prior, crops.
-- of: a description; grid: shape of the backbone's output.
function encoder.add(s, of, grid)
  s:define("pixels", "permute", "images", { 0, 3, 1, 2 })
  s:define("features", "clone", resnet(s, "net.backbone", "pixels", of.config.backbone.stem_stride))
  prior(s, of, grid)
end

return encoder
