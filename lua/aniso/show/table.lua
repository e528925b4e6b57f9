-- Rows for people, for programs and for papers: an aligned table, CSV, JSON,
-- Markdown or LaTeX (markup.lua).
-- A column is a name or {name =, digits =}; a row is a list with one value per column, nil
-- for SQL's NULL. A cell may also be {text =, bold =, value =}: the text for a person, whether
-- it is bold on a terminal, the value for a program. In an aligned table a cell that is wider than WIDEST is
-- cut, except in the last column; the other formats have the whole text.
local markup = require "aniso.show.markup"
local sys = require("aniso.core").sys

local tables = {}

tables.formats = { "table", "csv", "json", "md", "latex" }

-- Whether a format is read by programs: names and values are those that are stored.
function tables.is_for_programs(format)
  return format == "csv" or format == "json"
end

local function is_cell(value)
  return type(value) == "table" and value.text ~= nil
end

-- Every text of a table passes through here or through json(): names and cells come from outside.
local visible = sys.visible

-- A text that is not UTF-8, such as a blob of SQLite: as SQL writes it, x'3F80'.
local function printable(value)
  if type(value) ~= "string" or utf8.len(value) then return value end
  return "x'" .. value:gsub(".", function(byte) return ("%02X"):format(byte:byte()) end) .. "'"
end

local function raw(value)
  if is_cell(value) then
    if value.value ~= nil then return value.value end
    return value.text
  end
  return printable(value)
end

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

-- The shortest decimal that reads back as the same number.
local function exact(value)
  if math.type(value) ~= "float" then return tostring(value) end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value or digits == 17 then return text end
  end
end

-- A text as it is printed; one that a spreadsheet would run as a formula begins with an apostrophe.
local function inert(text)
  return (visible(text, true):gsub("^[=+%-@]", "'%0"))
end

-- Quoted after RFC 4180; lines end with LF alone, because a shell would keep the CR in the last field. Texts
-- pass through `safe`.
local function csv(columns, rows, safe)
  local function field(value)
    local text = value == nil and "" or type(value) == "number" and exact(value) or safe(tostring(value))
    if text:find '[",\r\n]' then text = '"' .. text:gsub('"', '""') .. '"' end
    return text
  end
  local out = {}
  local function line(count, get)
    local fields = {}
    for j = 1, count do fields[j] = field(get(j)) end
    out[#out + 1] = table.concat(fields, ",") .. "\n"
  end
  line(#columns, function(j) return columns[j].name end)
  for _, row in ipairs(rows) do line(#columns, function(j) return raw(row[j]) end) end
  return table.concat(out)
end

-- Objects whose keys keep the columns' order. NaN and infinities, which JSON lacks: null.
local function json(columns, rows)
  local function coded(c)
    local code = utf8.codepoint(c)
    if c == '"' or c == "\\" then return "\\" .. c end
    if visible(c) == c then return c end
    if code < 0x10000 then return ("\\u%04x"):format(code) end
    return ("\\u%04x\\u%04x"):format(0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF))
  end
  local function text(value)
    value = tostring(value)
    if visible(value) ~= value or value:find '["\\]' then value = value:gsub(utf8.charpattern, coded) end
    return '"' .. value .. '"'
  end
  local function scalar(value)
    if value == nil or value ~= value or value == math.huge or value == -math.huge then return "null" end
    if type(value) == "number" then return exact(value) end
    return type(value) == "boolean" and tostring(value) or text(value)
  end
  local objects = {}
  for i, row in ipairs(rows) do
    local fields = {}
    for j, column in ipairs(columns) do
      fields[j] = text(column.name) .. ": " .. scalar(raw(row[j]))
    end
    objects[i] = "  {" .. table.concat(fields, ", ") .. "}"
  end
  return #objects == 0 and "[]\n" or "[\n" .. table.concat(objects, ",\n") .. "\n]\n"
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
  if format == "json" then return json(normal(columns, tostring), rows) end
  columns = normal(columns, visible)
  if format == "csv" then return csv(columns, rows, inert) end
  if markup[format] then return document(columns, rows, markup[format]) end
  return aligned(columns, rows, bold)
end

-- A CSV file that the program reads back: every text is as it is.
function tables.list(columns, rows)
  return csv(normal(columns, tostring), rows, tostring)
end

function tables.print(columns, rows, format)
  io.stdout:write(tables.format(columns, rows, format, sys.isatty "stdout"))
end

return tables
