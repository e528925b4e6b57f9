-- Errors as printed sentences, and interruptions, which error handlers must pass on.
local core = require "aniso.core"

local errors = {}

-- Whether an error that is not a text can be printed as one.
function errors.is_shown(problem)
  local meta = getmetatable(problem)
  return type(meta) == "table" and meta.__tostring ~= nil
end

-- The fields of a table raised as an error, as far as they are texts, numbers or booleans.
local function fields_of(problem)
  local parts = {}
  for key, value in pairs(problem) do
    local is_plain = type(value) == "string" or type(value) == "number" or type(value) == "boolean"
    if is_plain and #parts < 8 then
      local shown = type(value) == "string" and ("%q"):format(value:sub(1, 200)) or tostring(value)
      parts[#parts + 1] = type(key) == "number" and shown or ("%s = %s"):format(tostring(key), shown)
    end
  end
  table.sort(parts)
  return #parts > 0 and "{" .. table.concat(parts, ", ") .. "}" or "without texts in it"
end

-- The text of an error without its position in the library's own sources.
function errors.sentence(problem)
  if problem == nil then return "an error without a message: error() or error(nil)" end
  if type(problem) == "table" and not errors.is_shown(problem) then
    return "an error that is a table " .. fields_of(problem)
  end
  return (tostring(problem):gsub("^%S*aniso/[%w_/]+%.lua:%d+: ", ""))
end

-- Exit codes of an interrupted command: 128 plus the signal's number.
errors.EXIT_OF = { SIGHUP = 129, SIGINT = 130, SIGTERM = 143 }

local Interruption = { __tostring = function(self) return self.line end }

-- Raises the error that ends a command after a signal, {interrupted = signal, exit =}, printed as `line`.
function errors.interrupt(signal, line)
  error(setmetatable({ interrupted = signal, exit = errors.EXIT_OF[signal], line = line }, Interruption), 0)
end

-- For code that catches errors: raises the error again if the process was interrupted (Ctrl-C).
function errors.pass_interrupts(problem)
  if core.sys.interrupted() then error(problem, 0) end
end

-- A handler for xpcall: with --debug it appends a traceback to the error's text.
function errors.traced(problem)
  if type(problem) == "table" or not core.sys.debug() then return problem end
  return debug.traceback(problem, 2)
end

return errors
