-- The disk space that a run needs, computed before it is trained.
--   checkpoint_size.of(session) → kept, most    bytes: of the weights that a finished run keeps; of all its
--     checkpoints while it is trained, the best, the last and the previous one
local optim = require "aniso.method.optim"

local checkpoint_size = {}

-- The size of the optimiser's state and the averages of a stage, in numbers.
local function state_of(session, plan)
  local train, out = session.config.train, 0
  local slots = #optim[train.optimiser] { momentum = train.momentum }.slots
  for _, part in ipairs(session.model.modules) do
    if plan.trains[part.name] then
      local averaged = part.module:count() + part.module:flat_buffers():numel()
      out = out + slots * part.module:count() + (train.ema_decay > 0 and averaged or 0)
    end
  end
  return out
end

function checkpoint_size.of(session)
  local weights, narrow, most = 0, 0, 0
  for _, part in ipairs(session.model.modules) do
    for _, tensor in pairs(part.module:state()) do
      weights = weights + tensor:numel()
      narrow = narrow + (#tensor:shape() > 1 and tensor:numel() or 0)
    end
  end
  for _, plan in ipairs(session.plan) do most = math.max(most, state_of(session, plan)) end
  local precision = session.config.select.precision
  local is_narrow = precision ~= nil and precision ~= "float32" -- vectors stay float32
  return 4 * weights - (is_narrow and 2 * narrow or 0), 4 * (3 * weights + 2 * most)
end

return checkpoint_size
