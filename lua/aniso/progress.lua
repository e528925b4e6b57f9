-- What a person sees while a run works. On a terminal: one line, redrawn at most ten times
-- a second, with a bar, the rate, the time left and the given fields. Elsewhere: one plain
-- line per epoch, nothing in between.
--   local p = progress.new { total = steps, label = "ddpm seed 0" }
--   p:update(done, { loss = 0.71 })    p:epoch "epoch 3/30  loss 0.71 …"    p:finish()
local sys = require("aniso.core").sys

local Progress = {}
Progress.__index = Progress

local progress = {}
local every = 0.1 -- seconds between two drawings

function progress.new(given)
  local stream = given.stream or io.stderr
  local terminal = given.terminal
  if terminal == nil then terminal = stream == io.stderr and sys.isatty "stderr" end
  return setmetatable({
    total = given.total, label = given.label or "", stream = stream, terminal = terminal,
    clock = given.clock or sys.monotonic, drawn = -math.huge, first = nil, width = given.width,
  }, Progress)
end

-- 75 → "1:15", 3700 → "1:01:40"
function progress.duration(seconds)
  local s = math.floor(seconds + 0.5)
  if s >= 3600 then return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60) end
  return ("%d:%02d"):format(s // 60, s % 60)
end

local function field_text(fields)
  local names, out = {}, {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = fields[name]
    out[i] = name .. " " .. (math.type(value) == "float" and ("%.4g"):format(value) or tostring(value))
  end
  return table.concat(out, "  ")
end

-- The rate counts from the first update, so that a resumed run shows its own speed.
function Progress:line(done, fields, now)
  local since = now - self.first.at
  local rate = since > 0 and (done - self.first.done) / since or 0
  local share = self.total and self.total > 0 and math.min(done / self.total, 1) or 0
  local filled = math.floor(share * 20)
  local bar = ("█"):rep(filled) .. ("░"):rep(20 - filled)
  local left = rate > 0 and self.total and progress.duration((self.total - done) / rate) or "–:––"
  return ("%s %s %3d%%  %.1f/s  left %s  %s"):format(self.label, bar, math.floor(share * 100),
    rate, left, field_text(fields or {}))
end

local function cut(text, columns)
  local stop = utf8.len(text) and utf8.offset(text, columns + 1)
  return stop and text:sub(1, stop - 1) or text
end

function Progress:update(done, fields)
  local now = self.clock()
  self.first = self.first or { at = now, done = done }
  if not self.terminal or now - self.drawn < every then return end
  self.drawn = now
  local columns = (self.width or sys.width "stderr" or 80) - 1
  self.stream:write("\r", cut(self:line(done, fields, now), columns), "\27[K")
  self.stream:flush()
end

function Progress:clear()
  if self.terminal and self.drawn > -math.huge then self.stream:write "\r\27[K" end
  self.drawn = -math.huge
end

function Progress:epoch(line)
  self:clear()
  self.stream:write(self.label ~= "" and self.label .. "  " or "", line, "\n")
  self.stream:flush()
end

function Progress:finish()
  self:clear()
  self.stream:flush()
end

return progress
