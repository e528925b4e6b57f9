-- require "aniso.store.member_metrics" (db, member) → member, with its metrics complete: a name that
-- member.metrics lacks is computed when it is first read. Metrics of stats/derived come from stored
-- predictions. For folds, every metric is that of the pooled predictions; a value that is not a metric, such
-- as τ, is averaged.
local calibration = require "aniso.stats.metric.calibration"
local catalog = require "aniso.stats.metric.catalog"
local confusions = require "aniso.stats.metric.confusion"
local derived = require "aniso.stats.derived"
local members = require "aniso.store.members"
local predictions = require "aniso.store.member_predictions"

-- Mean of a number over the parts, weighted by their images; nil if a part lacks it.
local function weighted(_, member, name)
  local sum, n = 0, 0
  for _, part in ipairs(member.parts) do
    local value = part.metrics[name]
    if not value then return nil end
    sum, n = sum + part.n * value, n + part.n
  end
  return sum / n
end

-- Means over images, so that the mean of folds is that of the pooled images.
local OVER_IMAGES = { nll = true, brier = true, interval_width = true, agreement = true }

local function pooled_value(db, member, name)
  if OVER_IMAGES[name] then return weighted(db, member, name) end
  if name == "ece" then return calibration.ece(members.bins(db, member)) end
  if not member.summary then
    local shot = predictions.source(db, member).shot
    member.summary = confusions.summary(members.confusion(db, member), shot)
  end
  local value = member.summary[name]
  return type(value) == "number" and value or nil
end

local known = {}
for _, entry in ipairs(catalog.metrics) do known[entry.name] = true end

return function(db, member)
  local undefined = {}
  setmetatable(member.metrics, { __index = function(metrics, name)
    if type(name) ~= "string" or undefined[name] then return nil end
    local what, value = derived.parse(name), nil
    if what and what.name ~= name then return metrics[what.name] end
    if what then
      local others
      local packed = (what.target or what.ranked) and "packed"
      value, others = derived.value(what, predictions.source(db, member, packed))
      for other, one in pairs(others or {}) do rawset(metrics, other, one) end
    elseif member.parts then
      value = (known[name] and pooled_value or weighted)(db, member, name)
    end
    if value == nil then undefined[name] = true else rawset(metrics, name, value) end
    return value
  end })
  return member
end
