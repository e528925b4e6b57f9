-- Formats any value for reading: strings quoted, tables as Lua constructors, sorted, on one line if
-- they fit, shortened if they are long; a list of records as a table. A value with
-- __tostring (a tensor, a schedule) prints itself; a metatable's __pretty(value) takes precedence.
local literal = require "aniso.recipe.literal"
local records = require "aniso.show.records"

local visible = require("aniso.core").sys.visible

local pretty = {}

local WIDTH, ITEMS, DEPTH = 88, 60, 6
local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]):gmatch "%a+" do keywords[word] = true end

local function quoted(text)
  return visible('"' .. text:gsub('[%c"\\]', function(c)
    local known = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ['"'] = '\\"', ["\\"] = "\\\\" }
    return known[c] or ("\\%03d"):format(c:byte())
  end) .. '"')
end

local function before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return ta < tb end
  if ta == "number" or ta == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local function prints_itself(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and (meta.__tostring or meta.__name)
end

local format

-- The items of a table as texts: the list part first, then the other keys, sorted.
local function items(value, depth, seen)
  local out, keys, length = {}, {}, #value
  for i = 1, math.min(length, ITEMS) do out[i] = format(value[i], depth + 1, seen) end
  if length > ITEMS then out[#out + 1] = ("… %d more"):format(length - ITEMS) end
  for key in pairs(value) do
    local listed = math.type(key) == "integer" and key >= 1 and key <= length
    if not listed then keys[#keys + 1] = key end
  end
  table.sort(keys, before)
  for i, key in ipairs(keys) do
    if i > ITEMS then
      out[#out + 1] = ("… %d more"):format(#keys - ITEMS)
      break
    end
    local plain = type(key) == "string" and key:match "^[%a_][%w_]*$" and not keywords[key]
    out[#out + 1] = (plain and key or "[" .. format(key, depth + 1, seen) .. "]")
      .. " = " .. format(value[key], depth + 1, seen)
  end
  return out, #keys == 0
end

-- Joins items into lines of at most `width` columns.
local function wrap(list, indent, width)
  local lines, line = {}, ""
  for i, item in ipairs(list) do
    local text = item .. (i < #list and "," or "")
    if line ~= "" and #line + 1 + #text > width then
      lines[#lines + 1], line = line, text
    else
      line = line == "" and text or line .. " " .. text
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n" .. indent)
end

local function format_table(value, depth, seen)
  if seen[value] then return "{… itself}" end
  if depth > DEPTH then return "{…}" end
  seen[value] = true
  local list, plain_list = items(value, depth, seen)
  seen[value] = nil
  local flat = table.concat(list, ", ")
  local indent = ("  "):rep(depth + 1)
  if #flat + #indent <= WIDTH and not flat:find "\n" then
    return plain_list and "{" .. flat .. "}" or "{ " .. flat .. " }"
  end
  local body = plain_list and not flat:find "\n" and wrap(list, indent, WIDTH - #indent)
    or table.concat(list, ",\n" .. indent)
  return "{\n" .. indent .. body .. "\n" .. ("  "):rep(depth) .. "}"
end

function format(value, depth, seen)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "number" then return literal.number(value) end
  if kind ~= "table" or prints_itself(value) then return tostring(value) end
  return format_table(value, depth, seen)
end

-- The text of any value.
function pretty.format(value)
  local meta = getmetatable(value)
  local own = type(meta) == "table" and rawget(meta, "__pretty")
  if own then return own(value) end
  if records.are(value) then return records.format(value) end
  return format(value, 0, {})
end

-- print for people: like Lua's, but shows the content of a plain table.
function pretty.print(...)
  local out = table.pack(...)
  for i = 1, out.n do
    local value = out[i]
    local plain = type(value) == "table" and not prints_itself(value)
    out[i] = plain and pretty.format(value) or tostring(value)
  end
  io.stdout:write(table.concat(out, "\t", 1, out.n), "\n")
end

return pretty
