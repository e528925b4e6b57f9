-- Warnings about a data set's files: on stderr, each text once per process, since a command may open
-- the same set several times. The set keeps its own warnings in facts.warnings.
-- stream [opt]: used instead of stderr, for tests.
local fault = require "aniso.method.data.fault"

local warnings = {}

local shown = {}

-- Adds one line to the list and shows it.
function warnings.add(list, format, ...)
  local line = fault.printable(format:format(...))
  list[#list + 1] = line
  if shown[line] then return end
  shown[line] = true
  local stream = warnings.stream or io.stderr
  stream:write("aniso: warning: ", line, "\n")
end

-- For tests: shows every warning again.
function warnings.forget()
  shown = {}
end

return warnings
