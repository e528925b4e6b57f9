-- Early stopping (select.patience): a stage ends after that many validations in a row without a better value
-- of select.metric. The count is kept next to the best epoch, so that it is in the checkpoint and a resumed
-- run stops after the same epoch. The first stage of mode "staged", which runs share, takes all its epochs.
local printed = require("aniso.stats.metric.catalog").printed

local early_stop = {}

local function patience_of(session)
  return session.stage ~= "prior" and session.config.select.patience or nil
end

-- Counts a validation. before: session.best before it; value: of select.metric, negated if lower is better.
function early_stop.validated(session, before, value)
  if not patience_of(session) then return end
  local best, is_better = session.best, before.peak == nil or value > before.peak
  best.peak, best.stalled = is_better and value or before.peak, is_better and 0 or (before.stalled or 0) + 1
end

-- Whether the session's stage has ended before its last epoch.
function early_stop.is_over(session)
  local patience = patience_of(session)
  return patience ~= nil and (session.best.stalled or 0) >= patience
end

-- The line that reports it.
function early_stop.line(session)
  return ("stopped after epoch %d of %d: no better %s in %d validation%s"):format(session.epoch,
    session.first_epoch + session.stage_epochs, printed(session.config.select.metric), session.best.stalled,
    session.best.stalled == 1 and "" or "s")
end

return early_stop
