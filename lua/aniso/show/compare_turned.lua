-- The wide sections of a comparison of many groups, with a row per group. The names of the groups are then in
-- one column, and the table's width depends on the numbers, not on the labels. columns.blocks: split into
-- blocks in a file too.
local cells = require "aniso.show.compare_cells"
local printed = require("aniso.stats.metric.catalog").printed

local turned = {}

-- The first column, and the rows that hold it.
local function new_rows(result)
  local columns, rows = { "name", blocks = true }, {}
  for k, group in ipairs(result.groups) do rows[k] = { group.label } end
  return columns, rows
end

function turned.config(result)
  local columns, rows = new_rows(result)
  for i, one in ipairs(result.config) do
    columns[i + 1] = one.key
    for k in ipairs(rows) do rows[k][i + 1] = one.values[k] end
  end
  return columns, rows
end

-- Appends the value and the Δ of one number, {of, delta}, to the rows.
local function add_number(columns, rows, name, one, higher)
  local line, at = {}, #columns + 1
  cells.put(line, 1, one, higher)
  columns[at], columns[at + 1] = name, "Δ"
  for k, row in ipairs(rows) do
    row[at] = line[k == 1 and 1 or 2 * k - 2]
    row[at + 1] = k == 1 and { text = "", value = 0 } or line[2 * k - 1]
  end
end

-- numbers: a list of {name, of, delta, higher}.
function turned.numbers(result, numbers)
  local columns, rows = new_rows(result)
  for _, one in ipairs(numbers) do add_number(columns, rows, printed(one.name), one, one.higher) end
  return columns, rows
end

-- A column for the recall of each of some classes; the first rows describe the class.
function turned.classes(result, classes)
  local columns, rows = new_rows(result)
  for _, class in ipairs(classes) do add_number(columns, rows, class.name, class.recall, true) end
  local facts = { { "n_train" }, { "group" }, { "images" } }
  for i, class in ipairs(classes) do
    local at = 2 * i
    facts[1][at], facts[3][at] = cells.count(class.n_train), cells.count(class.support)
    facts[2][at] = { text = printed(class.shot), value = 0 }
    for _, row in ipairs(facts) do row[at + 1] = { text = "", value = 0 } end
  end
  table.move(rows, 1, #rows, #facts + 1)
  table.move(facts, 1, #facts, 1, rows)
  return columns, rows
end

return turned
