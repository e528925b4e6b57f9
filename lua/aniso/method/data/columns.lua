-- Labels, one-hot labels, parts and folds of images, read from the columns of a table.
local fault = require "aniso.method.data.fault"
local labels = require "aniso.method.data.labels"
local parts = require "aniso.method.data.parts"

local columns = {}

local MOST_LINES = 8   -- in one message
local LONGEST = 1000   -- bytes of a label

-- "line 4" or "lines 4, 9 and 12 more"
local function lines_of(t, rows)
  local numbers = {}
  for i = 1, math.min(#rows, MOST_LINES) do numbers[i] = tostring(t.lines[rows[i]]) end
  if #rows == 1 then return "line " .. numbers[1] end
  return ("lines %s%s"):format(table.concat(numbers, ", "),
    #rows > MOST_LINES and (" and %d more"):format(#rows - MOST_LINES) or "")
end

-- A column whose cells must not be empty. way [opt]: an alternative that the message offers.
local function filled(t, name, way)
  local cells, blank = t:column(name), {}
  for row, cell in ipairs(cells) do
    if labels.is_blank(cell) then blank[#blank + 1] = row end
  end
  if #blank > 0 then
    fault.raise("EFORMAT", "%s %s: the %s is empty%s", t.path, lines_of(t, blank), name,
      way or "; fill it in, or remove such rows")
  end
  return cells
end

local MOST_COLUMNS = 200 -- searched at most

-- The cells as numbers if all of them are 0 or 1; nil otherwise, and if the column cannot be read.
local function zeros_and_ones(t, name)
  local cells, out = not t:is_twice(name) and fault.catch(t.column, t, name), {}
  for row, cell in ipairs(cells or {}) do
    out[row] = tonumber(cell)
    if out[row] ~= 0 and out[row] ~= 1 then return nil end
  end
  return #out > 0 and out or nil
end

-- Those of the first columns that hold 0 and 1, as text for an option, if exactly one is 1 in every row.
local function one_hot_columns(t)
  local found, sums = {}, {}
  for c = 1, math.min(#t.header, MOST_COLUMNS) do
    local numbers = zeros_and_ones(t, t.header[c])
    if numbers then found[#found + 1] = '"' .. t.header[c] .. '"' end
    for row, number in ipairs(numbers or {}) do sums[row] = (sums[row] or 0) + number end
  end
  for _, sum in ipairs(sums) do
    if sum ~= 1 then return nil end
  end
  return #found >= 2 and "{ " .. table.concat(found, ", ") .. " }" or nil
end

-- The option for labels spread over columns of 0 and 1; nil if the column `label` exists and has other
-- cells.
function columns.one_hot_option(t, label)
  for _, cell in ipairs(t:has(label) and t:column(label) or {}) do
    local value = tonumber(cell)
    if value ~= 0 and value ~= 1 then return nil end
  end
  return one_hot_columns(t)
end

-- The labels. blank: whether they may be empty, since leave_out removes such rows; nil if the kind has no
-- such option.
local function label_cells(t, name, blank)
  local option = not t:has(name) and columns.one_hot_option(t, name)
  if option then
    fault.raise("ENOTFOUND", "%s: no column '%s'; one_hot = %s reads the label from the columns of 0 and 1",
      t.path,
      name, option)
  end
  local cells = blank and t:column(name)
    or filled(t, name, blank == false and '; fill it in, or leave_out = { "" } leaves such rows out' or nil)
  for row, cell in ipairs(cells) do
    if #cell > LONGEST then
      fault.raise("EFORMAT", "%s line %d: the %s has %d bytes, more than %d; is it the column of the "
        .. "labels?", t.path,
        t.lines[row], name, #cell, LONGEST)
    end
  end
  return cells
end

-- "0042" for row 42 of a table with 1,000 to 9,999 rows, so that names sort like the rows.
local function numbered(t)
  local out, digits = {}, #tostring(t.n)
  for row = 1, t.n do out[row] = ("%0" .. digits .. "d"):format(row - 1) end
  return out
end

-- A table with one image per row, in the engine's form: { key =, class =, group =, line = }.
-- names: image [opt: rows are numbered from 0], label, group [opt]: columns; one_hot [opt]: columns
-- that replace label. blank [opt]: as in label_cells().
function columns.rows(t, names, blank)
  return {
    key = names.image and filled(t, names.image) or numbered(t),
    class = names.one_hot and columns.one_hot(t, names.one_hot) or label_cells(t, names.label, blank),
    group = names.group and t:column(names.group) or nil,
    line = t.lines,
  }
end

-- The name of the column that is 1, per row; the others are 0.
function columns.one_hot(t, names)
  local out, cells = {}, {}
  for k, name in ipairs(names) do cells[k] = t:column(name) end
  for row = 1, t.n do
    local ones = {}
    for k, name in ipairs(names) do
      local value = tonumber(cells[k][row])
      if value ~= 0 and value ~= 1 then
        fault.raise("EFORMAT", "%s line %d: %s is '%s'; a one-hot label has 0 or 1", t.path, t.lines[row],
          name, cells[k][row])
      end
      if value == 1 then ones[#ones + 1] = name end
    end
    if #ones ~= 1 then
      fault.raise("EFORMAT", "%s line %d: %s; exactly one class must be 1", t.path, t.lines[row],
        #ones == 0 and "no class is 1" or table.concat(ones, " and ") .. " are 1")
    end
    out[row] = ones[1]
  end
  return out
end

-- ── parts ───────────────────────────────────────────────────────────────────────────────
function columns.parts(t, name)
  local out = {}
  for row, cell in ipairs(filled(t, name)) do
    out[row] = parts.of(cell)
    if not out[row] then
      fault.raise("EFORMAT", "%s line %d: '%s' in column %s is not a part; known in any case: %s", t.path,
        t.lines[row], cell, name, parts.known())
    end
  end
  return out
end

-- ── folds ───────────────────────────────────────────────────────────────────────────────
-- Fold numbers from 1, in the order of the published ones. cells: list of texts; where(row) → the
-- place for a message.
function columns.number_folds(cells, where)
  local values, seen, folds = {}, {}, {}
  for row, cell in ipairs(cells) do
    local value = math.tointeger(tonumber(cell))
    if not value then
      fault.raise("EFORMAT", "%s: the fold '%s' is not a whole number", where(row), cell)
    end
    if not seen[value] then seen[value], values[#values + 1] = true, value end
    folds[row] = value
  end
  table.sort(values)
  if #values < 2 then
    fault.raise("EFORMAT", "%s: all images are in fold %s; at least two folds are needed", where(1),
      tostring(values[1]))
  end
  for i, value in ipairs(values) do seen[value] = i end
  for row, value in ipairs(folds) do folds[row] = seen[value] end
  return folds
end

function columns.folds(t, name)
  return columns.number_folds(t:column(name), function(row)
    return ("%s line %d"):format(t.path, t.lines[row])
  end)
end

return columns
