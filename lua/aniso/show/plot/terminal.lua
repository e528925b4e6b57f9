-- A figure (plot/init.lua) as lines of text: braille dots, or ASCII. Every line carries its key
-- letter, so that lines can be distinguished without colours.
-- target: {width = columns in total, height = rows of the canvas, ascii =, colour =}
local axis = require "aniso.show.plot.axis"
local canvas = require "aniso.show.plot.canvas"
local width_of = require("aniso.show.table").width

local terminal = {}

-- The colours closest to Okabe and Ito's in the terminal's palette of 256.
local colours = { 32, 166, 36, 175, 214, 117, 245, 178 }

local plain_letters = {
  ["α"] = "alpha", ["β"] = "beta", ["γ"] = "gamma", ["ε"] = "epsilon", ["η"] = "eta", ["λ"] = "lambda",
  ["π"] = "pi", ["σ"] = "sigma", ["τ"] = "tau", ["²"] = "^2", ["√"] = "sqrt", ["±"] = "+-", ["×"] = "x",
  ["·"] = "*", ["–"] = "-", ["−"] = "-", ["…"] = "...", ["∝"] = "~", ["≤"] = "<=", ["≥"] = ">=",
}

local function plain(text)
  return (text:gsub("[\xC2-\xF4][\x80-\xBF]+", function(c) return plain_letters[c] or "?" end))
end

local function key_of(i)
  return string.char(("a"):byte() + (i - 1) % 26)
end

-- The canvas of a figure, and a function that places a point on it.
local function area(target, xs, ys, columns)
  local ink = canvas.new(columns, target.height, target.ascii)
  local function place(x, y)
    return math.floor(axis.share(xs, x) * (ink.across - 1) + 0.5),
      math.floor((1 - axis.share(ys, y)) * (ink.down - 1) + 0.5)
  end
  return ink, place
end

local function draw_bars(ink, place, series)
  for i, x in ipairs(series.x) do
    if series.low[i] then
      local across, bottom = place(x, series.low[i])
      local _, top = place(x, series.high[i])
      ink:line(across, bottom, across, top, series.style, "|")
    end
  end
end

-- Draws the line; returns its cells from left to right, one per column.
local function draw_line(ink, place, series, char)
  local trace, seen, last_x, last_y = {}, {}, nil, nil
  local function visit(cell)
    local column = cell % ink.columns
    if not seen[column] then
      seen[column] = true
      trace[#trace + 1] = cell
    end
  end
  for i, x in ipairs(series.x) do
    if series.y[i] then
      local px, py = place(x, series.y[i])
      ink:line(last_x or px, last_y or py, px, py, series.style, char, visit)
      last_x, last_y = px, py
    else
      last_x, last_y = nil, nil
    end
  end
  return trace
end

-- Puts a series's key letter on its line at up to three positions, staggered between series.
local function put_keys(ink, trace, series, order, count)
  for third = 0, 2 do
    local target = math.floor((third + (order - 0.5) / count) / 3 * #trace) + 1
    local best, least = nil, math.huge
    for at, cell in ipairs(trace) do
      local away = math.abs(at - target) + (ink.shared[cell] and #trace // 12 or 0)
      if not ink.letters[cell] and away < least then best, least = cell, away end
    end
    if best and least <= #trace // 6 + 1 then ink:letter(best, key_of(series.style), series.style) end
  end
end

local function draw(ink, place, figure, target)
  local traces, several = {}, #figure.series > 1
  for _, series in ipairs(figure.series) do draw_bars(ink, place, series) end
  for i, series in ipairs(figure.series) do
    traces[i] = draw_line(ink, place, series, several and key_of(series.style) or "*")
  end
  if several and not target.ascii then
    for i, series in ipairs(figure.series) do put_keys(ink, traces[i], series, i, #figure.series) end
  end
  for _, series in ipairs(figure.series) do
    for _, dot in ipairs(series.dots) do
      ink:letter(ink:cell(place(dot.x, dot.y)), target.ascii and "o" or "∘", series.style)
    end
  end
  for _, mark in ipairs(figure.marks) do
    ink:letter(ink:cell(place(mark.x, mark.y)), target.ascii and "@" or "●", nil)
  end
end

-- The line of the horizontal axis, and the line of its labels.
local function bottom_lines(xs, place, columns, target)
  local line, labels, free = {}, "", 0
  for column = 1, columns do line[column] = target.ascii and "-" or "─" end
  for _, tick in ipairs(xs.ticks) do
    local column = place(tick.at, 0) // (target.ascii and 1 or 2)
    line[column + 1] = target.ascii and "+" or "┬"
    local start = math.min(math.max(column - #tick.label // 2, 0), columns - #tick.label)
    if start >= free then
      labels = labels .. (" "):rep(start - #labels) .. tick.label
      free = #labels + 1
    end
  end
  return table.concat(line), labels
end

-- Legend entries in as many columns as fit.
local function legend(figure, target, paint)
  local entries, widest = {}, 0
  local function add(key, label, style)
    local text = key and key .. " " .. label or label
    widest = math.max(widest, width_of(text))
    entries[#entries + 1] = { text = text, style = style }
  end
  for _, series in ipairs(figure.series) do
    if series.label then
      add(#figure.series > 1 and key_of(series.style) or nil, series.label, series.style)
    end
  end
  for _, mark in ipairs(figure.marks) do add(target.ascii and "@" or "●", mark.label) end
  local across = math.max(1, (target.width - 2) // (widest + 3))
  local lines = {}
  for first = 1, #entries, across do
    local line = "  "
    for i = first, math.min(first + across - 1, #entries) do
      local entry = entries[i]
      line = line .. paint(entry.text, entry.style) .. (" "):rep(widest + 3 - width_of(entry.text))
    end
    lines[#lines + 1] = line
  end
  return lines
end

local function painter(target)
  return function(text, style)
    if not (target.colour and style) then return text end
    return ("\27[38;5;%dm%s\27[0m"):format(colours[(style - 1) % #colours + 1], text)
  end
end

-- The text of one figure, without a newline at the end.
function terminal.text(figure, target)
  local paint, plain_text = painter(target), target.ascii and plain or function(text) return text end
  local ys = axis.new(figure.bottom, figure.top, math.max(2, (2 * target.height + 2) // 5), true)
  local gutter = 0
  for _, tick in ipairs(ys.ticks) do gutter = math.max(gutter, #tick.label) end
  local name = plain_text(figure.x)
  local columns = math.max(16, target.width - gutter - 3 - width_of(name))
  local xs = axis.across(figure, math.max(2, columns // 12))
  local ink, place = area(target, xs, ys, columns)
  draw(ink, place, figure, target)
  local side = {}
  for _, tick in ipairs(ys.ticks) do
    local _, y = place(xs.from, tick.at)
    side[y // (target.ascii and 1 or 4)] = tick.label
  end
  local lines = { plain_text(figure.title) }
  if figure.y then lines[2] = (" "):rep(gutter) .. " " .. plain_text(figure.y) end
  local tick, bar = target.ascii and " +" or " ┤", target.ascii and " |" or " │"
  for row = 0, target.height - 1 do
    local label = side[row]
    lines[#lines + 1] = (" "):rep(gutter - #(label or "")) .. (label or "") .. (label and tick or bar)
      .. ink:row(row, paint)
  end
  local base, labels = bottom_lines(xs, place, columns, target)
  lines[#lines + 1] = (" "):rep(gutter) .. (target.ascii and " +" or " └") .. base .. " " .. name
  lines[#lines + 1] = (" "):rep(gutter + 2) .. labels
  for _, line in ipairs(legend(figure, target, paint)) do lines[#lines + 1] = plain_text(line) end
  for i, line in ipairs(lines) do lines[i] = line:gsub("%s+$", "") end
  return table.concat(lines, "\n")
end

return terminal
