-- Reads a value as typed on a command line: a number, true, false, nil, a quoted text, a table of
-- such values, or a bare word. It is a parser, not a call of load(): nothing is executed.
--   3   -0.25   cosine   {1, 1, 2}   {"power", gamma = -0.5}   {power, gamma=-0.5}   "a b"   [[C:\data]]
local null = require("aniso.core").json.null

local literal = {}

local words = { ["true"] = true, ["false"] = false }
local escapes = { n = "\n", t = "\t", r = "\r", ["\\"] = "\\", ['"'] = '"', ["'"] = "'" }

-- A reader is {text =, at =}; every read_ function advances it.
local function fail(reader, expected)
  error(("%s: expected %s at character %d"):format(reader.text, expected, reader.at), 0)
end

local function skip_space(reader)
  reader.at = reader.text:find("%S", reader.at) or #reader.text + 1
end

local function take(reader, pattern)
  skip_space(reader)
  local found, stop = reader.text:match("^(" .. pattern .. ")()", reader.at)
  if found then reader.at = stop end
  return found
end

local function read_quoted(reader, quote)
  local out = {}
  while true do
    local plain = reader.text:match("^[^\\" .. quote .. "]*", reader.at)
    out[#out + 1], reader.at = plain, reader.at + #plain
    local mark = reader.text:sub(reader.at, reader.at)
    if mark == quote then
      reader.at = reader.at + 1
      return table.concat(out)
    end
    local escaped = escapes[reader.text:sub(reader.at + 1, reader.at + 1)]
    if mark == "" or not escaped then fail(reader, "the closing " .. quote) end
    out[#out + 1], reader.at = escaped, reader.at + 2
  end
end

-- The rest of a text in long brackets, in which a backslash is an ordinary character.
local function read_long(reader)
  local text, stop = reader.text:match("^(.-)%]%]()", reader.at)
  if not text then fail(reader, "the closing ]]") end
  reader.at = stop
  return text
end

local function read_word(reader)
  local word = take(reader, "[^%s,;{}%[%]=\"']+")
  if not word then fail(reader, "a value") end
  local number = tonumber(word)
  if number then return number end
  if words[word] ~= nil then return words[word] end
  if word == "nil" then return nil end
  return word
end

local read_value

local function read_key(reader)
  local before = reader.at
  if take(reader, "%[%f[^%[]") then
    local key = read_value(reader)
    if key == nil then fail(reader, "a key") end
    if not take(reader, "%]") or not take(reader, "=") then fail(reader, "] =") end
    return key
  end
  local name = take(reader, "[%a_][%w_]*")
  if name and take(reader, "=") then return name end
  reader.at = before
end

local function read_table(reader)
  local out, count = {}, 0
  while not take(reader, "}") do
    local key = read_key(reader)
    if key == nil then
      count = count + 1
      key = count
    end
    out[key] = read_value(reader)
    if not take(reader, "[,;]") then
      if take(reader, "}") then return out end
      fail(reader, ", or }")
    end
  end
  return out
end

function read_value(reader)
  if take(reader, "{") then return read_table(reader) end
  local quote = take(reader, "[\"']")
  if quote then return read_quoted(reader, quote) end
  if take(reader, "%[%[") then return read_long(reader) end
  return read_word(reader)
end

-- The value of a text. A text that is not a number and begins neither a table nor a quotation
-- is a single word, spaces included: a path needs no quotes. Raises what is wrong.
function literal.read(text)
  local reader = { text = text, at = 1 }
  if not text:match "^%s*[{\"']" and not text:match "^%s*%[%[" then
    local trimmed = text:match "^%s*(.-)%s*$"
    local number = tonumber(trimmed)
    if number then return number end
    if words[trimmed] ~= nil then return words[trimmed] end
    if trimmed == "nil" then return nil end
    return trimmed
  end
  local value = read_value(reader)
  skip_space(reader)
  if reader.at <= #text then fail(reader, "the end") end
  return value
end

-- A value as an error message quotes it.
function literal.describe(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if value == null then return "null" end -- of a stored configuration
  return type(value) == "table" and "a table" or tostring(value)
end

-- A number with at most seven digits; a whole float keeps ".0".
function literal.number(value)
  if math.type(value) == "integer" or value ~= value or value == math.huge or value == -math.huge then
    return tostring(value)
  end
  local short = ("%.7g"):format(value)
  return short:find "[.eE]" and short or short .. ".0"
end

return literal
