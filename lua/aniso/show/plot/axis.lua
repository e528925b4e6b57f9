-- One axis of a plot: axis.new(low, high, count, wide) → {from, to, ticks = {{at, label} …}}
-- with about `count` ticks at 1, 2, 2.5 or 5 times a power of ten. `wide` moves the ends out
-- to the next ticks; otherwise the axis ends with the data. axis.log(low, high, count) is logarithmic.
local axis = {}

local function round_step(span, count)
  local raw = span / count
  local magnitude = 10.0 ^ math.floor(math.log(raw, 10))
  for _, factor in ipairs { 1, 2, 2.5, 5 } do
    if raw <= factor * magnitude * (1 + 1e-9) then return factor * magnitude end
  end
  return 10 * magnitude
end

-- As many decimals as the step has: 0.25 → 2, 0.5 → 1, 20 → 0.
local function decimals_of(step)
  for decimals = 0, 12 do
    local scaled = step * 10.0 ^ decimals
    if math.abs(scaled - math.floor(scaled + 0.5)) < 1e-6 * scaled then return decimals end
  end
  return 12
end

local function label_of(value, step)
  if math.abs(value) >= 1e6 or step < 1e-6 then return ("%.6g"):format(value) end
  return ("%." .. decimals_of(step) .. "f"):format(value)
end

function axis.new(low, high, count, wide)
  if low == high then
    local margin = low == 0 and 1 or math.abs(low) / 10
    low, high = low - margin, high + margin
  end
  local step = round_step(high - low, math.max(count, 1))
  local first, last = low / step, high / step
  if wide then
    first, last = math.floor(first + 1e-9), math.ceil(last - 1e-9)
    low, high = first * step, last * step
  else
    first, last = math.ceil(first - 1e-9), math.floor(last + 1e-9)
  end
  local ticks = {}
  for i = math.tointeger(first), math.tointeger(last) do
    local at = i * step + 0.0
    ticks[#ticks + 1] = { at = at, label = label_of(at, step) }
  end
  return { from = low, to = high, ticks = ticks }
end

-- The multiples of some factors times powers of ten between two numbers above 0.
local function multiples(low, high, factors)
  local ticks = {}
  for power = math.floor(math.log(low, 10)), math.ceil(math.log(high, 10)) do
    for _, factor in ipairs(factors) do
      local at = factor * 10.0 ^ power
      if at >= low * (1 - 1e-9) and at <= high * (1 + 1e-9) then
        ticks[#ticks + 1] = { at = at, label = ("%.6g"):format(at) }
      end
    end
  end
  return ticks
end

-- The finest list of at most `count` ticks; if even that has fewer than two, ticks at equal differences.
local function log_ticks(low, high, count)
  for _, factors in ipairs { { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 5 }, { 1 } } do
    local ticks = multiples(low, high, factors)
    if #ticks < 2 then break end
    if #ticks <= count then return ticks end
  end
  return high / low < 100 and axis.new(low, high, count).ticks or multiples(low, high, { 1 })
end

-- The same with equal distances for equal ratios; requires low and high above 0.
function axis.log(low, high, count)
  if low == high then low, high = low / 2, high * 2 end
  return { from = low, to = high, log = true, ticks = log_ticks(low, high, count) }
end

-- The position of a value between the ends, as a share of the axis.
function axis.share(of, value)
  if of.log then return math.log(value / of.from) / math.log(of.to / of.from) end
  return (value - of.from) / (of.to - of.from)
end

-- The x axis of a figure (show/plot/init.lua).
function axis.across(figure, count)
  if figure.log_x then return axis.log(figure.left, figure.right, count) end
  return axis.new(figure.left, figure.right, count)
end

return axis
