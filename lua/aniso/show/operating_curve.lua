-- Operating curves of a study's groups: tail recall against head recall as the stored test predictions are
-- tilted (stats/operating.lua). Seeds are averaged at equal head recall.
--   operating_curve.of_groups(db, groups) → list of {group, curves, band}
--   operating_curve.figure(title, list) → a figure of show/plot      operating_curve.rows(list, format)
local cells = require "aniso.show.compare_cells"
local derived = require "aniso.stats.derived"
local groups_of = require "aniso.stats.groups"
local member_predictions = require "aniso.store.member_predictions"
local operating = require "aniso.stats.operating"
local tables = require "aniso.show.table"

local operating_curve = {}

-- Head recalls of the band, and of the table.
local STEP, SHOWN = 0.01, { 0.95, 0.9, 0.85, 0.8 }
local LEAST = 0.5 -- below this, no classifier is useful

-- The head recalls from LEAST on that all curves reach.
local function common_heads(list)
  local low, high, out = LEAST, 1, {}
  for _, one in ipairs(list) do
    for _, curve in ipairs(one.curves) do
      local least, most = math.huge, -math.huge
      for _, head in ipairs(curve.many) do least, most = math.min(least, head), math.max(most, head) end
      low, high = math.max(low, least), math.min(high, most)
    end
  end
  for i = math.ceil(low / STEP), math.floor(high / STEP) do out[#out + 1] = i * STEP end
  return out
end

-- Groups without stored predictions, and groups without a head or a tail, are left out. curve_of [opt]:
-- member → its curve, if it is already computed.
function operating_curve.of_groups(db, groups, curve_of)
  curve_of = curve_of or function(member) return member_predictions.operating_curve(db, member) end
  local out = {}
  for _, group in ipairs(groups) do
    local curves = {}
    for _, member in ipairs(group.members) do curves[#curves + 1] = curve_of(member) end
    if #curves > 0 then out[#out + 1] = { group = group, curves = curves } end
  end
  local heads = common_heads(out)
  for _, one in ipairs(out) do one.band = operating.band(one.curves, heads) end
  return out
end

-- The untilted point of each seed: {{head, tail}, …}.
function operating_curve.untilted(one)
  local out = {}
  for i, member in ipairs(one.group.members) do
    out[i] = { member.metrics.many or 0 / 0, member.metrics.few or 0 / 0 }
  end
  return out
end

function operating_curve.figure(study, list)
  local series = {}
  for i, one in ipairs(list) do
    local low, high, mean = {}, {}, {}
    for k, value in ipairs(one.band.mean) do
      local sd = one.band.sd[k]
      mean[k] = value or 0 / 0
      local bar = value and sd and k % 5 == 1 -- every fifth point only, so that the bars do not overlap
      low[k], high[k] = bar and math.max(0, value - sd), bar and value + sd
    end
    series[i] = { label = one.group.label, x = one.band.head, y = mean, low = low, high = high,
      dots = operating_curve.untilted(one) }
  end
  local title = "%s: tail against head recall over the tilt, mean ± sd over seeds; dots: untilted"
  return { title = title:format(study), x = "head recall", y = "tail recall", series = series }
end

-- For people the tail recall of each configuration at some head recalls, and at head recall 0.90 on
-- validation; for programs every point of the bands. → columns, rows, format
function operating_curve.rows(list, format)
  local columns, rows = { "label", "seeds" }, {}
  if tables.is_for_programs(format) then
    columns = { "label", "seeds", "head", "tail", "tail_sd" }
    for _, one in ipairs(list) do
      for k, h in ipairs(one.band.head) do
        local mean, sd = one.band.mean[k] or nil, one.band.sd[k] or nil
        rows[#rows + 1] = { one.group.label, one.band.n[k], h, mean, sd }
      end
    end
    return columns, rows, format
  end
  for i, one in ipairs(list) do
    local at = operating.band(one.curves, SHOWN)
    rows[i] = { one.group.label, #one.curves }
    for k, h in ipairs(SHOWN) do
      columns[2 + k] = ("at head %.2f"):format(h)
      rows[i][2 + k] = cells.mean { mean = at.mean[k] or nil, sd = at.sd[k] or nil }
    end
    columns[3 + #SHOWN] = derived.TAIL
    rows[i][3 + #SHOWN] = cells.mean(groups_of.of(one.group, derived.TAIL))
  end
  return columns, rows, format
end

return operating_curve
