-- Reads unfinished Lua backwards from the cursor: the chain of names before it, the open brackets, and
-- whether the cursor is inside a string.
local scan = {}

-- "f(runs.x[1]" → {"runs", "x", 1}: the keys of the value that ends here; nil if it is not a chain.
function scan.chain(text)
  local keys = {}
  while true do
    local number = text:match "%[(%d+)%]$"
    local quote, key = text:match "%[([\"'])([^\"']*)%1%]$"
    local name = text:match "([%a_][%w_]*)$"
    if number or quote then
      table.insert(keys, 1, number and math.tointeger(tonumber(number)) or key)
      text = text:gsub("%[[^%[]*%]$", "")
    elseif name then
      table.insert(keys, 1, name)
      text = text:sub(1, -#name - 1)
      if not text:find "[.:]$" or text:find "%.%.$" then return keys end
      text = text:sub(1, -2)
    else
      return nil
    end
  end
end

-- Follows keys without raising; nil if a key is missing.
function scan.walk(value, keys)
  for _, key in ipairs(keys) do
    local found, inner = pcall(function() return value[key] end)
    if not found or inner == nil then return nil end
    value = inner
  end
  return value
end

-- Calls at(place, char) for every character outside strings and comments. Returns the delimiter that
-- ends the string or comment in which the text ends, or nil.
local function each(text, at)
  local place, quote = 1, nil
  while place <= #text do
    local char = text:sub(place, place)
    if quote and char == "\\" then place = place + 1
    elseif quote then quote = char ~= quote and quote or nil
    elseif char == '"' or char == "'" then quote = char
    elseif text:find("^%-%-[^\n]*", place) then
      local _, stop = text:find("^%-%-[^\n]*", place)
      if stop == #text then return "\n" end
      place = stop
    else at(place, char) end
    place = place + 1
  end
  return quote
end

function scan.in_text(text)
  return each(text, function() end) ~= nil
end

local closes = { [")"] = "(", ["}"] = "{", ["]"] = "[" }

-- The places of the brackets that are open at the end, the outermost first.
function scan.open(text)
  local open = {}
  each(text, function(place, char)
    if char == "(" or char == "{" or char == "[" then open[#open + 1] = place end
    if closes[char] then open[#open] = nil end
  end)
  return open
end

return scan
