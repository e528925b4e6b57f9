-- Texts in aligned columns, for a file or for a terminal of a given width. A table that is too wide for the
-- terminal is split into blocks, one below the other: each repeats the columns that name a row and holds as
-- many of the others as fit. A text too wide for its column continues on further lines.
local text_width = require "aniso.show.text_width"

local aligned = {}

local width_of = text_width.of
local WIDEST = 200    -- columns of a terminal: a longer cell is cut, except in the last column
local NARROWEST = 20  -- a terminal with fewer columns gets lines of full width
local LEGIBLE = 24    -- the narrowest last column whose text continues on further lines

local function shortened(text)
  if width_of(text) <= WIDEST then return text end
  return text_width.cut(text, WIDEST - 1) .. "…"
end

local function pad(text, width, right)
  local space = (" "):rep(width - width_of(text))
  return right and space .. text or text .. space
end

-- The width of each column; overlong cells are shortened in place.
local function natural_widths(heads, texts)
  local widths = {}
  for j, head in ipairs(heads) do
    local widest = width_of(head)
    for _, row in ipairs(texts) do
      if #row[j] > WIDEST and j < #heads then row[j] = shortened(row[j]) end
      local width = width_of(row[j])
      if width > widest then widest = width end
    end
    widths[j] = math.min(widest, WIDEST)
  end
  return widths
end

local function sum_of(widths, first, last)
  local sum = 0
  for j = first, last do sum = sum + widths[j] + (j > first and 2 or 0) end
  return sum
end

-- Narrows the widest of the first `keys` columns, to no less than 8, until these take half of the room,
-- which is at least 20 · keys − 4 columns.
local function narrow_keys(widths, keys, room)
  while sum_of(widths, 1, keys) > room // 2 do
    local widest = 1
    for j = 2, keys do widest = widths[j] > widths[widest] and j or widest end
    if widths[widest] <= 8 then return end
    widths[widest] = widths[widest] - 1
  end
end

-- The columns of each block, as lists of their numbers; narrows the widths of columns that are too wide.
local function blocks_of(widths, right, room, keys)
  local n = #widths
  if not room or sum_of(widths, 1, n) <= room then
    local all = {}
    for j = 1, n do all[j] = j end
    return { all }
  end
  keys = math.max(1, math.min(keys, (room + 4) // 20))
  if sum_of(widths, 1, keys) + 2 + LEGIBLE > room then narrow_keys(widths, keys, room) end
  local blocks, block, left = {}, nil, 0
  for j = keys + 1, n do
    local continues = j == n and not right[j] and left - 2 >= math.min(LEGIBLE, widths[j])
    if continues then widths[j] = math.min(widths[j], left - 2) end
    if not block or widths[j] + 2 > left then
      block, left = {}, math.max(room - sum_of(widths, 1, keys), 4)
      for k = 1, keys do block[k] = k end
      blocks[#blocks + 1] = block
      widths[j] = math.min(widths[j], left - 2)
    end
    block[#block + 1] = j
    left = left - widths[j] - 2
  end
  return #blocks > 0 and blocks or { { 1 } }
end

-- Appends a line of cells, none of which is wrapped.
local function add_line(out, block, widths, right, cells, is_bold)
  local line = {}
  for i, j in ipairs(block) do
    local text = pad(cells[j], widths[j], right[j])
    line[i] = is_bold and is_bold(j) and "\27[1m" .. text .. "\27[0m" or text
  end
  -- gsub("%s+$") takes quadratic time
  out[#out + 1] = (table.concat(line, "  "):match "^.*%S" or "") .. "\n"
end

-- Appends a row; where `wrap` is set, cells wider than their column continue on further lines.
local function add_row(out, block, widths, right, wrap, cells, is_bold)
  local wrapped, height = {}, 1
  for _, j in ipairs(wrap and block or {}) do
    if width_of(cells[j]) > widths[j] then
      wrapped[j] = text_width.wrap(cells[j], widths[j])
      height = math.max(height, #wrapped[j])
    end
  end
  if not next(wrapped) then return add_line(out, block, widths, right, cells, is_bold) end
  for k = 1, height do
    local parts = {}
    for _, j in ipairs(block) do parts[j] = (wrapped[j] or { cells[j] })[k] or "" end
    add_line(out, block, widths, right, parts, is_bold)
  end
end

-- heads: a list of texts; texts: per row a list of texts, changed in place; right: the right-aligned columns.
-- how: room [opt] = columns of the terminal; keys [opt, 1] = number of columns that name a row, repeated in
-- each block; bold [opt] = function(row, column) → whether that cell is bold.
function aligned.text(heads, texts, right, how)
  for j, head in ipairs(heads) do heads[j] = shortened(head) end
  local widths, out = natural_widths(heads, texts), {}
  local room = how.room and how.room >= NARROWEST and how.room
  local blocks = blocks_of(widths, right, room, math.max(1, math.min(how.keys or 1, #heads - 1)))
  for b, block in ipairs(blocks) do
    if b > 1 then out[#out + 1] = "\n" end
    add_row(out, block, widths, right, room, heads)
    local rules = {}
    for j, width in ipairs(widths) do rules[j] = ("─"):rep(width) end
    add_row(out, block, widths, right, room, rules)
    for i, row in ipairs(texts) do
      add_row(out, block, widths, right, room, row, how.bold and function(j) return how.bold(i, j) end)
    end
  end
  return table.concat(out)
end

return aligned
