-- Rows for people, for programs and for papers: an aligned table, CSV, JSON,
-- Markdown or LaTeX (markup.lua).
-- A column is a name or {name =, digits =}; a row is a list with one value per column, nil
-- for SQL's NULL. A cell may also be {text =, bold =, value =}: the text for people, whether
-- it is bold on a terminal, the value for programs. An aligned table fits the terminal (aligned.lua); in a
-- file lines have any width.
local aligned = require "aniso.show.aligned"
local markup = require "aniso.show.markup"
local serial = require "aniso.show.serial"
local sys = require("aniso.core").sys
local text_width = require "aniso.show.text_width"

local tables = {}

tables.formats = { "table", "csv", "json", "md", "latex" }

-- Whether a format is read by programs: names and values are then those stored.
function tables.is_for_programs(format)
  return format == "csv" or format == "json"
end

local is_cell, raw, printable, visible = serial.is_cell, serial.raw, serial.printable, sys.visible

local function person(value, column)
  if value == nil then return "n/a" end
  if math.type(value) == "float" then return column.form:format(value) end
  if is_cell(value) then return visible(value.text) end
  return visible(tostring(printable(value)))
end

tables.width, tables.cut = text_width.of, text_width.cut

-- The columns as tables; `show` turns their names into the printed ones.
local function normal(columns, show)
  local out = {}
  for i, column in ipairs(columns) do
    column = type(column) == "table" and column or { name = column }
    out[i] = { name = show(column.name), form = column.digits and ("%%.%df"):format(column.digits) or "%.6g" }
  end
  return out
end

-- The texts of each row for people, and which columns hold numbers and are aligned to the right.
local function texts_of(columns, rows)
  local texts, right = {}, {}
  for j in ipairs(columns) do right[j] = #rows > 0 end
  for i, row in ipairs(rows) do
    texts[i] = {}
    for j, column in ipairs(columns) do
      local value = row[j]
      texts[i][j] = person(value, column)
      right[j] = right[j] and (value == nil or type(raw(value)) == "number")
    end
  end
  return texts, right
end

local function aligned_text(columns, rows, how)
  local texts, right = texts_of(columns, rows)
  local heads = {}
  for j, column in ipairs(columns) do heads[j] = column.name end
  return aligned.text(heads, texts, right, { room = how.room, keys = how.keys,
    bold = how.bold and function(i, j) return is_cell(rows[i][j]) and rows[i][j].bold end })
end

local function document(columns, rows, write)
  local texts, right = texts_of(columns, rows)
  local heads = {}
  for j, column in ipairs(columns) do heads[j] = column.name end
  for i, row in ipairs(texts) do
    for j, text in ipairs(row) do
      row[j] = { text = text, bold = is_cell(rows[i][j]) and rows[i][j].bold }
    end
  end
  return write(heads, texts, right)
end

-- The text of the rows in one of tables.formats. `bold` marks cells for a terminal; room [opt] is the
-- terminal's number of columns, which an aligned table then fits (aligned.lua); the first columns.keys
-- [opt, 1] columns name a row.
function tables.format(columns, rows, format, bold, room)
  local keys = columns.keys
  if format == "json" then return serial.json(normal(columns, tostring), rows) end
  columns = normal(columns, visible)
  if format == "csv" then return serial.csv(columns, rows, serial.inert) end
  if markup[format] then return document(columns, rows, markup[format]) end
  return aligned_text(columns, rows, { bold = bold, room = room, keys = keys })
end

-- A CSV file that the program reads back: every text is unchanged.
function tables.list(columns, rows)
  return serial.csv(normal(columns, tostring), rows, tostring)
end

-- For rows that arrive one by one: the text before the first row, and a function from a row to its text.
-- format: "csv", or "jsonl", an object per line.
function tables.stream(columns, format)
  if format == "jsonl" then
    columns = normal(columns, tostring)
    return "", function(row) return serial.json_object(columns, row) .. "\n" end
  end
  columns = normal(columns, visible)
  return serial.csv_head(columns, serial.inert), function(row)
    return serial.csv_row(columns, row, serial.inert)
  end
end

-- Prints the n rows row_of(1) … row_of(n); format: "table", or one for stream().
function tables.print_each(columns, n, row_of, format)
  if format == "table" then
    local rows = {}
    for i = 1, n do rows[i] = row_of(i) end
    return tables.print(columns, rows, format)
  end
  local head, text_of = tables.stream(columns, format)
  io.stdout:write(head)
  for i = 1, n do io.stdout:write(text_of(row_of(i))) end
end

-- The number of columns available to a table on stdout: ANISO_WIDTH, or the terminal's; nil for no limit.
function tables.room()
  local given = tonumber(sys.variable "ANISO_WIDTH")
  if given then return given > 0 and math.floor(given) or nil end
  return (sys.width "stdout")
end

function tables.print(columns, rows, format)
  io.stdout:write(tables.format(columns, rows, format, sys.isatty "stdout", tables.room()))
end

return tables
