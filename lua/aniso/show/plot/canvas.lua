-- A drawing area of character cells: 2×4 braille dots per cell, or one letter per cell in
-- ASCII. Dots count from the top left, from 0; each has the style it was last drawn in.
-- Letters are drawn over the dots.
local canvas = {}
canvas.__index = canvas

local braille = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } }

-- columns, rows in cells. ascii: each dot is drawn as the character given.
function canvas.new(columns, rows, ascii)
  return setmetatable({
    columns = columns, rows = rows, ascii = ascii,
    across = columns * (ascii and 1 or 2), down = rows * (ascii and 1 or 4),
    bits = {}, styles = {}, letters = {}, shared = {},
  }, canvas)
end

-- The cell of a dot, nil outside the canvas.
function canvas:cell(x, y)
  if x < 0 or y < 0 or x >= self.across or y >= self.down then return nil end
  if self.ascii then return y * self.columns + x end
  return y // 4 * self.columns + x // 2
end

function canvas:dot(x, y, style, char)
  local cell = self:cell(x, y)
  if not cell then return end
  if self.styles[cell] and self.styles[cell] ~= style then self.shared[cell] = true end
  self.styles[cell] = style
  if self.ascii then
    self.bits[cell] = char
  else
    self.bits[cell] = (self.bits[cell] or 0) | braille[y % 4 + 1][x % 2 + 1]
  end
end

-- A straight line from dot to dot; visit(cell) [opt] is called for each cell on the way.
function canvas:line(x0, y0, x1, y1, style, char, visit)
  local steps = math.max(math.abs(x1 - x0), math.abs(y1 - y0), 1)
  for i = 0, steps do
    local x = math.floor(x0 + (x1 - x0) * i / steps + 0.5)
    local y = math.floor(y0 + (y1 - y0) * i / steps + 0.5)
    self:dot(x, y, style, char)
    local cell = visit and self:cell(x, y)
    if cell then visit(cell) end
  end
end

function canvas:letter(cell, char, style)
  self.letters[cell] = char
  self.styles[cell] = style
end

-- The text of a row, counted from 0. paint(char, style) colours; adjacent equal styles share a call.
function canvas:row(row, paint)
  local out, run, of = {}, {}, nil
  local function flush()
    if #run > 0 then out[#out + 1] = paint(table.concat(run), of) end
    run = {}
  end
  for cell = row * self.columns, (row + 1) * self.columns - 1 do
    local bits = self.bits[cell]
    local char = self.letters[cell] or bits and (self.ascii and bits or utf8.char(0x2800 + bits)) or " "
    local style = char ~= " " and self.styles[cell] or nil
    if style ~= of then
      flush()
      of = style
    end
    run[#run + 1] = char
  end
  flush()
  return table.concat(out)
end

return canvas
