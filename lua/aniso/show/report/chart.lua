-- A drawing of the report: an SVG inside the page, with <title> and <desc>, whose colours are
-- the names in style.lua.
--   local c = chart.new { id = "curve", title = "…", desc = "…", height = 380,
--     x = scale.linear(0, 1, 5), y = scale.linear(0.2, 0.7, 5, true), x_name = "γ", y_name = "recall" }
--   c:axes()   c:group(1)   c:line(points)   c:mark(x, y, "seed 0: 0.61")   c:close()   c:text_of()
-- Positions are in axis units unless stated in pixels. Texts are escaped when they are drawn.
local escape = require "aniso.show.escape"
local palette = require "aniso.show.plot.palette"
local width_of = require("aniso.show.table").width

local chart = {}
chart.__index = chart

-- In the 305 pixels of a phone with a scroll bar, a figure of this width has letters of 9 pixels. On a
-- desktop style.lua enlarges such a figure.
local WIDTH = 450
local LETTER, LINE = 8.2, 20 -- pixels, for text in the style of style.lua

-- The text, cut to at most `letters` letters.
function chart.fit(text, letters)
  text = tostring(text)
  if width_of(text) <= letters then return text end
  local cut = utf8.len(text) and utf8.offset(text, letters) or letters
  return text:sub(1, cut - 1) .. "…"
end

-- The width of the longest text, in pixels.
function chart.room(texts)
  local widest = 0
  for _, text in ipairs(texts) do widest = math.max(widest, width_of(text)) end
  return widest * LETTER
end

local SLANT = -45 -- degrees

-- The height of the slanted names below an axis from scale.names().
local function slanted_room(x)
  local labels = {}
  for i, tick in ipairs(x.ticks) do labels[i] = tick.label end
  return chart.room(labels) * 0.62 + 20 -- most letters are narrower than the widest
end

-- ── the sheet ───────────────────────────────────────────────────────────────────────────
-- Without `left`, the left margin fits the labels of y; without `width`, a phone shows the whole figure.
function chart.new(of)
  local self, labels = setmetatable(of, chart), {}
  self.width = of.width or WIDTH
  for i, tick in ipairs(of.y and of.y.ticks or {}) do labels[i] = tick.label end
  self.left = of.left or (of.y_name and 34 or 24) + chart.room(labels)
  self.right, self.top = of.right or 26, of.top or 16
  self.bottom = of.bottom or of.x and of.x.slanted and slanted_room(of.x) or 46
  self.lines = {}
  return self
end

function chart:add(format, ...) self.lines[#self.lines + 1] = format:format(...) end

-- A position as text: one decimal, or none if it is 0. The lines of a page have many thousand positions,
-- most of which recur.
local texts = setmetatable({}, { __index = function(texts, tenths)
  local text = tenths % 10 == 0 and ("%d"):format(tenths // 10) or ("%.1f"):format(tenths / 10)
  if tenths == tenths then texts[tenths] = text end -- NaN cannot be a key
  return text
end })
local function pixel(value) return texts[math.floor(value * 10 + 0.5)] end
chart.pixel = pixel

-- A function that maps axis coordinates to pixels, for many points.
local function placing(self)
  local left, bottom, share_x, share_y = self.left, self.height - self.bottom, self.x.share, self.y.share
  local width, height = self.width - left - self.right, bottom - self.top
  return function(x, y) return left + share_x(x) * width, bottom - share_y(y) * height end
end

-- The position of a point in axis coordinates, in pixels.
function chart:place(x, y) return placing(self)(x, y) end

-- Text at a position in pixels; more: {class =, anchor = "middle" | "end", rotate = degrees}.
function chart:text(px, py, text, more)
  more = more or {}
  self:add('<text x="%s" y="%s"%s%s%s>%s</text>', pixel(px), pixel(py),
    more.class and (' class="%s"'):format(more.class) or "",
    more.anchor and (' text-anchor="%s"'):format(more.anchor) or "",
    more.rotate and (' transform="rotate(%d %s %s)"'):format(more.rotate, pixel(px), pixel(py)) or "",
    escape(text))
end

local function x_axis(self)
  local bottom = self.height - self.bottom
  for _, tick in ipairs(self.x.ticks) do
    local px = self:place(tick.at, 0)
    if not self.x.names then self:add('<path class="axis" d="M%s %sv5"/>', pixel(px), pixel(bottom)) end
    if self.x.slanted then
      self:text(px + 5, bottom + 14, tick.label, { anchor = "end", rotate = SLANT })
    else
      self:text(px, bottom + 18, tick.label, { anchor = "middle" })
    end
  end
  self:add('<path class="axis" d="M%s %sH%s"/>', pixel(self.left), pixel(bottom),
    pixel(self.width - self.right))
  if self.x_name then
    self:text((self.left + self.width - self.right) / 2, bottom + 38, self.x_name,
      { anchor = "middle", class = "soft" })
  end
end

function chart:axes()
  local right = self.width - self.right
  for _, tick in ipairs(self.y.ticks) do
    local _, py = self:place(0, tick.at)
    if not self.y.names then
      self:add('<path class="grid" d="M%s %sH%s"/>', pixel(self.left), pixel(py), pixel(right))
    end
    self:text(self.left - 8, py + 4, tick.label, { anchor = "end" })
  end
  if self.y_name then
    self:text(14, (self.top + self.height - self.bottom) / 2, self.y_name,
      { anchor = "middle", rotate = -90, class = "soft" })
  end
  x_axis(self)
end

-- Vertical lines at the ticks of x, for figures with names on the left.
function chart:columns()
  for _, tick in ipairs(self.x.ticks) do
    local px = self:place(tick.at, 0)
    self:add('<path class="grid" d="M%s %sV%s"/>', pixel(px), pixel(self.top),
      pixel(self.height - self.bottom))
  end
end

-- Elements up to close() have the colour of a series: 1 … 8, or "rest".
function chart:group(style)
  local class = style == "rest" and "rest" or "s" .. (style - 1) % #palette.series + 1
  self:add('<g class="%s">', class)
  self.style = style
end

function chart:close() self:add "</g>" end

-- {{x, y} …}; a point without a y interrupts the line.
function chart:line(points, class)
  local path, pen, n, place, floor = {}, "M", 0, placing(self), math.floor
  for _, point in ipairs(points) do
    local y = point[2]
    if y then
      local px, py = place(point[1], y)
      path[n + 1], path[n + 2] = pen, texts[floor(px * 10 + 0.5)] -- as pixel(), without a call
      path[n + 3], path[n + 4] = " ", texts[floor(py * 10 + 0.5)]
      pen, n = "L", n + 4
    else
      pen = "M"
    end
  end
  if n > 4 then self:add('<path class="%s" d="%s"/>', class or "stroke", table.concat(path)) end
end

-- An error bar from y = low to y = high, shifted by some pixels.
function chart:whisker(x, low, high, shift)
  local px, from = self:place(x, low)
  local _, to = self:place(x, high)
  px = px + (shift or 0)
  self:add('<path class="bar" d="M%s %sV%sm-4 0h8M%s %sh8"/>', pixel(px), pixel(from), pixel(to),
    pixel(px - 4), pixel(from))
end

-- The same from x = low to x = high.
function chart:horizontal_whisker(y, low, high, shift)
  local from, py = self:place(low, y)
  local to = self:place(high, y)
  py = py + (shift or 0)
  self:add('<path class="bar" d="M%s %sH%sm0 -4v8M%s %sv8"/>', pixel(from), pixel(py), pixel(to),
    pixel(from), pixel(py - 4))
end

-- A small open circle: one seed. name: its tooltip.
function chart:dot(x, y, name, dx, dy)
  local px, py = self:place(x, y)
  self:add('<circle class="dot" cx="%s" cy="%s" r="3"><title>%s</title></circle>', pixel(px + (dx or 0)),
    pixel(py + (dy or 0)), escape(name))
end

-- The shapes that distinguish the series without colours, around 0, 0.
local shapes = { "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z", "M-4.6-4.6h9.2v9.2h-9.2z", "M0-5.8L5.4 4.2h-10.8z",
  "M0-6L6 0L0 6L-6 0z", "M0 5.8L5.4-4.2h-10.8z",
  "M-2-5.5h4v3.5h3.5v4h-3.5v3.5h-4v-3.5h-3.5v-4h3.5z",
  "M0-6L5.7-1.9L3.5 4.9h-7L-5.7-1.9z", "M-2.6-5.5h5.2v11h-5.2z" }

-- The mark of the group's series, at a position in pixels.
function chart:shape(px, py, name)
  local path = shapes[self.style == "rest" and 1 or (self.style - 1) % #shapes + 1]
  self:add('<path class="mark" transform="translate(%s %s)" d="%s">%s</path>', pixel(px), pixel(py), path,
    name and "<title>" .. escape(name) .. "</title>" or "")
end

function chart:mark(x, y, name, dx, dy)
  local px, py = self:place(x, y)
  self:shape(px + (dx or 0), py + (dy or 0), name)
end

-- {{label =, style =, line = true} …} in rows below the figure, whose height grows by them.
function chart:legend(entries)
  local labels = {}
  for i, entry in ipairs(entries) do labels[i] = entry.label end
  local cell = chart.room(labels) + 66
  local columns = math.max(1, math.floor((self.width - self.left) / cell))
  local top = self.height + 6
  for i, entry in ipairs(entries) do
    local px, py = self.left + (i - 1) % columns * cell, top + (i - 1) // columns * LINE
    self:group(entry.style)
    if entry.line then self:add('<path class="%s" d="M%s %sh30"/>', entry.line, pixel(px), pixel(py)) end
    if not entry.bare then self:shape(px + 15, py) end
    self:close()
    self:text(px + 38, py + 4, entry.label)
  end
  self.height = top + math.ceil(#entries / columns) * LINE - 6
end

function chart:text_of()
  return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" '
    .. 'aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>\n%s\n</svg>'):format(
    pixel(self.width), pixel(self.height), pixel(self.width), pixel(self.height), self.id, self.id, self.id,
    escape(self.title), self.id, escape(self.desc), table.concat(self.lines, "\n"))
end

return chart
