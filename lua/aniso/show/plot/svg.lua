-- Figures (plot/init.lua) as one self-contained SVG file: light or dark by the reader's setting, the
-- colours of palette.lua with a dash pattern each, <title>, and <desc> with the numbers for screen
-- readers. target: {width =, height =} in pixels.
local axis = require "aniso.show.plot.axis"
local escape = require "aniso.show.escape"
local palette = require "aniso.show.plot.palette"
local width_of = require("aniso.show.table").width

local svg = {}

local LEFT, RIGHT, TOP, BOTTOM = 66, 20, 44, 46 -- margins of a figure, without its legend
local LETTER, LINE = 6.6, 20                    -- for the legend's text
local DESCRIBED = 11                                 -- points of a line listed in <desc>

local style = [[
.an-paper{fill:#fff}.an-text{fill:#222;font:12px system-ui,sans-serif}
.an-title{font-size:15px;font-weight:600}.an-axis{stroke:#222;fill:none}.an-grid{stroke:#e4e4e4;fill:none}
.an-line{fill:none;stroke-width:2;stroke-linejoin:round}.an-bar{fill:none;stroke-width:1.2}
.an-mark{fill:#222;stroke:#fff}
]]

local night = ".an-paper{fill:#16181c}.an-text{fill:#ddd}.an-axis{stroke:#ddd}.an-grid{stroke:#33373d}"
  .. ".an-mark{fill:#ddd;stroke:#16181c}"

local function sheet()
  local light, dark = { style }, { "@media(prefers-color-scheme:dark){", night }
  for i, s in ipairs(palette.series) do
    light[#light + 1] = (".an-s%d{stroke:%s%s}"):format(i, s[1], s[3] and ";stroke-dasharray:" .. s[3] or "")
    dark[#dark + 1] = (".an-s%d{stroke:%s}"):format(i, s[2])
  end
  return table.concat(light) .. "\n" .. table.concat(dark) .. "}"
end

local function pixel(value)
  return (("%.1f"):format(value):gsub("%.0$", ""):gsub("^%-0$", "0"))
end

local function class_of(series)
  return "an-s" .. (series.style - 1) % #palette.series + 1
end

-- ── words ───────────────────────────────────────────────────────────────────────────────
local function short(value)
  return value and ("%.4g"):format(value) or "n/a"
end

-- "t 0: 1; t 250: 0.85 (0.7 to 1)": at most DESCRIBED points, including the first and the last.
local function points_of(series, name)
  local out, count = {}, #series.x
  local rows = math.min(count, DESCRIBED)
  for i = 0, rows - 1 do
    local k = rows == 1 and 1 or 1 + math.floor(i * (count - 1) / (rows - 1) + 0.5)
    local bar = series.low[k] and (" (%s to %s)"):format(short(series.low[k]), short(series.high[k])) or ""
    out[#out + 1] = ("%s %s: %s%s"):format(name, short(series.x[k]), short(series.y[k]), bar)
  end
  return table.concat(out, "; ")
end

local function description(figures)
  local out = {}
  for _, figure in ipairs(figures) do
    out[#out + 1] = ("%s. %s against %s."):format(figure.title, figure.y or "Values", figure.x)
    for _, series in ipairs(figure.series) do
      out[#out + 1] = ("%s: %s"):format(series.label or "line", points_of(series, figure.x))
    end
    for _, mark in ipairs(figure.marks) do
      out[#out + 1] = ("Marked: %s, at %s %s: %s"):format(mark.label, figure.x, short(mark.x), short(mark.y))
    end
  end
  return escape(table.concat(out, "\n"))
end

-- ── one figure ──────────────────────────────────────────────────────────────────────────
local function texts(add)
  return function(x, y, text, more)
    add('<text class="an-text%s" x="%s" y="%s"%s>%s</text>', more and more.class or "", pixel(x), pixel(y),
      more and more.attributes or "", escape(text))
  end
end

local function draw_axes(add, figure, box, xs, ys)
  local text = texts(add)
  for _, tick in ipairs(ys.ticks) do
    local _, y = box.place(xs.from, tick.at)
    add('<path class="an-grid" d="M%s %sH%s"/>', pixel(box.left), pixel(y), pixel(box.right))
    text(box.left - 8, y + 4, tick.label, { attributes = ' text-anchor="end"' })
  end
  for _, tick in ipairs(xs.ticks) do
    local x = box.place(tick.at, ys.from)
    add('<path class="an-axis" d="M%s %sv5"/>', pixel(x), pixel(box.bottom))
    text(x, box.bottom + 18, tick.label, { attributes = ' text-anchor="middle"' })
  end
  add('<path class="an-axis" d="M%s %sV%sH%s"/>', pixel(box.left), pixel(box.top), pixel(box.bottom),
    pixel(box.right))
  text((box.left + box.right) / 2, box.bottom + 36, figure.x, { attributes = ' text-anchor="middle"' })
  text(box.left - LEFT + 14, 24, figure.title, { class = " an-title" })
  if figure.y then
    local middle = pixel((box.top + box.bottom) / 2)
    text(14, (box.top + box.bottom) / 2, figure.y,
      { attributes = (' text-anchor="middle" transform="rotate(-90 14 %s)"'):format(middle) })
  end
end

local function draw_series(add, series, place)
  local path, bars, pen = {}, {}, "M"
  for k, x in ipairs(series.x) do
    if series.y[k] then
      local px, py = place(x, series.y[k])
      path[#path + 1] = ("%s%s %s"):format(pen, pixel(px), pixel(py))
      pen = "L"
    else
      pen = "M"
    end
    if series.low[k] then
      local px, low = place(x, series.low[k])
      local _, high = place(x, series.high[k])
      bars[#bars + 1] = ("M%s %sV%sm-3 0h6M%s %sh6"):format(pixel(px), pixel(low), pixel(high),
        pixel(px - 3), pixel(low))
    end
  end
  if #bars > 0 then
    add('<path class="an-bar %s" style="stroke-dasharray:none" d="%s"/>', class_of(series),
      table.concat(bars))
  end
  add('<path class="an-line %s" d="%s"/>', class_of(series), table.concat(path))
  for _, dot in ipairs(series.dots) do
    local px, py = place(dot.x, dot.y)
    add('<circle class="an-bar %s" style="stroke-dasharray:none" cx="%s" cy="%s" r="3"/>', class_of(series),
      pixel(px), pixel(py))
  end
end

-- Rows of entries, as many side by side as fit: {{label =, series =}, …}, columns, rows.
local function legend_of(figure, width)
  local entries, widest = {}, 0
  local function put(label, series)
    widest = math.max(widest, width_of(label))
    entries[#entries + 1] = { label = label, series = series }
  end
  for _, series in ipairs(figure.series) do
    if series.label then put(series.label, series) end
  end
  for _, mark in ipairs(figure.marks) do put(mark.label) end
  local cell = widest * LETTER + 52
  local columns = math.max(1, math.floor(width / cell))
  return { entries = entries, cell = cell, columns = columns, rows = -(-#entries // columns) }
end

local function draw_legend(add, legend, left, top)
  for i, entry in ipairs(legend.entries) do
    local x = left + (i - 1) % legend.columns * legend.cell
    local y = top + (i - 1) // legend.columns * LINE
    if entry.series then
      add('<path class="an-line %s" d="M%s %sh28"/>', class_of(entry.series), pixel(x), pixel(y))
    else
      add('<circle class="an-mark" cx="%s" cy="%s" r="5"/>', pixel(x + 14), pixel(y))
    end
    texts(add)(x + 36, y + 4, entry.label)
  end
end

local function draw_figure(add, figure, width, height)
  local legend = legend_of(figure, width - LEFT - RIGHT)
  local box = { left = LEFT, right = width - RIGHT, top = TOP,
    bottom = math.max(TOP + 40, height - BOTTOM - legend.rows * LINE) }
  local ys = axis.new(figure.bottom, figure.top, math.max(2, (box.bottom - box.top) // 35), true)
  local xs = axis.across(figure, math.max(2, (box.right - box.left) // 80))
  function box.place(x, y)
    return box.left + axis.share(xs, x) * (box.right - box.left),
      box.bottom - axis.share(ys, y) * (box.bottom - box.top)
  end
  draw_axes(add, figure, box, xs, ys)
  for _, series in ipairs(figure.series) do draw_series(add, series, box.place) end
  for _, mark in ipairs(figure.marks) do
    local x, y = box.place(mark.x, mark.y)
    add('<circle class="an-mark" cx="%s" cy="%s" r="5"/>', pixel(x), pixel(y))
  end
  draw_legend(add, legend, LEFT, box.bottom + BOTTOM + 6)
end

-- The whole file.
function svg.text(figures, target)
  local width, height = target.width or 720, target.height or #figures * (#figures > 1 and 320 or 420)
  local lines, titles = {}, {}
  local function add(format, ...) lines[#lines + 1] = format:format(...) end
  for i, figure in ipairs(figures) do titles[i] = figure.title end
  add('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">',
    width, height, width, height)
  add("<title>%s</title>", escape(table.concat(titles, "; ")))
  add("<desc>%s</desc>", description(figures))
  add("<style>%s</style>", sheet())
  add('<rect class="an-paper" width="%d" height="%d"/>', width, height)
  for i, figure in ipairs(figures) do
    add('<g transform="translate(0 %s)">', pixel((i - 1) * height / #figures))
    draw_figure(add, figure, width, height / #figures)
    add "</g>"
  end
  add "</svg>"
  return table.concat(lines, "\n") .. "\n"
end

return svg
