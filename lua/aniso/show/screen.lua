-- A block of lines that is redrawn in place, below lines that stay; if the stream is not a terminal,
-- only the lines that stay are written, without escape codes.
--   local screen <close> = screen.new {}      screen:draw { "one", "two" }      screen:print "stays"
-- The cursor stays below the block, so that the terminal is intact however the program ends.
local sys = require("aniso.core").sys
local tables = require "aniso.show.table"

local Screen = {}
Screen.__index = Screen

local screen = {}

local function size_of_stdout()
  local columns, rows = sys.width "stdout"
  return columns or 80, rows or 24
end

-- All [opt]: stream (stdout), terminal = whether it is one, size = function → columns, rows.
function screen.new(given)
  local terminal = given.terminal
  if terminal == nil then terminal = not given.stream and sys.isatty "stdout" end
  return setmetatable({ stream = given.stream or io.stdout, terminal = terminal,
    size = given.size or size_of_stdout, shown = {} }, Screen)
end

-- Escape codes that move to the block's first line. A terminal that became narrower has wrapped its lines.
function Screen:up(columns)
  local rows = 0
  for _, line in ipairs(self.shown) do rows = rows + math.max(1, -(-tables.width(line) // columns)) end
  return rows > 0 and ("\r\27[%dA"):format(rows) or "\r"
end

-- If the lines do not fit the height, the last one, the total, is kept.
local function fit(lines, columns, rows)
  local out, room = lines, math.max(3, rows - 1)
  if #lines > room then
    out = table.move(lines, 1, room - 2, 1, {})
    out[room - 1] = ("… and %d more"):format(#lines - room + 1)
    out[room] = lines[#lines]
  end
  for i, line in ipairs(out) do out[i] = tables.cut(sys.visible(line), columns - 1) end
  return out
end

function Screen:draw(lines)
  if not self.terminal then return end
  local columns, rows = self.size()
  local out = { self:up(columns) }
  self.shown = fit(lines, columns, rows)
  for i, line in ipairs(self.shown) do out[i + 1] = line .. "\27[K\n" end
  self.stream:write(table.concat(out), "\27[J")
  self.stream:flush()
end

-- Removes the block from the terminal.
function Screen:clear()
  if #self.shown == 0 then return end
  self.stream:write(self:up((self.size())), "\27[J")
  self.stream:flush()
  self.shown = {}
end

-- Prints a line that stays; the block returns with the next draw().
function Screen:print(line)
  self:clear()
  self.stream:write(sys.visible(line), "\n")
  self.stream:flush()
end

Screen.__close = Screen.clear

return screen
