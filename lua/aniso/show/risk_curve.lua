-- Risk-coverage curves of a study's groups: the error among the images that the model labels, the most
-- confident first, against the share that it labels (stats/risk.lua). Mean and sd over seeds at equal
-- coverage.
--   risk_curve.of_groups(db, groups) → list of {group, curves, band = {coverage, mean, sd, n}}
--   risk_curve.figure(title, list) → a figure of show/plot      risk_curve.rows(list, format)
local cells = require "aniso.show.compare_cells"
local member_predictions = require "aniso.store.member_predictions"
local risk = require "aniso.stats.risk"
local significance = require "aniso.stats.metric.significance"
local tables = require "aniso.show.table"

local risk_curve = {}

-- Coverages of the curve. Below the first, the risk rests on a few images.
local FIRST, STEP, SHOWN = 0.1, 0.02, { 0.5, 0.8, 0.9, 1 }

-- Moments of f(curve, …) over the curves of the seeds.
local function over_seeds(curves, f, ...)
  local values = {}
  for i, curve in ipairs(curves) do values[i] = f(curve, ...) end
  return significance.mean_sd(values)
end

local function band_of(curves)
  local band = { coverage = {}, mean = {}, sd = {}, n = #curves }
  for i = 1, math.floor((1 - FIRST) / STEP + 1.5) do
    local coverage = FIRST + (i - 1) * STEP
    local moments = over_seeds(curves, risk.at, coverage)
    band.coverage[i], band.mean[i], band.sd[i] = coverage, moments.mean, moments.sd or false
  end
  return band
end

-- Groups without stored predictions are left out. curve_of [opt]: member → its curve, if it is already
-- computed.
function risk_curve.of_groups(db, groups, curve_of)
  curve_of = curve_of or function(member) return member_predictions.risk_curve(db, member) end
  local out = {}
  for _, group in ipairs(groups) do
    local curves = {}
    for _, member in ipairs(group.members) do curves[#curves + 1] = curve_of(member) end
    if #curves > 0 then out[#out + 1] = { group = group, curves = curves, band = band_of(curves) } end
  end
  return out
end

function risk_curve.figure(study, list)
  local series = {}
  for i, one in ipairs(list) do
    local low, high = {}, {}
    for k, mean in ipairs(one.band.mean) do
      local bar = one.band.sd[k] and k % 10 == 0 -- every tenth point only, so that the bars do not overlap
      low[k], high[k] = bar and math.max(0, mean - one.band.sd[k]), bar and mean + one.band.sd[k]
    end
    series[i] = { label = one.group.label, x = one.band.coverage, y = one.band.mean, low = low, high = high }
  end
  return { title = ("%s: error among the labelled images, mean ± sd over seeds"):format(study),
    x = "coverage", y = "risk", series = series }
end

-- For people the risk at some coverages and the area; for programs every point. → columns, rows, format
function risk_curve.rows(list, format)
  local rows = {}
  if tables.is_for_programs(format) then
    for _, one in ipairs(list) do
      for k, coverage in ipairs(one.band.coverage) do
        rows[#rows + 1] = { one.group.label, one.band.n, coverage, one.band.mean[k], one.band.sd[k] or nil }
      end
    end
    return { "label", "seeds", "coverage", "risk", "risk_sd" }, rows, format
  end
  local columns = { "label", "seeds" }
  for i, one in ipairs(list) do
    rows[i] = { one.group.label, #one.curves }
    for k, coverage in ipairs(SHOWN) do
      columns[2 + k] = ("at %.2f"):format(coverage)
      rows[i][2 + k] = cells.mean(over_seeds(one.curves, risk.at, coverage))
    end
    columns[3 + #SHOWN], rows[i][3 + #SHOWN] = "aurc", cells.mean(over_seeds(one.curves, risk.area))
  end
  return columns, rows, format
end

return risk_curve
