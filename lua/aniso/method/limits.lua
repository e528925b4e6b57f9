-- Values that the options' own rules accept but a run would fail with, sometimes only after training: sizes
-- beyond the engine's limits, options that must fit each other, lists that need one number per class. The
-- rules themselves stay as wide as they are, since the configurations of stored runs pass through them.
--   limits.check(complete) → sentences      limits.too_large(complete) → only those about sizes
local normalisation = require "aniso.method.normalisation"
local options = require "aniso.recipe.options"

local limits = {}

-- The largest value of an option: counts that the engine keeps as 32-bit numbers; chains, draws and widths
-- beyond any memory.
local LARGEST = {
  { "schedule.T", 100000 }, { "train.epochs", 1000000 }, { "train.prior_epochs", 1000000 },
  { "train.batch", 1 << 24 }, { "train.draws", 65536 }, { "select.draws", 65536 },
  { "data.n", 10000000 }, { "backbone.width", 65536 }, { "denoiser.dim", 65536 }, { "prior.crops", 65536 },
  { "prior.crop_size", 1024 }, { "prior.local_width", 65536 }, { "prior.attention", 65536 },
  { "select.every", 1000000 }, { "post_hoc.epochs", 1000000 },
}

-- Factors on logarithms: beyond this, probabilities are 0 or 1 in float32 and rows cannot be normalised.
local STEEPEST = 1000
local STEEP = { "sampler.tilt.tau", "sampler.tilt.kappa", "post_hoc.tau", "loss.prior.tau" }

-- The range of a loss's numbers: {kind, option, function(value) → whether it is valid, text}.
local LOSSES = {
  { "focal", "gamma", function(v) return v >= 0 end, "at least 0" },
  { "class_balanced", "gamma", function(v) return v >= 0 end, "at least 0" },
  { "ce", "smoothing", function(v) return v >= 0 and v < 1 end, "at least 0 and below 1" },
  { "ldam", "margin", function(v) return v >= 0 end, "at least 0" },
  { "ldam", "scale", function(v) return v > 0 and v <= 1e6 end, "above 0, at most 1e6" },
}

-- Options that are lists with one number per class.
local PER_CLASS = { "schedule.lambda.values", "loss.class_weight.values", "sampler.tilt.values" }

-- Number of classes of the data kinds where it is fixed.
local CLASSES = { lesions = 7, ham10000 = 7, cifar10 = 10, cifar100 = 100 }

local function check_size(size, add)
  local sides = type(size) == "table" and { size[1] or false, size[2] or false } or { size or 32 }
  for _, side in ipairs(sides) do
    if math.type(side) ~= "integer" or side < 1 or side > 1024 then
      return add "option data.size must be a whole number from 1 to 1024, or {height, width}"
    end
  end
end

local function check_data(of, add)
  local data = of.data
  check_size(data.size, add)
  if data.groups[1] == "relative" and data.groups.head > data.groups.tail then
    add("option data.groups: head is %g and tail is %g, expected head <= tail", data.groups.head,
      data.groups.tail)
  end
  if data.val and data.test and data.val + data.test >= 1 then
    add("options data.val and data.test are %g and %g: no image is left to train on", data.val, data.test)
  end
end

local function check_networks(of, add)
  local backbone, denoiser = of.backbone, of.denoiser
  local n = backbone.depth and (backbone.depth - 2) / 6
  if n and (n ~= math.floor(n) or backbone.depth > 1202) then
    add("option backbone.depth is %d: a ResNet for small images has 6n+2 layers (8, 14, 20, … 1202)",
      backbone.depth)
  end
  local fault = normalisation.fault(backbone)
  if fault then add(fault) end
  if denoiser[1] == "cross_attention" and (denoiser.dim % 4 ~= 0 or denoiser.dim % denoiser.heads ~= 0) then
    add("option denoiser.dim is %d: it must be a multiple of 4 and of denoiser.heads, %d", denoiser.dim,
      denoiser.heads)
  end
end

local function check_loss(of, add)
  local loss = of.loss
  if of.denoiser[1] ~= "none" and loss.denoising == 0 and loss.mmd == 0 then
    add("options loss.denoising and loss.mmd are 0, so the denoiser would never be trained: method = softmax "
      .. "is the classifier without one")
  end
  if #loss.multipliers < 1 or #loss.multipliers > 8 then
    add("option loss.multipliers has %d numbers, expected 1 to 8", #loss.multipliers)
  end
  for _, value in ipairs(loss.multipliers) do
    if not (value > 0 and value < math.huge) then
      add("option loss.multipliers: %g must be above 0 and finite", value)
    end
  end
  for _, one in ipairs(LOSSES) do
    local kind, key, fits, text = table.unpack(one)
    if loss.prior[1] == kind and not fits(loss.prior[key]) then
      add("option loss.prior.%s must be %s, got %g", key, text, loss.prior[key])
    end
  end
end

-- Options larger than any run could use.
function limits.too_large(of)
  local out = {}
  for _, one in ipairs(LARGEST) do
    local value = options.get(of, one[1])
    if type(value) == "number" and value > one[2] then
      out[#out + 1] = ("option %s must be at most %d, got %.14g"):format(one[1], one[2], value)
    end
  end
  return out
end

local function check_sizes(of, add)
  for _, problem in ipairs(limits.too_large(of)) do add(problem) end
  for _, path in ipairs(STEEP) do
    local value = options.get(of, path)
    if type(value) == "number" and math.abs(value) > STEEPEST then
      add("option %s must be from -%d to %d, got %g", path, STEEPEST, STEEPEST, value)
    end
  end
end

-- A list whose length differs from the number of classes, if that is known before the data are opened, or
-- from another list's.
local function check_lists(of, add)
  local given = of.data.classes
  local K, whose = given and #given or CLASSES[of.data[1]], given and "data.classes" or "the data"
  for _, path in ipairs(PER_CLASS) do
    local values = options.get(of, path)
    if type(values) == "table" then
      if K and #values ~= K then
        add("option %s has %d numbers for %d classes (%s)", path, #values, K, whose)
      end
      K, whose = K or #values, K and whose or path
    end
  end
end

function limits.check(complete)
  local out = {}
  local function add(text, ...) out[#out + 1] = select("#", ...) > 0 and text:format(...) or text end
  for _, check in ipairs { check_data, check_networks, check_loss, check_sizes, check_lists } do
    check(complete, add)
  end
  return out
end

return limits
