-- Converters of the values of options: functions of the text that return the value, or nil and a sentence.
local errors = require "aniso.recipe.errors"
local literal = require "aniso.recipe.literal"

local convert = {}

-- A whole number of at least `least`, and at most `most` [opt].
function convert.whole(flag, least, most)
  local range = most and ("from %d to %d"):format(least, most) or ("from %d"):format(least)
  return function(text)
    local n = math.tointeger(tonumber(text))
    if n and n >= least and n <= (most or n) then return n end
    return nil, ("%s needs a whole number %s, got %s"):format(flag, range, text)
  end
end

function convert.number(flag)
  return function(text)
    local value = tonumber(text)
    if value then return value end
    return nil, ("%s needs a number, got %s"):format(flag, text)
  end
end

-- A Lua literal or a bare word.
function convert.literal(text)
  local read, value = pcall(literal.read, text)
  if not read then return nil, errors.sentence(value) end
  if value == nil then return nil, ("'%s' is not a value: give a number, a word or {…}"):format(text) end
  return value
end

return convert
