-- A board: the lines of the runs in progress, and below them a total over a study's runs. On a terminal
-- the block is redrawn at most ten times a second, in one write, and the cursor stays below it,
-- so that the terminal is intact however the program ends. Elsewhere the first hundred epoch lines are all
-- written; after that, the pause between two lines of a run grows with the elapsed time, from ten seconds to
-- ten minutes.
local sys = require("aniso.core").sys
local text = require "aniso.show.progress.text"
local tables = require "aniso.show.table"

local Board = { __name = "aniso.ProgressBoard" }
Board.__index = Board

local EVERY = 0.1                               -- seconds between two drawings
local ALL_UP_TO, MIN_PAUSE, MAX_PAUSE, SHARE = 100, 10, 600, 0.01 -- for a log, without a terminal

-- Columns and rows of the terminal.
local function size_of_stderr()
  local columns, rows = sys.width "stderr"
  return columns or 80, rows or 24
end

-- See progress.board(). Line: the class of its lines.
local function new(given, Line)
  local stream = given.stream or io.stderr
  local terminal = given.terminal
  if terminal == nil then terminal = stream == io.stderr and sys.isatty "stderr" end
  local clock = given.clock or sys.monotonic
  return setmetatable({ stream = stream, terminal = terminal, clock = clock, runs = given.runs,
    size = given.size or size_of_stderr, started = given.started or clock(), Line = Line,
    keeps_epochs = not (terminal and given.runs), lines = {}, shown = {}, drawn = -math.huge,
    done = 0, failed = 0, written = 0, reasons = {} }, Board)
end

-- line{label =, total = steps} → Progress
function Board:line(given)
  local line = setmetatable({ board = self, label = sys.visible(given.label or ""), total = given.total,
    began = given.began or self.clock() }, self.Line)
  self.lines[#self.lines + 1] = line
  return line
end

function Board:remove(line)
  for i, one in ipairs(self.lines) do
    if one == line then table.remove(self.lines, i) break end
  end
  if #self.lines == 0 then self:clear() end
end

-- Counts the end of a run; false on a board without totals.
function Board:count(how)
  if not self.runs then return false end
  self[how] = self[how] + 1
  return true
end

-- The reason why a run failed. The message of one fault in data or options is printed once, not for each run.
function Board:reason(label, why)
  local first = self.reasons[why]
  self.reasons[why] = first or label
  return first and first ~= label and "the same error as " .. first or why
end

-- n more runs will end on the board, or fewer if n is below 0.
function Board:expect(n)
  self.runs = self.runs + n
end

-- A line for a log: on a terminal the block already shows it.
function Board:announce(line)
  if not self.terminal then self:print(line) end
end

-- Called when all `ended` runs have ended: prints the summary.
function Board:conclude(ended)
  self.runs = ended
  if ended > 0 then self:print(self:summary()) end
end

-- One error ended all runs.
function Board:fail_all(why)
  while self.lines[1] do self.lines[1]:fail(why) end
end

-- ── the total ───────────────────────────────────────────────────────────────────────────
-- The seconds for the rest of the study at its speed so far, measured in runs.
function Board:left(now)
  local ended, begun = self.done + self.failed, 0
  local worked, rest = ended, self.runs - ended
  for _, line in ipairs(self.lines) do
    local share, before = line:share()
    worked, begun = worked + share - before, begun + share
  end
  rest = rest - begun
  if worked <= 0 or now <= self.started then return nil end
  return math.max(0, rest) * (now - self.started) / worked
end

function Board:total_line(now, columns)
  local share = self.done + self.failed
  for _, line in ipairs(self.lines) do share = share + line:share() end
  return ("%s  %s  %s  %d of %d done, %d failed, %d running"):format(text.pad("study", columns),
    text.bar(math.min(1, share / self.runs), 20), text.left(self:left(now)), self.done, self.runs,
    self.failed, #self.lines)
end

-- "4 runs in 1:05: 3 finished, 1 failed", printed at the end.
function Board:summary()
  local parts = { ("%d finished"):format(self.done) }
  if self.failed > 0 then parts[2] = ("%d failed"):format(self.failed) end
  return ("%d %s in %s: %s"):format(self.runs, self.runs == 1 and "run" or "runs",
    text.duration(self.clock() - self.started), table.concat(parts, ", "))
end

-- ── drawing ─────────────────────────────────────────────────────────────────────────────
-- The block as lines that fit the terminal.
function Board:block(now, columns, rows)
  local out, widest = {}, self.runs and 5 or 0
  local room = math.max(1, rows - 3)
  for _, line in ipairs(self.lines) do widest = math.max(widest, tables.width(line.label)) end
  for i, line in ipairs(self.lines) do
    if i > room then
      out[i] = ("… and %d more"):format(#self.lines - room)
      break
    end
    out[i] = text.line(line, now, #self.lines + (self.runs or 0) > 1 and widest or 0)
  end
  if self.runs and self.runs > 1 then out[#out + 1] = self:total_line(now, widest) end
  for i, line in ipairs(out) do out[i] = tables.cut(line, columns - 1) end
  return out
end

-- Moves to the block's first line. A terminal that became narrower has wrapped its lines.
function Board:up(columns)
  local rows = 0
  for _, line in ipairs(self.shown) do rows = rows + math.max(1, -(-tables.width(line) // columns)) end
  return rows > 0 and ("\r\27[%dA"):format(rows) or "\r"
end

function Board:draw(at_once)
  local now = self.terminal and self.clock()
  if not now or not at_once and now - self.drawn < EVERY then return end
  self.drawn = now
  local columns, rows = self.size()
  local block, out = self:block(now, columns, rows), { self:up(columns) }
  for i, line in ipairs(block) do out[i + 1] = line .. "\27[K\n" end
  out[#out + 1] = "\27[J"
  self.shown = block
  self.stream:write(table.concat(out))
  self.stream:flush()
end

-- Removes the block from the terminal.
function Board:clear()
  if #self.shown == 0 then return end
  self.stream:write(self:up((self.size())), "\27[J")
  self.stream:flush()
  self.shown = {}
end

-- A line that stays, above the block. With --debug an error includes a traceback, whose newlines are kept.
function Board:print(line)
  self:clear()
  self.stream:write(sys.visible(line, sys.debug()), "\n")
  self.stream:flush()
  if #self.lines > 0 or self.runs and self.done + self.failed < self.runs then self:draw(true) end
end

-- Whether an epoch's line may be written to a log now.
function Board:due(line)
  local now = self.clock()
  local pause = math.max(MIN_PAUSE, SHARE * (now - self.started)) * math.max(1, #self.lines)
  pause = math.min(MAX_PAUSE, pause)
  if self.written >= ALL_UP_TO and line.logged and now - line.logged < pause then return false end
  self.written, line.logged = self.written + 1, now
  return true
end

function Board:close()
  self.lines = {}
  self:clear()
end

Board.__close = Board.close

return { new = new }
