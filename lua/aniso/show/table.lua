-- Rows for people, for programs and for papers: an aligned table, CSV, JSON,
-- Markdown or LaTeX (markup.lua).
-- A column is a name or {name =, digits =}; a row is a list with one value per column, nil
-- for SQL's NULL. A cell may also be {text =, bold =, value =}: the text for a person, whether
-- it is bold on a terminal, the value for a program. In an aligned table a cell that is wider than WIDEST is
-- cut, except in the last column; the other formats have the whole text.
local markup = require "aniso.show.markup"
local serial = require "aniso.show.serial"
local sys = require("aniso.core").sys

local tables = {}

tables.formats = { "table", "csv", "json", "md", "latex" }

-- Whether a format is read by programs: names and values are those that are stored.
function tables.is_for_programs(format)
  return format == "csv" or format == "json"
end

local is_cell, raw, printable, visible = serial.is_cell, serial.raw, serial.printable, sys.visible

local function person(value, column)
  if is_cell(value) then return visible(value.text) end
  if value == nil then return "n/a" end
  if math.type(value) == "float" then
    if column.digits then return ("%." .. column.digits .. "f"):format(value) end
    return ("%.6g"):format(value)
  end
  return visible(tostring(printable(value)))
end

-- Columns of a text on a terminal. Combining marks take none, wide East Asian letters two.
function tables.width(text)
  if not utf8.len(text) then return #text end
  local columns = 0
  for _, c in utf8.codes(text) do
    if c >= 0x1100 and (c <= 0x115F or (c >= 0x2E80 and c <= 0xA4CF) or (c >= 0xAC00 and c <= 0xD7A3)
        or (c >= 0xF900 and c <= 0xFAFF) or (c >= 0xFE30 and c <= 0xFE6F)
        or (c >= 0xFF00 and c <= 0xFF60) or (c >= 0x1F300 and c <= 0x1FAFF)) then
      columns = columns + 2
    elseif not (c >= 0x300 and c <= 0x36F) and c ~= 0x200D and not (c >= 0xFE00 and c <= 0xFE0F) then
      columns = columns + 1
    end
  end
  return columns
end

-- The longest beginning of a line that fits into `columns` columns.
function tables.cut(line, columns)
  if tables.width(line) <= columns then return line end
  local out, taken = {}, 0
  for _, c in utf8.codes(line) do
    local char = utf8.char(c)
    taken = taken + tables.width(char)
    if taken > columns then break end
    out[#out + 1] = char
  end
  return table.concat(out)
end

-- The columns as tables, whose names are printed as `show` makes them.
local function normal(columns, show)
  local out = {}
  for i, column in ipairs(columns) do
    column = type(column) == "table" and column or { name = column }
    out[i] = { name = show(column.name), digits = column.digits }
  end
  return out
end

local WIDEST = 200 -- columns of a terminal

local function shortened(text)
  if #text <= WIDEST or tables.width(text) <= WIDEST then return text end
  return tables.cut(text, WIDEST - 1) .. "…"
end

local function pad(text, width, right)
  local space = (" "):rep(width - tables.width(text))
  return right and space .. text or text .. space
end

-- The texts of each row for a person, and which columns hold numbers, which are aligned to the right.
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

local function aligned(columns, rows, bold)
  local texts, right = texts_of(columns, rows)
  local widths, head, rule = {}, {}, {}
  for j, column in ipairs(columns) do
    head[j] = shortened(column.name)
    widths[j] = tables.width(head[j])
    for _, row in ipairs(texts) do
      if j < #columns then row[j] = shortened(row[j]) end
      widths[j] = math.min(math.max(widths[j], tables.width(row[j])), WIDEST)
    end
    rule[j] = ("─"):rep(widths[j])
  end
  local function line(row, of)
    local out = {}
    for j in ipairs(columns) do
      local text = pad(row[j], widths[j], right[j])
      out[j] = bold and is_cell(of[j]) and of[j].bold and "\27[1m" .. text .. "\27[0m" or text
    end
    return (table.concat(out, "  "):match "^.*%S" or "") .. "\n" -- gsub("%s+$") takes quadratic time
  end
  local lines = { line(head, {}), line(rule, {}) }
  for i, row in ipairs(rows) do lines[#lines + 1] = line(texts[i], row) end
  return table.concat(lines)
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

-- The text of the rows in one of tables.formats. `bold` marks cells for a terminal.
function tables.format(columns, rows, format, bold)
  if format == "json" then return serial.json(normal(columns, tostring), rows) end
  columns = normal(columns, visible)
  if format == "csv" then return serial.csv(columns, rows, serial.inert) end
  if markup[format] then return document(columns, rows, markup[format]) end
  return aligned(columns, rows, bold)
end

-- A CSV file that the program reads back: every text is as it is.
function tables.list(columns, rows)
  return serial.csv(normal(columns, tostring), rows, tostring)
end

-- For rows that come one after another: the text before the first row, and a function of a row that returns
-- its text. format: "csv", or "jsonl", an object per line.
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

-- Prints the n rows that row_of(1) … row_of(n) give; format: "table", or one of stream().
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

function tables.print(columns, rows, format)
  io.stdout:write(tables.format(columns, rows, format, sys.isatty "stdout"))
end

return tables
