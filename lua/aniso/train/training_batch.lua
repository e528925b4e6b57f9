-- training_batch(session, positions [, cached]) → the images at `positions` of the training part with their
-- labels and, in a stage behind the frozen net, its output for them; with a feature cache
-- (feature_cache.lua), only labels and output. For a <close> variable.
local objective = require "aniso.method.objective"
local precision = require "aniso.train.precision"

-- Closing a batch frees its images at once: Lua's collector counts megabytes as a few bytes.
local Batch = {}
function Batch:__close()
  if self.images then self.images:close() end
  if self.frozen then self.frozen.features:close() end
end

return function(session, positions, cached)
  if cached then
    local labels, frozen = cached(positions)
    return setmetatable({ labels = labels, frozen = frozen }, Batch)
  end
  local images, labels = session.dataset:batch("train", positions,
    { augment = session.config.train.augment, seed = session.seed, epoch = session.epoch + 1,
      normalise = session.model.normalise })
  local _ <close> = precision.of_steps(session.config)
  local is_frozen = session.stage == "denoiser" or session.stage == "classifier"
  return setmetatable({ images = images, labels = labels,
    frozen = is_frozen and objective.encode_frozen(session, images) or nil }, Batch)
end
