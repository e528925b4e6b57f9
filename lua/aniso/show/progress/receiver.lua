-- Applies to a board what a worker's board (sender.lua) sent; other text of the worker is shown as a line.
--   receiver.new(board, name) → receiver      name: the worker's, in front of its lines
--   receiver:feed(text)      the worker's output since the last call
--   receiver:close() → the labels of the runs that the worker did not end
local json = require("aniso.core").json
local MARK = require("aniso.show.progress.sender").MARK

local MOST = 1 << 20 -- bytes of a line

local Receiver = {}
Receiver.__index = Receiver

-- The values of an event by kind; those in brackets may be missing.
local KINDS = {
  begin = { "id", "text", "[number]" }, update = { "id", "number", "[fields]" }, epoch = { "id", "text" },
  phase = { "id", "text" }, line = { "id", "text" }, finish = { "id", "[text]" }, fail = { "id", "text" },
  print = { "text" }, announce = { "text" }, expect = { "count" },
}

local function is_whole(value, least, most)
  return math.type(value) == "integer" and value >= least and value <= most
end

local FITS = {
  id = function(value) return is_whole(value, 1, MOST) end,
  count = function(value) return is_whole(value, -MOST, MOST) end,
  text = function(value) return type(value) == "string" end,
  number = function(value) return type(value) == "number" and value >= 0 and value <= 1e15 end,
  fields = function(value)
    if type(value) ~= "table" then return false end
    for name, one in pairs(value) do
      if type(name) ~= "string" or type(one) ~= "string" and type(one) ~= "number" then return false end
    end
    return true
  end,
}

-- Whether a decoded line is an event with the values of its kind.
local function is_event(event)
  local kinds = type(event) == "table" and KINDS[event[1]]
  if not kinds or #event > 1 + #kinds then return false end
  for i, kind in ipairs(kinds) do
    local value, may_miss = event[i + 1], kind:match "^%[(.*)%]$"
    if not (may_miss and value == nil) and not FITS[may_miss or kind](value) then return false end
  end
  return true
end

local events = {}

function events:begin(id, label, total)
  self.lines[id] = self.board:line { label = ("%s: %s"):format(self.name, label), total = total }
  self.labels[id] = label
end

function events:update(id, done, fields)
  self.lines[id]:update(done, fields)
end

function events:epoch(id, text)
  self.lines[id]:epoch(text)
end

function events:phase(id, text)
  self.lines[id]:phase(text)
end

function events:line(id, text)
  self.lines[id]:print(text)
end

local function forget(self, id)
  local line = self.lines[id]
  self.lines[id], self.labels[id] = nil, nil
  return line
end

function events:finish(id, numbers)
  forget(self, id):finish(numbers)
end

function events:fail(id, why)
  forget(self, id):fail(why)
end

function events:print(text)
  self.board:print(("%s: %s"):format(self.name, text))
end

function events:announce(text)
  self.board:announce(("%s: %s"):format(self.name, text))
end

function events:expect(n)
  self.board:expect(n)
end

-- A line that is not an event, or an event that this version does not support, is shown as text.
local function handle(self, line)
  local decoded, event = pcall(json.decode, line:sub(1, #MARK) == MARK and line:sub(#MARK + 1) or "")
  if decoded and is_event(event) and pcall(events[event[1]], self, table.unpack(event, 2, 4)) then return end
  if line:find "%S" then events.print(self, line) end
end

function Receiver:feed(text)
  local from, new = 1, self.rest .. text
  local stop = new:find("\n", #self.rest + 1, true)
  while stop do
    handle(self, new:sub(from, stop - 1))
    from = stop + 1
    stop = new:find("\n", from, true)
  end
  self.rest = new:sub(from)
  if #self.rest > MOST then
    handle(self, self.rest)
    self.rest = ""
  end
end

function Receiver:close()
  local labels, ids = {}, {}
  if self.rest ~= "" then handle(self, self.rest) end
  for id in pairs(self.lines) do ids[#ids + 1] = id end
  table.sort(ids)
  for i, id in ipairs(ids) do
    labels[i] = self.labels[id]
    self.board:remove(forget(self, id))
  end
  return labels
end

local function new(board, name)
  return setmetatable({ board = board, name = name, lines = {}, labels = {}, rest = "" }, Receiver)
end

return { new = new }
