-- Risk and coverage of a classifier that may abstain (1705.08500): it labels the share c of the images that
-- it is most confident of, and its risk at the coverage c is the share of wrong labels among these. Images of
-- equal confidence are labelled together: within such a group, errors are spread evenly.
--   local curve = risk.curve { true_idx = …, pred_idx = …, conf = … }
--   risk.at(curve, 0.8)      risk.area(curve)
local core = require "aniso.core"

local risk = {}

-- all: lists of equal length. → {errors = {e_1 … e_n}}, e_k: errors among the k most confident images; nil
-- without images.
function risk.curve(all)
  local errors = core.risk.errors(all.true_idx, all.pred_idx, all.conf)
  return #errors > 0 and { errors = errors } or nil
end

-- The risk at a coverage above 0 and at most 1; between whole numbers of images, errors are interpolated.
function risk.at(curve, coverage)
  local errors = curve.errors
  local k = math.max(1, coverage * #errors)
  local low = math.floor(k)
  local e = errors[low] + (k - low) * ((errors[low + 1] or errors[low]) - errors[low])
  return e / k
end

-- The area under the curve (AURC): the mean risk over the coverages 1/n, 2/n … 1. Smaller is better.
function risk.area(curve)
  local sum = 0
  for k, e in ipairs(curve.errors) do sum = sum + e / k end
  return sum / #curve.errors
end

return risk
