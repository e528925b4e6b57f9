-- The images of a part as encoded by backbone and prior, batch by batch. Several evaluations of one model
-- encode every image once: the first pass over a part keeps its output, and later passes reuse it.
--   for batch in encoded.batches(model, dataset, "test", 256, cache) do … end
-- A batch is {first = the index of its first image, from 0, features, prior, seconds = time of encoding}.
-- cache [opt]: encoded.cache(), for one model, data set and batch size. A part that needs more than
-- encoded.max_bytes is not kept and is encoded by every pass.
local core = require "aniso.core"

-- Room for 10,000 images of 224×224 encoded by a ResNet-18.
local encoded = { max_bytes = 2 ^ 30 }

-- 256 images of 64×64: the intermediates of a network grow with the pixels encoded at once, and at 224×224
-- those of 256 images would need more memory than a training step.
local MOST_IMAGES, MOST_PIXELS = 256, 256 * 64 * 64

-- The number of images of a height and width that are encoded at once.
function encoded.images_at_once(height, width)
  return math.max(1, math.min(MOST_IMAGES, MOST_PIXELS // (height * width)))
end

local Cache = {}
function Cache:__close()
  for _, batches in pairs(self) do
    for _, batch in ipairs(batches or {}) do
      batch.features:close()
      for _, field in pairs(batch.prior) do
        if type(field) == "userdata" then field:close() end
      end
    end
  end
end

-- A cache that frees its tensors when its <close> variable ends: Lua's collector counts them as a few bytes.
function encoded.cache()
  return setmetatable({}, Cache)
end

local function encode(model, dataset, part, first, count)
  local began = core.sys.monotonic()
  local features, prior = core.ops.no_grad(function()
    return model:encode(dataset:batch(part, first, count, { normalise = model.normalise }))
  end)
  return { first = first, features = features, prior = prior, seconds = core.sys.monotonic() - began }
end

local BYTES = { float32 = 4, int64 = 8 }

local function bytes_of(batch)
  local sum = BYTES.float32 * batch.features:numel()
  for _, field in pairs(batch.prior) do
    if type(field) == "userdata" then sum = sum + BYTES[field:dtype()] * field:numel() end
  end
  return sum
end

-- Iterator over the batches of a part, of `size` images each; the last may be smaller.
function encoded.batches(model, dataset, part, size, cache)
  local n, stored, i = dataset:n(part), cache and cache[part], 0
  local kept, bytes = cache and stored == nil and {} or nil, 0
  return function()
    local first = i * size
    if first >= n then
      if kept then cache[part] = kept end
      return nil
    end
    i = i + 1
    if stored then return stored[i] end
    local batch = encode(model, dataset, part, first, math.min(size, n - first))
    if kept then
      kept[i], bytes = batch, bytes + bytes_of(batch)
      if bytes > encoded.max_bytes then kept, cache[part] = nil, false end
    end
    return batch
  end
end

local PER_IMAGE = { "m", "mg", "ml", "crops" } -- the fields of the prior's output that a chain needs

-- `count` images of a batch from index `start` (from 0) → features, prior.
function encoded.some(batch, start, count)
  local prior = {}
  for _, name in ipairs(PER_IMAGE) do
    local field = batch.prior[name]
    prior[name] = field and field:narrow(1, start + 1, count)
  end
  return batch.features:narrow(1, start + 1, count), prior
end

return encoded
