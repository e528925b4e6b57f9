-- Errors in the files of a data set: fault.raise("EFORMAT", …) inside a reader becomes
-- nil, message, code from data.open. Any other error is a mistake in the options, or ours.
local fault = {}

local meta = { __tostring = function(self) return self.message end }

-- Names come from file systems and tables; one message is one line.
fault.printable = require("aniso.core").sys.visible

-- code: "ENOTFOUND" for what is missing, "EFORMAT" for what exists but is not as expected.
function fault.raise(code, format, ...)
  error(setmetatable({ message = fault.printable(format:format(...)), code = code }, meta), 0)
end

-- value; raises the engine's error (nil, message, code) if there is one.
function fault.need(value, message, code)
  if value == nil then fault.raise(code or "EFORMAT", "%s", message) end
  return value
end

-- f(…), or nil, message, code if it raised one of these errors.
function fault.catch(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local problem = results[2]
  if getmetatable(problem) ~= meta then error(problem, 0) end
  return nil, problem.message, problem.code
end

return fault
