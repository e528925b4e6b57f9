-- Accuracy against cost: a metric of the evaluations of a study (store/groups.lua, of_evaluations()) against
-- network passes or seconds per image, both logarithmic. One line per configuration, sampler and number of
-- draws, over its steps; evaluations without chains, such as the prior's, are level lines against passes.
--   cost_curve.lines(groups, metric, x) → list of {name, points = {{x, moments, group} …}, level}
--   cost_curve.figure(study, lines, x, y) → a figure of show/plot
local stats = require "aniso.stats.groups"

local cost_curve = {}

-- Choices for x: the typed name → the field of a group, the name of the axis.
cost_curve.axes = { passes = { field = "passes", name = "network passes per image" },
  seconds = { field = "image_s", name = "seconds per image" } }

local function count(groups, field)
  local n, seen = 0, {}
  for _, group in ipairs(groups) do
    if not seen[group[field]] then seen[group[field]], n = true, n + 1 end
  end
  return n
end

-- The parts of a line's name that differ between the lines; "ddpm, ddim × 16" with 16 draws.
local function name_of(group, differ)
  local parts = { differ.configuration and group.label or nil }
  local chain = (differ.sampler or group.passes == 0) and group.sampler or nil
  if group.passes > 0 and differ.draws then
    chain = chain and ("%s × %d"):format(chain, group.draws)
      or ("%d draw%s"):format(group.draws, group.draws == 1 and "" or "s")
  end
  parts[#parts + 1] = chain
  if group.passes > 0 and differ.noise then parts[#parts + 1] = ("noise %d"):format(group.noise) end
  return #parts > 0 and table.concat(parts, ", ") or group.label
end

local function chains_of(groups)
  local out = {}
  for _, group in ipairs(groups) do
    if group.passes > 0 then out[#out + 1] = group end
  end
  return out
end

-- Evaluations without the metric or without the cost are left out. x: a value of cost_curve.axes.
function cost_curve.lines(groups, metric, x)
  local chains, differ, out, by_key = chains_of(groups), {}, {}, {}
  for _, field in ipairs { "configuration", "sampler", "draws", "noise" } do
    differ[field] = count(field == "configuration" and groups or chains, field) > 1
  end
  for _, group in ipairs(groups) do
    local moments, at = stats.of(group, metric), group[x.field]
    local level = group.passes == 0
    if moments.mean and (level and x.field == "passes" or at and at > 0) then
      local key = table.concat({ group.configuration, group.sampler, group.draws, group.noise }, "\0")
      local line = by_key[key]
      if not line then
        line = { name = name_of(group, differ), points = {}, level = level and x.field == "passes" }
        by_key[key], out[#out + 1] = line, line
      end
      table.insert(line.points, { x = at, moments = moments, group = group })
    end
  end
  for _, line in ipairs(out) do
    table.sort(line.points, function(a, b) return a.x < b.x end)
  end
  return out
end

-- The lowest and the highest cost of the lines that are not level; nil if all are level.
function cost_curve.limits(lines)
  local low, high = math.huge, -math.huge
  for _, line in ipairs(lines) do
    for _, point in ipairs(not line.level and line.points or {}) do
      low, high = math.min(low, point.x), math.max(high, point.x)
    end
  end
  if low <= high then return low, high end
end

-- study: its name; x: as in lines(); y: the name of the metric.
function cost_curve.figure(study, lines, x, y)
  local low, high = cost_curve.limits(lines)
  local series = {}
  for i, line in ipairs(lines) do
    local one = { label = line.name, x = {}, y = {}, error = {} }
    for _, point in ipairs(line.points) do
      local m = point.moments
      for _, at in ipairs(line.level and { low, high } or { point.x }) do
        one.x[#one.x + 1], one.y[#one.y + 1] = at, m.mean
        one.error[#one.error + 1] = not line.level and m.sd or false
      end
    end
    series[i] = one
  end
  return { title = ("%s: %s against cost, mean ± sd over seeds"):format(study, y), x = x.name, y = y,
    log_x = true, series = series }
end

return cost_curve
