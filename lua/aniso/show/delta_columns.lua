-- Columns of a table with the difference Δ of each row to the baseline, paired by seed, with its 95 %
-- interval (stats/paired.lua). The interval is left out if there are too few pairs.
--   delta_columns.add(columns, rows, groups, deltas, style)
-- deltas: {baseline = group, or of = function(group) → the group it is compared with, nil for none,
-- metrics = {{name =, metric =}, …}}; style as in group_rows.lua.
local catalog = require "aniso.stats.metric.catalog"
local paired = require "aniso.stats.paired"

local delta_columns = {}

local BASELINE = { text = "baseline" }

local function text_of(delta, scale, format)
  local function signed(value)
    return (format:format(scale * value):gsub("^[+-](0%.0*)$", "%1"))
  end
  local text = signed(delta.mean)
  if delta.lo then text = ("%s [%s, %s]"):format(text, signed(delta.lo), signed(delta.hi)) end
  return text
end

local function add_one(columns, rows, groups, of, metric, style)
  local scale = catalog.is_share(metric.metric) and style.percent and 100 or 1
  local format, at = scale == 100 and "%+.1f" or "%+.3f", #columns + 1
  local function get(member) return member.metrics[metric.metric] end
  for i, group in ipairs(groups) do
    local baseline = of(group)
    local delta = baseline and group ~= baseline and paired.delta(baseline, group, get) or {}
    if style.programs then
      rows[i][at] = delta.mean and scale * delta.mean
      rows[i][at + 1] = delta.lo and scale * delta.lo
      rows[i][at + 2] = delta.hi and scale * delta.hi
    elseif group == baseline then
      rows[i][at] = BASELINE
    elseif delta.mean then
      rows[i][at] = { text = text_of(delta, scale, format), value = delta.mean }
    end
  end
  if style.programs then
    for k, suffix in ipairs { "", "_lo", "_hi" } do
      columns[at + k - 1] = "delta_" .. metric.name .. suffix
    end
  else
    columns[at] = "Δ " .. catalog.printed(metric.name)
  end
end

function delta_columns.add(columns, rows, groups, deltas, style)
  local of = deltas.of or function() return deltas.baseline end
  for _, metric in ipairs(deltas.metrics) do
    add_one(columns, rows, groups, of, metric, style)
  end
end

return delta_columns
