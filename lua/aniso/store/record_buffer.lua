-- What a run has recorded but the database does not contain yet: metrics, log lines and checkpoints, in
-- order. While another program has the database locked, the buffer grows; checkpoints then contain it
-- (plain()), so that a run that is killed meanwhile resumes with complete records.
local core = require "aniso.core"
local db_error = require "aniso.store.db_error"
local must = db_error.must

local Buffer = {}
Buffer.__index = Buffer

local record_buffer = {}

local MOST = 100000 -- rows in memory, some tens of MB; a full buffer waits for the database
local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
local LISTS = { "metrics", "lines", "checkpoints" }

function record_buffer.new()
  return setmetatable({ metrics = {}, lines = {}, checkpoints = {} }, Buffer)
end

function Buffer:size()
  return #self.metrics + #self.lines + #self.checkpoints
end

function Buffer:is_full()
  return self:size() >= MOST
end

function Buffer:clear()
  for _, name in ipairs(LISTS) do self[name] = {} end
end

local function kind_of(value)
  if value ~= value then return "nan" end
  if value == math.huge then return "inf" end
  return value == -math.huge and "-inf" or "finite"
end

function Buffer:metric(part, step, name, value)
  local kind = kind_of(value)
  table.insert(self.metrics, { part = part, step = step, name = name, kind = kind,
    value = kind == "finite" and value or nil })
end

function Buffer:line(level, message)
  table.insert(self.lines, { at = core.sys.utc(), level = level, message = message })
end

-- of: kind, step, path, sha256, bytes
function Buffer:checkpoint(of)
  table.insert(self.checkpoints, of)
end

local function write_metrics(self, connection, run_id)
  for _, m in ipairs(self.metrics) do
    must(connection:exec("INSERT INTO metric(name) VALUES(?1) ON CONFLICT DO NOTHING", m.name))
    must(connection:exec([[
      INSERT OR REPLACE INTO metric_value(run_id, metric_id, part, step, value, kind)
      SELECT ?1, metric_id, ?3, ?4, ?5, ?6 FROM metric WHERE name = ?2]],
      run_id, m.name, m.part, m.step, m.value, m.kind))
  end
end

-- Writes all rows; call it in a transaction, and clear() once that is committed.
function Buffer:write(connection, run_id)
  write_metrics(self, connection, run_id)
  for _, line in ipairs(self.lines) do
    must(connection:exec([[
      INSERT INTO log(run_id, seq, at, level, message)
      SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4 FROM log WHERE run_id = ?1]],
      run_id, line.at, line.level, line.message))
  end
  for _, of in ipairs(self.checkpoints) do
    must(connection:exec("INSERT OR REPLACE INTO checkpoint(run_id, kind, step, path, sha256, bytes, at) "
      .. "VALUES(?1, ?2, ?3, ?4, ?5, ?6, " .. NOW .. ")",
      run_id, of.kind, of.step, of.path, of.sha256, of.bytes))
  end
end

-- The rows as lists for a checkpoint's state; nil if there are no rows.
function Buffer:plain()
  if self:size() == 0 then return nil end
  local out = {}
  for _, name in ipairs(LISTS) do
    out[name] = core.json.array(table.move(self[name], 1, #self[name], 1, {}))
  end
  return out
end

-- Adds the lists that plain() returned, read from a checkpoint; nil adds nothing.
function Buffer:add_plain(plain)
  for _, name in ipairs(plain and LISTS or {}) do
    for _, row in ipairs(plain[name] or {}) do table.insert(self[name], row) end
  end
end

return record_buffer
