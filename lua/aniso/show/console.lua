-- Prints a command's output next to its tables. Names, labels, notes and paths come from outside: control
-- characters, and characters that reorder a line, are printed as codes (sys.visible). A line stays one line,
-- whatever newlines its names contain; a text has its own lines, and the names in it are already visible.
local visible = require("aniso.core").sys.visible

local console = {}

-- A line on stdout.
function console.print(line)
  io.stdout:write(visible(line or ""), "\n")
end

-- A text of several lines on stdout.
function console.print_text(text)
  io.stdout:write(visible(text, true), "\n")
end

-- A line on stderr, built from parts.
function console.note(...)
  io.stderr:write(visible(table.concat { ... }), "\n")
end

-- A text of several lines on stderr.
function console.note_text(text)
  io.stderr:write(visible(text, true), "\n")
end

return console
