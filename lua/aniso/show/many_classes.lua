-- Tables of more classes than anyone reads: the most important rows, and the number of all.
--   many_classes.matrix(found, classes, programs) → columns, rows, note: the confusion matrix of stored cells
--     {true_idx, pred_idx, n} of rows {class}; above MATRIX classes a list of its cells
--   many_classes.worst(rows, column, programs) → rows, note: above LISTED rows the lowest by `column`
--   many_classes.changed(result) → a comparison's classes, note: those whose recall changed most
-- programs: whether for programs, which receive every row. note: nil if nothing is left out.
local many_classes = {}

local MATRIX, LISTED, SHOWN = 24, 40, 20

-- True classes down, predicted classes across.
local function as_matrix(found, classes)
  local columns, rows = { "true \\ predicted" }, {}
  for i, class in ipairs(classes) do
    columns[i + 1], rows[i] = class.class, { class.class }
    for j = 1, #classes do rows[i][j + 1] = 0 end
  end
  for _, cell in ipairs(found) do
    local right = cell.true_idx == cell.pred_idx
    rows[cell.true_idx + 1][cell.pred_idx + 2] = { text = tostring(cell.n), value = cell.n, bold = right }
  end
  return columns, rows
end

-- The wrong ones first, the most frequent first.
local function before(a, b)
  local a_right, b_right = a.true_idx == a.pred_idx, b.true_idx == b.pred_idx
  if a_right ~= b_right then return b_right end
  if a.n ~= b.n then return a.n > b.n end
  if a.true_idx ~= b.true_idx then return a.true_idx < b.true_idx end
  return a.pred_idx < b.pred_idx
end

function many_classes.matrix(found, classes, programs)
  if #classes <= MATRIX then return as_matrix(found, classes) end
  local images, wrong, cells, rows = {}, 0, table.move(found, 1, #found, 1, {}), {}
  for _, cell in ipairs(found) do
    images[cell.true_idx] = (images[cell.true_idx] or 0) + cell.n
    if cell.true_idx ~= cell.pred_idx then wrong = wrong + 1 end
  end
  table.sort(cells, before)
  local count = programs and #cells or math.min(SHOWN, wrong)
  for i = 1, count do
    local cell = cells[i]
    rows[i] = { classes[cell.true_idx + 1].class, classes[cell.pred_idx + 1].class, cell.n,
      cell.n / images[cell.true_idx] }
  end
  local note = not programs and ("the %d most frequent of %d confusions of %d classes; the section confusion "
    .. "with --format csv has all"):format(count, wrong, #classes) or nil
  return { "true", "predicted", "n", { name = "share", digits = 3 } }, rows, note
end

-- The SHOWN items of a list with the lowest key(item); of equal ones the first.
local function lowest(list, key)
  local order, keys, out = {}, {}, {}
  for i, item in ipairs(list) do order[i], keys[i] = i, key(item) end
  table.sort(order, function(a, b)
    if keys[a] ~= keys[b] then return keys[a] < keys[b] end
    return a < b
  end)
  for i = 1, SHOWN do out[i] = list[order[i]] end
  return out
end

function many_classes.worst(rows, column, programs)
  if programs or #rows <= LISTED then return rows end
  local note = "the %d classes with the lowest %s, of %d; the section classes with --format csv has all"
  return lowest(rows, function(row) return row[column] or math.huge end), note:format(SHOWN, column, #rows)
end

-- The largest change of recall of a class in any group.
local function change_of(class)
  local most = 0
  for _, delta in pairs(class.recall.delta) do most = math.max(most, math.abs(delta.mean or 0)) end
  return most
end

function many_classes.changed(result)
  local classes = result.classes
  if #classes <= LISTED then return classes end
  return lowest(classes, function(class) return -change_of(class) end),
    ("the %d whose recall changed most, of %d; --format csv has all"):format(SHOWN, #classes)
end

return many_classes
