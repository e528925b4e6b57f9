-- Confusion matrices of a report: the baseline's, the best other one's, and their difference on a
-- diverging map centred at 0. A cell is a share of its true class, over all seeds.
local blocks = require "aniso.show.report.blocks"
local chart = require "aniso.show.report.chart"
local page = require "aniso.show.report.page"
local palette = require "aniso.show.plot.palette"
local MOST_SHOWN = require("aniso.stats.metric.confusion").MOST_SHOWN

local MAX_NAMED = 24 -- classes; above this, cells are too small for names and numbers
local MAX_DRAWN = 140 -- above this, a row is one of BLOCKS blocks of classes
local BLOCKS = 70
local MAX_LISTED = 40  -- confusions listed in the table behind a larger matrix

-- Counts → shares of the rows; false for a class without a test image.
local function shares(matrix)
  local out = {}
  for i, row in ipairs(matrix) do
    local sum = 0
    for _, n in ipairs(row) do sum = sum + n end
    out[i] = {}
    for j, n in ipairs(row) do out[i][j] = sum > 0 and n / sum end
  end
  return out
end

local function minus(a, b)
  local out = {}
  for i, row in ipairs(a) do
    out[i] = {}
    for j, value in ipairs(row) do out[i][j] = value and b[i][j] and value - b[i][j] end
  end
  return out
end

local function largest(matrix)
  local most = 0
  for _, row in ipairs(matrix) do
    for _, value in ipairs(row) do most = math.max(most, math.abs(value or 0)) end
  end
  return most
end

local function names_of(facts, order, letters)
  local out = {}
  for row, j in ipairs(order) do out[row] = chart.fit(facts.split.classes[j].name, letters) end
  return out
end

local function draw_cells(c, facts, order, of, size, named)
  local classes = facts.split.classes
  for row, i in ipairs(order) do
    for column, j in ipairs(order) do
      local value, x, y = of.cells[i][j], c.left + (column - 1) * size, c.top + (row - 1) * size
      if value and (named or value ~= 0) then
        local words = ("%s classified as %s: %s"):format(classes[i].name, classes[j].name, of.describe(value))
        c:add('<rect class="%s" x="%d" y="%d" width="%d" height="%d"><title>%s</title></rect>',
          of.level(value), x, y, size, size, page.escape(words))
        if named and of.text(value) ~= "" then
          c:text(x + size / 2, y + size / 2 + 4, of.text(value), { anchor = "middle", class = "small" })
        end
      end
    end
  end
  c:add('<rect class="frame" x="%d" y="%d" width="%d" height="%d"/>', c.left, c.top, #order * size,
    #order * size)
end

-- Names on the left and below, rotated if they would overlap.
local function draw_names(c, names, size, rotated)
  for k, name in ipairs(names) do
    local middle = (k - 0.5) * size
    c:text(c.left - 8, c.top + middle + 4, name, { anchor = "end" })
    c:text(c.left + middle + (rotated and 4 or 0), c.top + #names * size + (rotated and 12 or 16), name,
      rotated and { anchor = "end", rotate = -50 } or { anchor = "middle" })
  end
end

-- of: {id, title, heading, desc, cells, level(value) → class, text(value), describe(value)}
local function draw(facts, order, of)
  local K, named = #order, #order <= MAX_NAMED
  local size = named and math.max(30, math.min(44, 420 // K)) or math.max(3, 420 // K)
  local names = names_of(facts, order, 13)
  local longest = chart.room(names)
  local rotated = longest > size
  local bottom = not named and 30 or rotated and 26 + 0.8 * longest or 42
  local left = named and 116 or 28
  local c = chart.new { id = of.id, title = of.title, desc = of.desc, width = left + K * size + 12,
    height = 34 + K * size + bottom, left = left, right = 12, top = 34, bottom = bottom }
  c:text(left - (named and 102 or 12), 16, of.heading, { class = "strong" })
  draw_cells(c, facts, order, of, size, named)
  if named then draw_names(c, names, size, rotated) end
  c:text(left + K * size / 2, c.height - 6, "predicted", { anchor = "middle", class = "soft" })
  c:text(14, c.top + K * size / 2, "true", { anchor = "middle", rotate = -90, class = "soft" })
  return c:text_of()
end

-- A zero is blank, so that the other cells stand out.
local function percent(value)
  local n = math.floor(100 * value + 0.5)
  return value == 0 and "" or n == 0 and "<1" or ("%d"):format(n)
end

local function points(value)
  local n = math.floor(100 * math.abs(value) + 0.5)
  return n == 0 and "" or (value > 0 and "+%d" or "−%d"):format(n)
end

local function full_table(facts, order, matrix, caption, shown)
  local columns, rows = { "true \\ predicted" }, {}
  for at, j in ipairs(order) do columns[1 + at] = facts.split.classes[j].name end
  for row, i in ipairs(order) do
    rows[row] = { facts.split.classes[i].name }
    for at, j in ipairs(order) do rows[row][1 + at] = shown(matrix[i][j]) end
  end
  return page.table(caption, columns, rows)
end

-- A share as a cell of a table.
local function in_points(value)
  return page.cell(value and 100 * value, "%+.1f")
end

local function as_it_is(value) return value end

-- The largest cells off the diagonal, for matrices too large to list.
local function short_table(facts, matrix, caption, shown)
  local list, rows = {}, {}
  for i, row in ipairs(matrix) do
    for j, cell in ipairs(row) do
      if cell and cell ~= 0 and i ~= j then list[#list + 1] = { i, j, cell, size = math.abs(cell) } end
    end
  end
  table.sort(list, function(a, b)
    if a.size ~= b.size then return a.size > b.size end
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[2] < b[2]
  end)
  for k = 1, math.min(MAX_LISTED, #list) do
    rows[k] = { facts.split.classes[list[k][1]].name, facts.split.classes[list[k][2]].name,
      shown(list[k][3]) }
  end
  return page.table(("%s: the %d largest off the diagonal"):format(caption, #rows),
    { "true", "predicted", "value" }, rows)
end

local function table_of(facts, order, matrix, caption, shown)
  if #order > MAX_LISTED then return short_table(facts, matrix, caption, shown or as_it_is) end
  return full_table(facts, order, matrix, caption, shown or as_it_is)
end

-- ── the figures ─────────────────────────────────────────────────────────────────────────
-- view: from blocks.lua → drawing, shares of the drawn cells and of the classes, table of a group
local function one(facts, view, group, id)
  local matrix = facts:confusion(group)
  local cells = shares(matrix)
  local shown = view == facts and cells or shares(view:confusion(group))
  local drawing = draw(view, view:order(), { id = id, cells = shown, text = percent,
    title = "Confusion matrix of " .. group.label, heading = chart.fit(group.label, 38),
    desc = "True classes down, predicted ones across, in per cent of the true class.",
    describe = function(value) return ("%.1f %%"):format(100 * value) end,
    level = function(value) return "q" .. palette.level(value) end })
  local caption = ("Confusions of %s, images over all seeds"):format(group.label)
  return drawing, shown, cells, table_of(facts, facts:order(), matrix, caption)
end

-- change: of the drawn cells; of_classes: of the classes
local function difference(facts, view, change, of_classes)
  local most = math.max(largest(change), 0.01)
  local drawing = draw(view, view:order(), { id = "confusion-difference", cells = change, text = points,
    title = ("Difference of %s to %s"):format(facts.other.label, facts.base.label),
    heading = "Difference, percentage points",
    desc = "In percentage points of the true class: orange is more, blue is less.",
    describe = function(value) return ("%+.1f points"):format(100 * value) end,
    level = function(value) return "d" .. palette.level(0.5 + value / most / 2) end })
  return page.figure({ drawing }, ("%s minus %s: orange is more, blue is less. On the diagonal more is "
    .. "better, elsewhere less. The colours reach to ±%.0f points."):format(facts.other.label,
    facts.base.label, 100 * most),
    table_of(facts, facts:order(), of_classes, "Difference in percentage points of the true class",
      in_points))
end

-- → markup
return function(facts)
  if not facts.one_split then return page.paragraph "The runs are of several splits." end
  local K = #facts.split.classes
  if K > MOST_SHOWN then
    return page.paragraph("The matrix of %d classes is not drawn, at most %d are.", K, MOST_SHOWN)
  end
  local view, size = blocks.view(facts, MAX_DRAWN, BLOCKS)
  local words = size and ("Confusions over all seeds, in per cent of the true classes. A row and a column is "
    .. "a block of up to %d classes of similar size, the largest first: what is confused within a block is "
    .. "on the diagonal. The numbers are those of single classes."):format(size)
    or "Confusions over all seeds, in per cent of the true class; the largest class first."
  local base, base_shown, base_cells, base_table = one(facts, view, facts.base, "confusion-baseline")
  if not facts.other then return page.figure({ base }, words, base_table) end
  local other, other_shown, other_cells, other_table = one(facts, view, facts.other, "confusion-best")
  local change = minus(other_shown, base_shown)
  return page.figure({ base, other }, words, base_table .. other_table) .. difference(facts, view, change,
    size and minus(other_cells, base_cells) or change)
end
