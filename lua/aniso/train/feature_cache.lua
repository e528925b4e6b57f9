-- What a frozen net sees in the training images. Where augmentation changes nothing it is the same
-- in every epoch: then each image is looked at once, in the order of the positions, and a batch is
-- made of kept rows. Behind augmentation, or beyond looks.most bytes, each batch is looked at anew.
--   local kept = looks.of(session) or nil      kept(positions) → labels, as objective.look()
local core = require "aniso.core"
local objective = require "aniso.method.objective"

local FEW = 6 -- tensors that ops.concat takes

local looks = { most = 256 * 2 ^ 20 } -- 7,900 images of 32×32 behind a ResNet-8 of width 32

local function changes_nothing(augment)
  for _, value in pairs(augment) do
    if value and value ~= 0 and value ~= "none" then return false end
  end
  return true
end

-- The tensors that a denoiser's step uses, each (B, …).
local function tensors_of(seen)
  local prior = seen.prior
  return { features = seen.features, m = prior.m, mg = prior.mg, ml = prior.ml, crops = prior.crops }
end

-- Bytes that n images take.
local function bytes_of(n, tensors)
  local numbers = 0
  for _, x in pairs(tensors) do numbers = numbers + n * x:numel() // x:size(1) end
  return 4 * numbers
end

-- One tensor of a list of tensors: concat takes a few at a time.
local function joined(list)
  while #list > 1 do
    local fewer = {}
    for i = 1, #list, FEW do
      fewer[#fewer + 1] = core.ops.concat({ table.unpack(list, i, math.min(i + FEW - 1, #list)) }, 1)
    end
    list = fewer
  end
  return list[1]
end

-- Looks at the n training images → name → {shape =, rows = (n, numbers of an image)}; nil where
-- that would be more than looks.most bytes.
local function look_at_all(session, n)
  local pieces, kept, batch = {}, {}, session.config.train.batch
  for first = 0, n - 1, batch do
    local images = session.dataset:batch("train", first, math.min(batch, n - first))
    local tensors = tensors_of(objective.look(session, images))
    if bytes_of(n, tensors) > looks.most then return nil end
    for name, x in pairs(tensors) do
      pieces[name] = pieces[name] or {}
      table.insert(pieces[name], x)
    end
    session.alive()
  end
  for name, list in pairs(pieces) do
    local shape, all = list[1]:shape(), joined(list)
    kept[name] = { shape = shape, rows = all:reshape(n, all:numel() // n) }
  end
  return kept
end

-- The rows at `positions` in the shape that a look at these images gives.
local function gather(kept, positions)
  local out, B = {}, positions:size(1)
  for name, one in pairs(kept) do
    one.shape[1] = B
    local rows <close> = one.rows:embedding(positions)
    out[name] = rows:reshape(one.shape)
  end
  return { features = out.features, prior = out, drawn = {} }
end

-- For a session in the stage of the denoisers, of more than one epoch; nil where nothing is kept.
function looks.of(session)
  local train, dataset = session.config.train, session.dataset
  if session.stage_epochs == 1 or not changes_nothing(train.augment) then return nil end
  local kept = look_at_all(session, dataset:n "train")
  if not kept then return nil end
  local labels = dataset:labels("train"):list()
  return function(positions)
    local own = {}
    for i, position in ipairs(positions:list()) do own[i] = labels[position + 1] end
    return core.tensor.from(own, "int64"), gather(kept, positions)
  end
end

return looks
