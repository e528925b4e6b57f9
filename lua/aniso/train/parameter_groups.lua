-- The parameters of a trained module in groups, each with its own learning rate and optimiser state, frozen
-- or not: the parts of the backbone (method/backbone_parts.lua), the prior, the denoiser. Without
-- train.freeze and train.lr_scale a module is one group, and its optimiser makes one pass over memory.
--   parameter_groups.new(part, config, averages, make_optimiser) → groups of one module
--   parameter_groups.follow(session)                      freezes what is frozen in the session's epoch
--   group:step(lr, with)      parameter_groups.buffers(groups)      parameter_groups.pieces(groups)
-- A frozen group takes no gradient and has no optimiser state; its running moments and its averages are the
-- values themselves. When it is unfrozen, its optimiser begins with its first step.
local backbone_parts = require "aniso.method.backbone_parts"
local core = require "aniso.core"

local parameter_groups = {}

local Group = {}
Group.__index = Group

-- A range of a module's flat parameters, which an optimiser steps like a module.
local Range = {}
Range.__index = Range

function Range:flat()
  return self.values, self.gradient
end

function Range:decay_ranges()
  return { { first = 1, length = self.length, decay = self.decay } }
end

-- A step with lr, the learning rate of the whole model; does nothing if the group is frozen. with: the
-- argument of the optimiser's step, whose averages are set here.
function Group:step(lr, with)
  if self.frozen then return end
  for _, piece in ipairs(self.pieces) do
    with.average = piece.average
    piece.optimiser:step(piece.module, lr * self.scale, with)
  end
end

-- ── making ──────────────────────────────────────────────────────────────────────────────
local function whole(part, averages, make_optimiser)
  return { setmetatable({ scale = 1, pieces = { { name = part.name, module = part.module,
    optimiser = make_optimiser(), average = averages and averages.values } } }, Group) }
end

-- Adds the pieces of the flat parameters and the buffers whose names begin with one of `prefixes`.
local function add_ranges(group, part, prefixes, averages, make_optimiser)
  local values, gradient = part.module:flat()
  local own = part.module:flat_buffers()
  for _, prefix in ipairs(prefixes) do
    for _, range in ipairs(part.module:decay_ranges(prefix)) do
      local function slice(x) return core.step.view(x, range.first, range.length) end
      group.pieces[#group.pieces + 1] = {
        name = ("%s/%s/%d"):format(part.name, group.name, #group.pieces + 1), optimiser = make_optimiser(),
        average = averages and slice(averages.values),
        module = setmetatable({ values = slice(values), gradient = slice(gradient), length = range.length,
          decay = range.decay }, Range) }
    end
    for _, range in ipairs(averages and part.module:buffer_ranges(prefix) or {}) do
      group.buffers[#group.buffers + 1] = { core.step.view(averages.buffers, range.first, range.length),
        core.step.view(own, range.first, range.length) }
    end
  end
end

-- The names of the groups of a module, their factors of the learning rate and their prefixes.
local function described(part, config)
  local scale = config.train.lr_scale or { backbone = 1, prior = 1, denoiser = 1, layer_decay = 1 }
  if part.name == "den" then
    return { { name = "denoiser", scale = scale.denoiser, prefixes = { "denoiser." } } }
  end
  local out, names = {}, backbone_parts.of(config.backbone)
  for i, name in ipairs(names) do
    out[i] = { name = name, place = i, scale = scale.backbone * scale.layer_decay ^ (#names - i),
      prefixes = backbone_parts.prefixes("backbone", name) }
  end
  out[#out + 1] = { name = "prior", scale = scale.prior, prefixes = { "prior." } }
  return out
end

-- part: {name, module} of model.modules; averages [opt]: its EMA; make_optimiser() → a new optimiser.
function parameter_groups.new(part, config, averages, make_optimiser)
  local train = config.train
  local is_split = (train.freeze or train.lr_scale) and (part.name == "net" or part.name == "den")
  if not is_split then return whole(part, averages, make_optimiser) end
  local out = {}
  for i, one in ipairs(described(part, config)) do
    local group = setmetatable({ name = one.name, place = one.place, scale = one.scale,
      prefixes = one.prefixes, owner = part.module, pieces = {}, buffers = {}, frozen = false }, Group)
    add_ranges(group, part, one.prefixes, averages, make_optimiser)
    out[i] = group
  end
  return out
end

-- ── using ───────────────────────────────────────────────────────────────────────────────
-- How many parts of the backbone, counted from the images, are frozen after `done` epochs of the stage.
function parameter_groups.count_frozen(config, done)
  local train = config.train
  local count = backbone_parts.frozen(config.backbone, train.freeze)
  return train.unfreeze_every and math.max(0, count - done // train.unfreeze_every) or count
end

-- Freezes the groups of a session as its epoch requires → the name of the first part of the backbone that is
-- trained ("prior" if none is), if that changed since the last call; else nil.
function parameter_groups.follow(session)
  local count = parameter_groups.count_frozen(session.config, session.epoch - session.first_epoch)
  local changed, first
  for _, groups in ipairs(session.groups) do
    for _, group in ipairs(groups) do
      if group.place then
        local frozen = group.place <= count
        for _, prefix in ipairs(group.prefixes) do group.owner:freeze(frozen, prefix) end
        changed, group.frozen = changed or group.frozen ~= frozen, frozen
        if not frozen then first = first or group.name end
      end
    end
  end
  return changed and (first or "prior") or nil
end

-- The buffers of the groups that are not frozen, {average, own} each; nil if the module is one group.
function parameter_groups.buffers(groups)
  if not groups[1].buffers then return nil end
  local out = {}
  for _, group in ipairs(groups) do
    if not group.frozen then table.move(group.buffers, 1, #group.buffers, #out + 1, out) end
  end
  return out
end

-- Iterator over the pieces of all groups of a module, {name, module, optimiser}: each has a state of its own.
function parameter_groups.pieces(groups)
  return coroutine.wrap(function()
    for _, group in ipairs(groups) do
      for _, piece in ipairs(group.pieces) do coroutine.yield(piece) end
    end
  end)
end

return parameter_groups
