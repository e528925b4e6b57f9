-- What a command prints next to its tables. Names, labels, notes and paths come from outside: control
-- characters, and what reorders a line, are printed as codes (sys.visible); newline and tab stay.
local visible = require("aniso.core").sys.visible

local console = {}

-- A line on stdout, as print() writes it.
function console.print(...)
  local texts = table.pack(...)
  for i = 1, texts.n do texts[i] = tostring(texts[i]) end
  io.stdout:write(visible(table.concat(texts, "\t"), true), "\n")
end

-- Text on stderr, without a newline at its end.
function console.note(...)
  io.stderr:write(visible(table.concat { ... }, true))
end

return console
