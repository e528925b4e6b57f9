-- The display of runs in progress. On a terminal: a block of lines, one per running
-- configuration with a bar, the time left and the latest numbers, redrawn in place. Elsewhere:
-- a plain line per epoch, and fewer once a log has grown (progress/board.lua).
--   local board <close> = progress.board { runs = 12 }
--   local p = board:line { label = "ddpm seed 0", total = steps }
--   p:update(done, { loss = 0.71 })    p:epoch "epoch 3/30  loss 0.71 …"    p:finish "acc 0.8"
-- progress.new{…} is such a line on its own board, without a total below.
local boards = require "aniso.show.progress.board"
local text = require "aniso.show.progress.text"

local progress = { duration = text.duration }

local Progress = {}
Progress.__index = Progress

-- board{runs =, stream =, terminal =, clock =, size =, started =} → ProgressBoard. runs: the number
-- of runs, for the line of totals; without it there is no such line. started: the clock at the start.
function progress.board(given)
  return boards.new(given or {}, Progress)
end

-- new{total =, label =}, and the arguments of board().
function progress.new(given)
  local board = progress.board(given)
  return board:line { label = given.label, total = given.total }
end

-- The first call marks the start of this process's work, so that a resumed run shows its current speed.
function Progress:update(done, fields)
  self.first = self.first or { at = self.board.clock(), done = done }
  self.done, self.fields = done, fields or self.fields
  self.board:draw()
end

-- The share of work done, and the share at the start of this process.
function Progress:share()
  if not self.total or self.total <= 0 or not self.done then return 0, 0 end
  return math.min(self.done / self.total, 1), self.first.done / self.total
end

-- Called at the end of an epoch: its numbers are shown in the line, or written to the log.
function Progress:epoch(line)
  self.note = line
  local last = self.total and self.done and self.done >= self.total
  if not self.board.keeps_epochs then
    self.board:draw()
  elseif self.board.terminal or last or self.board:due(self) then
    self.board:print(self:named(line))
  end
end

function Progress:named(line)
  return self.label ~= "" and self.label .. "  " .. line or line
end

-- The current activity, shown while no number changes.
function Progress:phase(what)
  self.note = what
  self.board:draw(true)
end

-- A line that stays.
function Progress:print(line)
  self.board:print(self:named(line))
end

-- Ends a run with these numbers; without numbers the line is only removed.
function Progress:finish(numbers)
  self.board:remove(self)
  if numbers and self.board:count "done" then
    local seconds = self.board.clock() - self.began
    self:print(("finished in %s%s"):format(text.duration(seconds), numbers ~= "" and "  " .. numbers or ""))
  end
end

-- Ends a run that failed.
function Progress:fail(why)
  self.board:remove(self)
  if self.board:count "failed" then
    self.board:print(("aniso: %s failed: %s"):format(self.label, self.board:reason(self.label, why)))
  end
end

return progress
