-- The precision of the weights that a finished run keeps (the option select.precision). The training does not
-- depend on it: best.safetensors is rounded once, after the last epoch and before the final evaluation, which
-- therefore uses the kept weights. Vectors (norms, biases, statistics) stay float32.
--   kept_weights.narrow(session)
local core = require "aniso.core"
local checkpoint = require "aniso.train.checkpoint"

local kept_weights = {}

-- Rounding rounded weights changes nothing, so a run that is resumed here writes the same file.
function kept_weights.narrow(session)
  local precision = session.config.select.precision
  if not precision or precision == "float32" then return end
  local path = checkpoint.path(session, "best")
  local tensors, meta = core.checkpoint.load(path)
  if not tensors then error(meta, 0) end
  meta.precision = precision
  local ok, sha256, bytes = pcall(core.checkpoint.save, path, tensors, meta,
    { previous = false, precision = precision })
  if not ok then
    error(("select.precision = %s: %s; bfloat16 and float32 keep it"):format(precision, sha256), 0)
  end
  if not sha256 then error(bytes, 0) end
  session.record:checkpoint { kind = "best", step = meta.epoch, path = path, sha256 = sha256, bytes = bytes }
end

return kept_weights
