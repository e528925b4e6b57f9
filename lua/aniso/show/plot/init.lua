-- Lines, with optional error bars, on a terminal or as SVG: plot.draw(figures, target).
-- A figure is { title =, x = "t", y = "signal", series = { {label =, x = {…}, y = {…}} … },
-- marks = { {x =, y =, label =} … } }. A series may have error = {…} or low = {…} and
-- high = {…}, where false draws no bar; dots = { {x, y} … } are drawn next to the line. A value that is not
-- finite interrupts its line. With log_x = true in the figure, the x axis is logarithmic and x must be above
-- 0. target: the options of plot.target. The same figure gives the same text on every machine.
local core = require "aniso.core"
local options = require "aniso.recipe.options"
local output_file = require "aniso.show.output_file"

local plot = {}

local size = options.optional(options.integer { min = 8, max = 4000 })

-- width, height: characters and rows of a canvas on a terminal, pixels in a file.
plot.target = {
  file = options.optional "string", force = options.optional "boolean", width = size, height = size,
  ascii = options.optional "boolean", colour = options.optional "boolean",
}

-- The options of a function that draws: its own and those of plot.target.
function plot.options(own)
  for key, rule in pairs(plot.target) do own[key] = rule end
  return own
end

-- ── figures ─────────────────────────────────────────────────────────────────────────────
local function numbers(value, length, where)
  if type(value) == "userdata" then value = value:list() end
  if type(value) ~= "table" or length and #value ~= length then
    error(("plot: %s must be a list of %snumbers"):format(where, length and length .. " " or ""), 3)
  end
  return value
end

local function finite(value)
  return type(value) == "number" and value == value and math.abs(value) < math.huge and value + 0.0
end

local function checked_series(given, i)
  local where = ("series[%d]"):format(i)
  local x = numbers(given.x, nil, where .. ".x")
  local y = numbers(given.y, #x, where .. ".y")
  local low, high = given.low, given.high
  local out = { label = given.label and core.sys.visible(given.label), style = given.style or i,
    x = {}, y = {}, low = {}, high = {}, dots = {} }
  local bars = given.error and numbers(given.error, #x, where .. ".error")
  if low or high then
    low, high = numbers(low, #x, where .. ".low"), numbers(high, #x, where .. ".high")
  end
  for k = 1, #x do
    out.x[k] = finite(x[k]) or error(("plot: %s.x[%d] is not finite"):format(where, k), 3)
    out.y[k] = finite(y[k])
    local half = bars and bars[k]
    out.low[k] = out.y[k] and (half and finite(y[k] - half) or low and finite(low[k]))
    out.high[k] = out.low[k] and (half and finite(y[k] + half) or high and finite(high[k]))
    out.low[k] = out.high[k] and out.low[k] or false
  end
  for k, dot in ipairs(given.dots or {}) do
    local dot_x, dot_y = finite(dot[1]), finite(dot[2])
    if not (dot_x and dot_y) then error(("plot: %s.dots[%d] is not finite"):format(where, k), 3) end
    out.dots[k] = { x = dot_x, y = dot_y }
  end
  return out
end

-- A complete copy of a figure with its limits left, right, bottom, top; raises on a mistake.
function plot.figure(given)
  if type(given) ~= "table" or type(given.series) ~= "table" or #given.series == 0 then
    error("plot: a figure needs series = { {x = {…}, y = {…}} … }", 2)
  end
  local visible = core.sys.visible -- labels and classes come from outside
  local out = { title = visible(given.title or ""), x = visible(given.x or "x"),
    y = given.y and visible(given.y), series = {}, marks = {}, left = math.huge, right = -math.huge,
    bottom = math.huge, top = -math.huge }
  for i, mark in ipairs(given.marks or {}) do
    out.marks[i] = { x = mark.x, y = mark.y, label = mark.label and visible(mark.label) }
  end
  local function include(x, y)
    out.left, out.right = math.min(out.left, x), math.max(out.right, x)
    if y then out.bottom, out.top = math.min(out.bottom, y), math.max(out.top, y) end
  end
  for i, one in ipairs(given.series) do
    local series = checked_series(one, i)
    out.series[i] = series
    for k, x in ipairs(series.x) do
      include(x, series.y[k])
      if series.low[k] then
        include(x, series.low[k])
        include(x, series.high[k])
      end
    end
    for _, dot in ipairs(series.dots) do include(dot.x, dot.y) end
  end
  for _, mark in ipairs(out.marks) do include(mark.x, mark.y) end
  out.log_x = given.log_x
  if out.log_x and out.left <= 0 then error("plot: log_x needs every x above 0", 2) end
  if out.bottom > out.top then error("plot: there is no finite point to draw", 2) end
  return out
end

-- One figure or a list of them → a list, checked.
local function checked(figures)
  local out = {}
  for i, figure in ipairs(figures[1] and figures or { figures }) do out[i] = plot.figure(figure) end
  return out
end

-- ── drawing ─────────────────────────────────────────────────────────────────────────────
local function is_utf8_locale()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = core.sys.variable(name)
    if value then return value:lower():find "utf%-?8" ~= nil end
  end
  return false
end

-- The text for a terminal. Colours only if standard output is one and NO_COLOR is not set.
function plot.terminal(figures, target)
  target = target or {}
  local list, out = checked(figures), {}
  local screen = { width = target.width or math.min(core.sys.width() or 80, 100),
    height = target.height or #list > 1 and 9 or 14, ascii = target.ascii, colour = target.colour }
  if screen.ascii == nil then screen.ascii = not is_utf8_locale() end
  if screen.colour == nil then
    screen.colour = core.sys.isatty "stdout" and not core.sys.variable "NO_COLOR"
  end
  for i, figure in ipairs(list) do out[i] = require("aniso.show.plot.terminal").text(figure, screen) end
  return table.concat(out, "\n\n")
end

-- The text of an SVG file: the figures one below the other.
function plot.svg(figures, target)
  return require("aniso.show.plot.svg").text(checked(figures), target or {})
end

-- Like draw(), for a target that is already checked.
function plot.show(figures, target)
  if not target.file then
    io.stdout:write(plot.terminal(figures, target), "\n")
    return
  end
  if not output_file.is_named(target.file, "%.svg$") then
    error(("plot: file = %q: only SVG is written, to a name that ends in .svg"):format(target.file), 0)
  end
  local ok, why, code = output_file.write(target.file, "SVG figure", plot.svg(figures, target), target.force)
  if not ok then return nil, why, code end
  return target.file
end

-- Draws on standard output; with target.file it writes that SVG file and returns its name, or
-- nil, message, code.
function plot.draw(figures, target)
  return plot.show(figures, options.check(target, plot.target, "plot"))
end

-- A value that prints as figures at the prompt and offers r:plot{…}.
function plot.result(fields, figures)
  return setmetatable(fields, {
    __name = "aniso.Result",
    __tostring = function() return plot.terminal(figures) end,
    __index = { plot = function(_, target) return plot.draw(figures, target) end },
  })
end

return plot
