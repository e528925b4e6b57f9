-- The board of a worker that `aniso run --jobs` started. Each call becomes one line on stderr, a control
-- character followed by JSON. The command that started the worker applies it to the single board that the
-- user sees (receiver.lua).
--   sender.board() → a board with the methods that training calls
local json = require("aniso.core").json
local monotonic = require("aniso.core").sys.monotonic

local MARK = "\30" -- ASCII's record separator, as in JSON text sequences (RFC 7464)
local EVERY = 0.1  -- seconds between two updates of a line

local sender = { MARK = MARK }

local function send(what, ...)
  io.stderr:write(MARK, json.encode { what, ... }, "\n")
  io.stderr:flush()
end

local Line = {}
Line.__index = Line

-- JSON has no infinities and no NaN.
local function shown(fields)
  local out = {}
  for name, value in pairs(fields or {}) do
    out[name] = math.type(value) == "float" and (value ~= value or math.abs(value) == math.huge)
      and tostring(value) or value
  end
  return out
end

local function send_state(line)
  line.sent = monotonic()
  send("update", line.id, line.done, shown(line.fields))
end

function Line:update(done, fields)
  self.done, self.fields = done, fields or self.fields
  if not self.sent or monotonic() - self.sent >= EVERY then send_state(self) end
end

function Line:epoch(text)
  if self.done then send_state(self) end
  send("epoch", self.id, text)
end

function Line:phase(text)
  send("phase", self.id, text)
end

function Line:print(text)
  send("line", self.id, text)
end

function Line:finish(numbers)
  self.board.lines[self.id] = nil
  send("finish", self.id, numbers)
end

function Line:fail(why)
  self.board.lines[self.id] = nil
  send("fail", self.id, tostring(why))
end

local Board = {}
Board.__index = Board

function Board:line(given)
  self.count = self.count + 1
  local line = setmetatable({ board = self, id = self.count }, Line)
  self.lines[line.id] = line
  send("begin", line.id, given.label or "", given.total)
  return line
end

function Board:print(text)
  send("print", tostring(text))
end

function Board:announce(text)
  send("announce", text)
end

function Board:expect(n)
  if n ~= 0 then send("expect", n) end
end

function Board:fail_all(why)
  for id = 1, self.count do
    if self.lines[id] then self.lines[id]:fail(why) end
  end
end

-- The summary and the screen belong to the board that the user sees.
function Board:conclude() end
Board.clear, Board.close = Board.conclude, Board.conclude
Board.__close = Board.close

function sender.board()
  return setmetatable({ lines = {}, count = 0 }, Board)
end

return sender
