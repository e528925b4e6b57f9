-- Risk and coverage of a classifier that may abstain (1705.08500): it labels the share c of the images that
-- it is most confident of, and its risk at the coverage c is the share of wrong labels among these. Images of
-- equal confidence are labelled together: within such a group, errors are spread evenly.
--   local curve = risk.curve { true_idx = …, pred_idx = …, conf = … }
--   risk.at(curve, 0.8)      risk.area(curve)
local risk = {}

-- all: lists of equal length. → {errors = {e_1 … e_n}}, e_k: errors among the k most confident images; nil
-- without images.
function risk.curve(all)
  local order, conf = {}, all.conf
  for i = 1, #conf do order[i] = i end
  if #order == 0 then return nil end
  table.sort(order, function(a, b)
    if conf[a] ~= conf[b] then return conf[a] > conf[b] end
    return a < b
  end)
  local errors, before, first = {}, 0, 1
  while first <= #order do
    local last, wrong = first, 0
    while order[last + 1] and conf[order[last + 1]] == conf[order[first]] do last = last + 1 end
    for k = first, last do
      wrong = wrong + (all.true_idx[order[k]] ~= all.pred_idx[order[k]] and 1 or 0)
    end
    for k = first, last do errors[k] = before + wrong * (k - first + 1) / (last - first + 1) end
    before, first = before + wrong, last + 1
  end
  return { errors = errors }
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
