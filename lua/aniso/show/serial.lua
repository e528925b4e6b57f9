-- Rows for programs: CSV, JSON, and JSON with an object per line. A column is {name =}; a cell is a
-- value, or {text =, value =}, of which the value is written (table.lua).
local inert = require "aniso.stats.inert"
local sys = require("aniso.core").sys

local serial = {}

function serial.is_cell(value)
  return type(value) == "table" and value.text ~= nil
end

-- Every text of a table passes through here or through json(): names and cells come from outside.
local visible = sys.visible

-- A text that is not UTF-8, such as an SQLite blob, in SQL's notation, x'3F80'.
function serial.printable(value)
  if type(value) ~= "string" or utf8.len(value) then return value end
  return "x'" .. value:gsub(".", function(byte) return ("%02X"):format(byte:byte()) end) .. "'"
end

function serial.raw(value)
  if serial.is_cell(value) then
    if value.value ~= nil then return value.value end
    return value.text
  end
  return serial.printable(value)
end

-- The shortest decimal that reads back as the same number.
local function exact(value)
  if math.type(value) ~= "float" then return tostring(value) end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value or digits == 17 then return text end
  end
end

-- A text as printed, made safe against being read as a formula.
function serial.inert(text)
  return inert.quoted(visible(text, true))
end

-- Quoted after RFC 4180, and also if a reader might drop a space at an end; lines end with LF only,
-- because a shell would keep the CR in the last field. Texts pass through `safe`. The line of the values
-- get(1) … get(count).
local function csv_line(count, get, safe)
  local fields = {}
  for j = 1, count do
    local value = get(j)
    local text = value == nil and "" or type(value) == "number" and exact(value) or safe(tostring(value))
    if text:find '[",\r\n]' or text:find "^%s" or text:find "%s$" then
      text = '"' .. text:gsub('"', '""') .. '"'
    end
    fields[j] = text
  end
  return table.concat(fields, ",") .. "\n"
end

function serial.csv_head(columns, safe)
  return csv_line(#columns, function(j) return columns[j].name end, safe)
end

function serial.csv_row(columns, row, safe)
  return csv_line(#columns, function(j) return serial.raw(row[j]) end, safe)
end

function serial.csv(columns, rows, safe)
  local out = { serial.csv_head(columns, safe) }
  for i, row in ipairs(rows) do out[i + 1] = serial.csv_row(columns, row, safe) end
  return table.concat(out)
end

local function json_character(c)
  local code = utf8.codepoint(c)
  if c == '"' or c == "\\" then return "\\" .. c end
  if visible(c) == c then return c end
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  return ("\\u%04x\\u%04x"):format(0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF))
end

local function json_text(value)
  value = tostring(value)
  if visible(value) ~= value or value:find '["\\]' then
    value = value:gsub(utf8.charpattern, json_character)
  end
  return '"' .. value .. '"'
end

-- NaN and infinities become null, as JSON lacks them.
local function json_scalar(value)
  if value == nil or value ~= value or value == math.huge or value == -math.huge then return "null" end
  if type(value) == "number" then return exact(value) end
  return type(value) == "boolean" and tostring(value) or json_text(value)
end

-- An object whose keys keep the columns' order.
function serial.json_object(columns, row)
  local fields = {}
  for j, column in ipairs(columns) do
    fields[j] = json_text(column.name) .. ": " .. json_scalar(serial.raw(row[j]))
  end
  return "{" .. table.concat(fields, ", ") .. "}"
end

function serial.json(columns, rows)
  local objects = {}
  for i, row in ipairs(rows) do objects[i] = "  " .. serial.json_object(columns, row) end
  return #objects == 0 and "[]\n" or "[\n" .. table.concat(objects, ",\n") .. "\n]\n"
end

return serial
