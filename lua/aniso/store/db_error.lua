-- A failure of the database as an error value, for code inside a transaction:
-- db_error.must(connection:exec(…)) passes results on or raises {message =, code =}.
-- db_error.unless_absent(db:origin(run)) does the same, but passes on nil without a message (no such row).
local db_error = {}

local Failure = { __name = "aniso.Failure" }
Failure.__index = Failure

function Failure:__tostring()
  return self.message
end

function db_error.is(value)
  return getmetatable(value) == Failure
end

function db_error.raise(message, code)
  error(setmetatable({ message = message, code = code }, Failure), 0)
end

function db_error.must(first, ...)
  if first ~= nil then return first, ... end
  db_error.raise(...)
end

function db_error.unless_absent(value, message, code)
  if value == nil and message then db_error.raise(message, code) end
  return value
end

return db_error
