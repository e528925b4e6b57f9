-- ULID: 48 bits of milliseconds and 80 random bits in 26 letters (Crockford's base 32). Sorts
-- by time; two databases never make the same one. Time and random bits come from SQLite.
--   ulid.new(connection) → a new one
--   ulid.is(text) → whether a text has the form of one (recipe/ulid_form.lua)
local must = require("aniso.store.db_error").must

local LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

-- 26 letters of 5 bits hold 130 bits; the 128 of `hex` are the lower ones.
local function letters(hex)
  local bits = { "00" }
  for digit in hex:gmatch "." do
    local value = tonumber(digit, 16)
    for shift = 3, 0, -1 do bits[#bits + 1] = tostring(value >> shift & 1) end
  end
  return (table.concat(bits):gsub("%d%d%d%d%d", function(five)
    local at = tonumber(five, 2) + 1
    return LETTERS:sub(at, at)
  end))
end

local ulid = { is = require "aniso.recipe.ulid_form" }

function ulid.new(connection)
  local row = must(connection:query [[
    SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS ms,
           hex(randomblob(10)) AS chance]])[1]
  return letters(("%012X"):format(row.ms) .. row.chance)
end

return ulid
