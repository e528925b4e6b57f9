-- The axes of the report's charts: {ticks = {{at, label} …}, share = function(value) → 0 … 1}.
local axis = require "aniso.show.plot.axis"

local scale = {}

-- About `count` ticks at round numbers; `wide` moves the ends out to ticks.
function scale.linear(low, high, count, wide)
  local of = axis.new(low, high, count, wide)
  local from, span = of.from, of.to - of.from
  return { ticks = of.ticks, share = function(value) return (value - from) / span end }
end

-- The same with ticks only at whole numbers.
function scale.whole(low, high, count)
  local out, ticks = scale.linear(low, high, count), {}
  for _, tick in ipairs(out.ticks) do
    local at = math.floor(tick.at + 0.5)
    if math.abs(tick.at - at) < 1e-9 then ticks[#ticks + 1] = { at = at, label = ("%d"):format(at) } end
  end
  out.ticks = ticks
  return out
end

-- Ticks at the values themselves if at most `most` of them are far enough apart.
function scale.points(values, most)
  table.sort(values)
  local low, high, spaced = values[1], values[#values], #values <= most
  local span = math.max(high - low, 1e-9)
  local of = scale.linear(low - span / 25, high + span / 25, 7)
  for i = 2, #values do spaced = spaced and (values[i] - values[i - 1]) / span > 0.045 end
  if not spaced then return of end
  local ticks = {}
  for i, value in ipairs(values) do ticks[i] = { at = value, label = ("%.6g"):format(value) } end
  return { ticks = ticks, share = of.share }
end

-- Ticks at 1, 2 and 5 times a power of ten, with the ends moved out to them; only for numbers above 0.
function scale.log(low, high)
  local ticks = {}
  for power = math.floor(math.log(low, 10)) - 1, math.ceil(math.log(high, 10)) + 1 do
    for _, factor in ipairs { 1, 2, 5 } do
      ticks[#ticks + 1] = { at = factor * 10.0 ^ power, label = ("%.6g"):format(factor * 10.0 ^ power) }
    end
  end
  while #ticks > 2 and ticks[2].at <= low * (1 + 1e-9) do table.remove(ticks, 1) end
  while #ticks > 2 and ticks[#ticks - 1].at >= high * (1 - 1e-9) do table.remove(ticks) end
  local from, to = math.log(ticks[1].at), math.log(ticks[#ticks].at)
  if #ticks > 8 then
    for i = #ticks, 1, -1 do
      if not ticks[i].label:match "^[0.]*1[0e+-]*" then table.remove(ticks, i) end
    end
  end
  return { ticks = ticks, share = function(value) return (math.log(value) - from) / (to - from) end }
end

-- A position for each name, 1 … n, in the middle of its share of the axis.
function scale.names(names)
  local ticks = {}
  for i, name in ipairs(names) do ticks[i] = { at = i, label = name } end
  return { ticks = ticks, names = true, share = function(value) return (value - 0.5) / #names end }
end

return scale
