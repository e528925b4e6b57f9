-- The output of a frozen net for all training images. If augmentation changes nothing, it is the
-- same in every epoch: each image is encoded once, in the order of the positions, and a batch is
-- gathered from the stored rows. With augmentation, or above feature_cache.max_bytes, each batch is
-- encoded again.
--   local cached = feature_cache.new(session) or nil
--   cached(positions) → labels, frozen output as from objective.encode_frozen()
local core = require "aniso.core"
local objective = require "aniso.method.objective"
local precision = require "aniso.train.precision"

local CONCAT_AT_ONCE = 6 -- tensors that ops.concat takes

-- Enough for 7,900 images of 32×32 behind a ResNet-8 of width 32.
local feature_cache = { max_bytes = 256 * 2 ^ 20 }

local function changes_nothing(augment)
  for _, value in pairs(augment) do
    if value and value ~= 0 and value ~= "none" then return false end
  end
  return true
end

-- The tensors that a step of the stage uses, each (B, …).
local function tensors_of(session, frozen)
  local prior = frozen.prior
  if session.stage == "classifier" then return { features = frozen.features, g = prior.g } end
  return { features = frozen.features, m = prior.m, mg = prior.mg, ml = prior.ml, crops = prior.crops }
end

-- Bytes of the tensors for n images, given those of a batch.
local function bytes_of(n, tensors)
  local elements = 0
  for _, x in pairs(tensors) do elements = elements + n * x:numel() // x:size(1) end
  return 4 * elements
end

-- The tensors of a list, concatenated along the first dimension.
function feature_cache.concatenated(list)
  while #list > 1 do
    local fewer = {}
    for i = 1, #list, CONCAT_AT_ONCE do
      local last = math.min(i + CONCAT_AT_ONCE - 1, #list)
      fewer[#fewer + 1] = core.ops.concat({ table.unpack(list, i, last) }, 1)
    end
    list = fewer
  end
  return list[1]
end

-- Encodes the n training images in batches → name → list of tensors; nil above max_bytes.
local function encode_all(session, n)
  local pieces, batch = {}, session.config.train.batch
  local _ <close> = precision.of_steps(session.config)
  for first = 0, n - 1, batch do
    local images = session.dataset:batch("train", first, math.min(batch, n - first),
      { normalise = session.model.normalise })
    local tensors = tensors_of(session, objective.encode_frozen(session, images))
    if bytes_of(n, tensors) > feature_cache.max_bytes then return nil end
    for name, x in pairs(tensors) do
      pieces[name] = pieces[name] or {}
      table.insert(pieces[name], x)
    end
    session:heartbeat()
  end
  return pieces
end

-- → name → {shape = of a batch, rows = (n, elements of an image)}
local function rows_of(pieces, n)
  local cache = {}
  for name, list in pairs(pieces) do
    local shape, all = list[1]:shape(), feature_cache.concatenated(list)
    cache[name] = { shape = shape, rows = all:reshape(n, all:numel() // n) }
  end
  return cache
end

-- The rows at `positions`, in the shape that encoding these images gives.
local function gather(cache, positions)
  local out, B = {}, positions:size(1)
  for name, one in pairs(cache) do
    one.shape[1] = B
    local rows <close> = one.rows:embedding(positions)
    out[name] = rows:reshape(one.shape)
  end
  return { features = out.features, prior = out, drawn = {} }
end

-- nil if no net is frozen, or if its output changes, is used once, or is too large.
function feature_cache.new(session)
  local dataset = session.dataset
  if not (session.stage == "denoiser" or session.stage == "classifier") or session.stage_epochs == 1
    or not changes_nothing(session.config.train.augment) then
    return nil
  end
  local n = dataset:n "train"
  local pieces = encode_all(session, n)
  if not pieces then return nil end
  local cache, labels = rows_of(pieces, n), dataset:labels("train"):list()
  return function(positions)
    local own = {}
    for i, position in ipairs(positions:list()) do own[i] = labels[position + 1] end
    return core.tensor.from(own, "int64"), gather(cache, positions)
  end
end

return feature_cache
