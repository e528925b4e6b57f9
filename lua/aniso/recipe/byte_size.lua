-- Sizes of memory as text: a number with K, M or G, powers of 1024.
--   byte_size.read "1.5G" → 1610612736; nil if the text is not a size
--   byte_size.text(1610612736) → "1.50G", three digits, rounded up so that the size holds that many bytes
--   byte_size.option   the rule for an option (options.lua) that is a size, or "none" for an absent one
local literal = require "aniso.recipe.literal"
local options = require "aniso.recipe.options"

local byte_size = {}

local UNITS = { K = 2 ^ 10, M = 2 ^ 20, G = 2 ^ 30 }
local MOST = 2 ^ 50 -- more than any machine has, and exact in a double

function byte_size.read(text)
  local number, unit = text:match "^(%d+%.?%d*)([KMG])$"
  local bytes = number and tonumber(number) * UNITS[unit]
  return bytes and bytes >= 1 and bytes <= MOST and math.floor(bytes) or nil
end

function byte_size.text(bytes)
  local unit = bytes >= UNITS.G and "G" or bytes >= UNITS.M and "M" or "K"
  local n = bytes / UNITS[unit]
  local digits = n < 10 and 2 or n < 100 and 1 or 0
  return ("%." .. digits .. "f%s"):format(math.ceil(n * 10 ^ digits) / 10 ^ digits, unit)
end

byte_size.option = options.custom(function(value, where)
  if value == "none" then return nil end
  if type(value) == "string" and byte_size.read(value) then return value end
  error(('option %s must be a size such as "512M" or "2G", or "none", got %s'):format(where,
    literal.describe(value)), 0)
end, nil, options.optional "string")

return byte_size
