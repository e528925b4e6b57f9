-- Errors as printed sentences, and interruptions, which error handlers must pass on.
local core = require "aniso.core"

local errors = {}

-- The text of an error without its position in the library's own sources.
function errors.sentence(problem)
  return (tostring(problem):gsub("^%S*aniso/[%w_/]+%.lua:%d+: ", ""))
end

-- Exit codes of an interrupted command: 128 and the signal's number.
errors.EXIT_OF = { SIGHUP = 129, SIGINT = 130, SIGTERM = 143 }

local Interruption = { __tostring = function(self) return self.line end }

-- Raises the error that ends a command after a signal, {interrupted = signal, exit =}, printed as `line`.
function errors.interrupt(signal, line)
  error(setmetatable({ interrupted = signal, exit = errors.EXIT_OF[signal], line = line }, Interruption), 0)
end

-- Call it where an error is caught: raises the error again if the process was interrupted (Ctrl-C).
function errors.pass_interrupts(problem)
  if core.sys.interrupted() then error(problem, 0) end
end

-- A handler for xpcall: with --debug the text of an error ends with a traceback.
function errors.traced(problem)
  if type(problem) == "table" or not core.sys.debug() then return problem end
  return debug.traceback(problem, 2)
end

return errors
