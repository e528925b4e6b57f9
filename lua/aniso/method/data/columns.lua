-- Labels, one-hot labels, parts and folds of images from the columns of a table.
local fault = require "aniso.method.data.fault"

local columns = {}

local function filled(t, name)
  local cells = t:column(name)
  for row, cell in ipairs(cells) do
    if cell == "" then fault.raise("EFORMAT", "%s line %d: the %s is empty", t.path, t.lines[row], name) end
  end
  return cells
end

-- A table with an image per row, in the form for the engine: { key =, class =, group =, line = }.
-- names: image, label, group [opt]: columns; one_hot [opt]: columns in the place of label.
function columns.rows(t, names)
  return {
    key = filled(t, names.image),
    class = names.one_hot and columns.one_hot(t, names.one_hot) or filled(t, names.label),
    group = names.group and t:column(names.group) or nil,
    line = t.lines,
  }
end

-- The name of the column that is 1, per row; the other ones are 0.
function columns.one_hot(t, names)
  local labels, cells = {}, {}
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
    labels[row] = ones[1]
  end
  return labels
end

-- ── parts ───────────────────────────────────────────────────────────────────────────────
local SYNONYMS = {
  train = { "train", "training", "trn" },
  val = { "val", "valid", "validation", "dev" },
  test = { "test", "testing", "tst" },
}

columns.part_names = { "train", "val", "test" }

local part_of = {}
for part, words in pairs(SYNONYMS) do
  for _, word in ipairs(words) do part_of[word] = part end
end

-- "train", "val" or "test" of a usual name in any case ("Validation"), nil of another.
function columns.part(word)
  return part_of[word:lower():match "^%s*(.-)%s*$"]
end

-- "train (training, trn), val (…), test (…)"
function columns.known_parts()
  local out = {}
  for i, part in ipairs(columns.part_names) do
    out[i] = ("%s (%s)"):format(part, table.concat(SYNONYMS[part], ", ", 2))
  end
  return table.concat(out, ", ")
end

function columns.parts(t, name)
  local parts = {}
  for row, cell in ipairs(filled(t, name)) do
    parts[row] = columns.part(cell)
    if not parts[row] then
      fault.raise("EFORMAT", "%s line %d: '%s' in column %s is not a part; known in any case: %s", t.path,
        t.lines[row], cell, name, columns.known_parts())
    end
  end
  return parts
end

-- ── folds ───────────────────────────────────────────────────────────────────────────────
-- Fold numbers from 1 in the order of the published ones. cells: list of texts; where(row) → the
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
