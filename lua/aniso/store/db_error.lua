-- A refusal of the database as an error value, for code in the depth of a transaction:
-- refusal.must(connection:exec(…)) passes results on or raises {message =, code =}.
local refusal = {}

local Refusal = { __name = "aniso.Refusal" }
Refusal.__index = Refusal

function Refusal:__tostring()
  return self.message
end

function refusal.is(value)
  return getmetatable(value) == Refusal
end

function refusal.raise(message, code)
  error(setmetatable({ message = message, code = code }, Refusal), 0)
end

function refusal.must(first, ...)
  if first ~= nil then return first, ... end
  refusal.raise(...)
end

return refusal
