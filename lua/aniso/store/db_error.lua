-- A refusal of the database as an error value, for code in the depth of a transaction:
-- db_error.must(connection:exec(…)) passes results on or raises {message =, code =}.
local db_error = {}

local Refusal = { __name = "aniso.Refusal" }
Refusal.__index = Refusal

function Refusal:__tostring()
  return self.message
end

function db_error.is(value)
  return getmetatable(value) == Refusal
end

function db_error.raise(message, code)
  error(setmetatable({ message = message, code = code }, Refusal), 0)
end

function db_error.must(first, ...)
  if first ~= nil then return first, ... end
  db_error.raise(...)
end

return db_error
