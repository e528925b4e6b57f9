-- The memory of a training step, and train.memory: as few blocks of the backbone as the budget requires are
-- recomputed in the backward pass (grad/recompute.h) instead of being kept.
--   step_memory.expect(session [, limit]) → what steps of the session's stage are expected to need
--   step_memory.choose(session)      recomputes what train.memory requires, or raises
--   step_memory.fit(session)         the same, and logs it
--   step_memory.state_to_come(session) → bytes of optimiser state that its first step is yet to allocate
-- The need is measured by forward and backward passes with every block recomputed, on 2, 4, 8 … images
-- up to train.batch. After a pass that exceeds the limit no larger one is begun: the last two are
-- extrapolated, roughly, since kernels also choose their workspace by the number of images. The passes
-- do not change the model.
local byte_size = require "aniso.recipe.byte_size"
local core = require "aniso.core"
local objective = require "aniso.method.objective"
local parameter_groups = require "aniso.train.parameter_groups"
local precision = require "aniso.train.precision"
local training_batch = require "aniso.train.training_batch"

local step_memory = {}

local sys = core.sys

local SMALL = 64 * 2 ^ 20 -- bytes of a step that is measured whatever the limit is

-- ── measuring ───────────────────────────────────────────────────────────────────────────
-- Bytes of the optimisers' state that the first step is yet to allocate.
function step_memory.state_to_come(session)
  local numbers = 0
  for i, part in ipairs(session.trained) do
    for _, group in ipairs(part.optimiser and {} or session.groups[i]) do
      for _, piece in ipairs(group.frozen and {} or group.pieces) do
        for _, slot in ipairs(piece.optimiser.slots) do
          if not piece.optimiser.state[slot] then numbers = numbers + (piece.module:flat()):numel() end
        end
      end
    end
  end
  return 4 * numbers
end

-- A forward and a backward pass on `count` images; running moments and gradients are as before.
local function pass(session, count)
  local buffers = {}
  for i, part in ipairs(session.model.modules) do buffers[i] = part.module:flat_buffers():clone() end
  collectgarbage()
  sys.tensor_peak()
  do
    local _ <close> = precision.of_steps(session.config)
    local batch <close> = training_batch(session, core.tensor.arange(count))
    local loss, _, seen = objective.step(session, batch.images, batch.labels,
      { seed = session.seed, step = 0, progress = 1 }, batch.frozen)
    local _ <close> = seen ~= batch.frozen and seen
    loss:backward()
  end
  local most = sys.tensor_peak()
  for i, part in ipairs(session.model.modules) do
    part.module:flat_buffers():copy_(buffers[i])
    part.module:zero_grad()
    buffers[i]:close()
  end
  return most
end

-- Bytes in use at once: {most =, head =, kept = and peak = of each block}. head: while no block's backward
-- pass is under way.
local function measure(session, count)
  local backbone = session.model.backbone
  backbone:recompute(backbone.units)
  local most = pass(session, count)
  local of = { most = most, head = most, kept = {}, peak = {} }
  for i, bytes in ipairs(backbone:unit_bytes()) do
    of.kept[i], of.peak[i] = bytes.kept, bytes.peak
    if bytes.before > 0 then of.head = bytes.before end -- the last block is visited first
  end
  return of
end

local function along(a, b, share)
  if type(a) == "number" then return b + (b - a) * share end
  local out = {}
  for key, value in pairs(a) do out[key] = along(value, b[key], share) end
  return out
end

-- The bytes for `count` images, on the line through the measurements a and b, {count, of}.
local function extrapolated(a, b, count)
  return along(a.of, b.of, (count - b.count) / (b.count - a.count))
end

-- Bytes of a step that recomputes the first n blocks. A kept block's intermediates are in use from its
-- forward pass on: during the rest of it, and during the backward passes of the later blocks.
local function needed(of, n)
  local kept, most = 0, of.most
  for i = n + 1, #of.peak do
    most = math.max(most, of.peak[i] + kept)
    kept = kept + of.kept[i]
  end
  return math.max(most, of.head + kept)
end

local function measure_up_to(session, batch, limit)
  local before, last
  local count = math.min(2, batch)
  while true do
    before, last = last, { count = count, of = measure(session, count) }
    if count == batch then return last.of end
    if last.of.most > math.max(limit, SMALL) then
      return before and extrapolated(before, last, batch) or last.of
    end
    count = math.min(2 * count, batch)
  end
end

-- ── expecting and choosing ──────────────────────────────────────────────────────────────
-- → needs(n), the bytes of a step that recomputes the first n blocks; how many blocks there are; the
-- images of a step. nil if the stage does not train a backbone. If blocks are unfrozen during the stage, the
-- bytes are those of its last epoch. limit [opt]: bytes; the measurement takes at most twice that or twice
-- SMALL.
function step_memory.expect(session, limit)
  local backbone = session.model.backbone
  if session.stage ~= "joint" and session.stage ~= "prior" or not backbone.units then return nil end
  local batch, epoch = math.min(session.config.train.batch, session.dataset:n "train"), session.epoch
  session.epoch = session.first_epoch + session.stage_epochs - 1
  parameter_groups.follow(session)
  session.model:train(true)
  local state = step_memory.state_to_come(session)
  local of = measure_up_to(session, batch, (limit or math.huge) - state)
  session.epoch = epoch
  parameter_groups.follow(session)
  backbone:recompute(0)
  return function(n) return math.ceil(needed(of, n)) + state end, backbone.units, batch
end

local function refuse(session, least, batch)
  local dataset = session.dataset
  error(("option train.memory is %s, but a training step on %d images of %d×%d needs about %s with every "
    .. "block of the backbone recomputed: lower train.batch or data.size, or give more"):format(
    session.config.train.memory, batch, dataset.height, dataset.width, byte_size.text(least)), 0)
end

-- Sets how many blocks are recomputed → {need = bytes, recomputed =, blocks =}; nil without train.memory, or
-- if the stage does not train a backbone. Raises if no choice fits.
function step_memory.choose(session)
  local limit = session.config.train.memory and byte_size.read(session.config.train.memory)
  local needs, blocks, batch
  if limit then needs, blocks, batch = step_memory.expect(session, limit) end
  if not needs then return nil end
  for n = 0, blocks do
    if needs(n) <= limit then
      session.model.backbone:recompute(n)
      return { need = needs(n), recomputed = n, blocks = blocks }
    end
  end
  refuse(session, needs(blocks), batch)
end

-- What choose() returned, for a log or a table.
function step_memory.text(chosen)
  return ("a step needs about %s; %s of the backbone's %d blocks recomputed"):format(
    byte_size.text(chosen.need), chosen.recomputed == 0 and "none" or chosen.recomputed, chosen.blocks)
end

function step_memory.fit(session)
  local chosen = step_memory.choose(session)
  if chosen then
    session.record:log("info", ("train.memory = %s: %s"):format(session.config.train.memory,
      step_memory.text(chosen)))
  end
end

-- ── resuming ────────────────────────────────────────────────────────────────────────────
-- The configuration of a stored run with the budget that its environment records: the configuration itself
-- has none (recipe/identity.lua). A text that is not a size counts as absent.
function step_memory.with_recorded(config, env)
  local memory = env and env.memory
  if type(memory) == "string" and byte_size.read(memory) and type(config.train) == "table" then
    config.train.memory = memory
  end
  return config
end

return step_memory
