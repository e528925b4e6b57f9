-- A recorder writes one run, from its start to its end. A failure of the database is raised: a
-- run that cannot be recorded must stop (it then counts as crashed and can be resumed). The
-- endings fail() and interrupt() return nil, message, code instead, because they follow an error.
-- Metrics and log lines are buffered for up to two seconds; the transaction of an evaluation, a
-- checkpoint or an ending writes the buffer too.
local core = require "aniso.core"
local shared_rows = require "aniso.store.shared_rows"
local write_evaluation = require "aniso.store.evaluation"
local db_error = require "aniso.store.db_error"
local ulid = require "aniso.store.ulid"
local must = db_error.must

local FLUSH_EVERY, BEAT_EVERY = 2, 10 -- seconds
local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

local Recorder = { __name = "aniso.Recorder" }
Recorder.__index = Recorder

local recorder = { database = {}, methods = Recorder }

-- live: this process carries the run out, so that it writes the heartbeat and the end.
local function new(db, run_id, uid, live, wall_s)
  local now = core.sys.monotonic()
  return setmetatable({ db = db, id = run_id, uid = uid, live = live, wall_s = wall_s,
    started = now, written = now, metrics = {}, lines = {} }, Recorder)
end

-- ── making recorders: methods of the database ───────────────────────────────────────────
local function write_levels(connection, run_id, levels)
  for i, value in ipairs(levels) do
    must(connection:exec("INSERT OR REPLACE INTO lambda(run_id, class_idx, value) VALUES(?1, ?2, ?3)",
      run_id, i - 1, value))
  end
end

local function insert_run(connection, of)
  local dataset_id = shared_rows.dataset(connection, of.dataset)
  local split_id = shared_rows.split(connection, dataset_id, of.split)
  local config_id = shared_rows.config(connection, of.config)
  local attempts = must(connection:query([[
    SELECT coalesce(max(attempt), 0) AS n FROM run
     WHERE config_id = ?1 AND split_id = ?2 AND seed = ?3]], config_id, split_id, of.seed))
  local git = of.git or {}
  local uid = of.uid or ulid(connection)
  local _, run_id = must(connection:exec([[
    INSERT INTO run(uid, name, label, study_id, config_id, split_id, seed, attempt, started_at,
                    heartbeat_at, host_id, pid, threads, tool_version, git_commit, git_dirty, argv,
                    env, recipe_id, fold)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ]] .. NOW .. ", " .. NOW .. [[,
           ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)]],
    uid, of.name, of.label,
    shared_rows.study(connection, of.study or of.name, of.study_kind or "single"),
    config_id, split_id, of.seed, attempts[1].n + 1, shared_rows.host(connection, of.host or {}),
    core.sys.pid(), of.threads, of.tool_version, git.commit, git.dirty,
    of.argv and core.json.encode(core.json.array(of.argv)), of.env and core.json.encode(of.env),
    shared_rows.source(connection, of.recipe), of.fold))
  write_levels(connection, run_id, of.lambda or {})
  for i, line in ipairs(of.log or {}) do
    must(connection:exec("INSERT INTO log(run_id, seq, at, level, message) VALUES(?1, ?2, ?3, ?4, ?5)",
      run_id, i, core.sys.utc(), line.level, line.message))
  end
  return run_id, uid
end

-- start_run{ name, study [, study_kind, label, uid], config, lambda, dataset, split, seed, fold, host,
-- threads, git, argv, recipe, tool_version, env, log = {{level, message}, …} } → recorder
function recorder.database:start_run(of)
  local run_id, uid = must(self:transaction(insert_run, self.core, of))
  return new(self, run_id, uid, true, 0)
end

local function row_of(db, uid)
  local row = must(db.core:query("SELECT run_id, uid, name, status, wall_s FROM run WHERE uid = ?1",
    uid))[1]
  return row or error(("there is no run %s in %s"):format(tostring(uid), db.path), 0)
end

-- Resumes a run that did not finish. What it recorded after `step`, the step of its checkpoint, is
-- deleted: it will be recorded again.
function recorder.database:resume_run(uid, step)
  local row = row_of(self, uid)
  if row.status == "finished" then
    error(("run %s (%s) is finished: there is nothing to resume"):format(row.name, uid), 0)
  end
  must(self:transaction(function()
    must(self.core:exec("DELETE FROM metric_value WHERE run_id = ?1 AND step > ?2", row.run_id, step))
    must(self.core:exec("DELETE FROM evaluation WHERE run_id = ?1 AND step > ?2", row.run_id, step))
    must(self.core:exec("UPDATE run SET status = 'crashed', ended_at = NULL, error = NULL, "
      .. "resumes = resumes + 1, pid = ?2, heartbeat_at = " .. NOW .. " WHERE run_id = ?1",
      row.run_id, core.sys.pid()))
  end))
  local resumed = new(self, row.run_id, row.uid, true, row.wall_s)
  resumed:log("info", step > 0 and "resumed after epoch " .. step or "begun again")
  return resumed
end

-- A recorder that adds evaluations to a run and leaves its status as it is.
function recorder.database:record_of(uid)
  local row = row_of(self, uid)
  return new(self, row.run_id, row.uid, false, row.wall_s)
end

-- ── recording ───────────────────────────────────────────────────────────────────────────
local function kind_of(value)
  if value ~= value then return "nan" end
  if value == math.huge then return "inf" end
  return value == -math.huge and "-inf" or "finite"
end

local function write_metrics(self)
  for _, m in ipairs(self.metrics) do
    local kind = kind_of(m.value)
    must(self.db.core:exec("INSERT INTO metric(name) VALUES(?1) ON CONFLICT DO NOTHING", m.name))
    must(self.db.core:exec([[
      INSERT OR REPLACE INTO metric_value(run_id, metric_id, part, step, value, kind)
      SELECT ?1, metric_id, ?3, ?4, ?5, ?6 FROM metric WHERE name = ?2]],
      self.id, m.name, m.part, m.step, kind == "finite" and m.value or nil, kind))
  end
end

local function write_lines(self)
  for _, line in ipairs(self.lines) do
    must(self.db.core:exec([[
      INSERT INTO log(run_id, seq, at, level, message)
      SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4 FROM log WHERE run_id = ?1]],
      self.id, line.at, line.level, line.message))
  end
end

-- One transaction: the buffered rows, a heartbeat, and what `more` writes. If the transaction fails, the
-- rows stay in the buffer.
local function write(self, more)
  local now = core.sys.monotonic()
  local results = table.pack(self.db:transaction(function()
    write_metrics(self)
    write_lines(self)
    if self.live then
      must(self.db.core:exec("UPDATE run SET wall_s = ?2, heartbeat_at = " .. NOW
        .. " WHERE run_id = ?1", self.id, self.wall_s + now - self.started))
    end
    if more then return more(self.db.core) end
  end))
  if results[1] ~= nil then self.metrics, self.lines, self.written = {}, {}, now end
  return table.unpack(results, 1, results.n)
end

local function write_when_due(self)
  local waited = core.sys.monotonic() - self.written
  local waiting = #self.metrics + #self.lines > 0
  if waited >= (waiting and FLUSH_EVERY or BEAT_EVERY) then must(write(self)) end
end

-- metric("train", 3, {loss = 0.4, acc = 0.8}); NaN and the infinities are recorded as such.
function Recorder:metric(part, step, values)
  for name, value in pairs(values) do
    self.metrics[#self.metrics + 1] = { part = part, step = step, name = name, value = value }
  end
  write_when_due(self)
end

local function add_line(self, level, message)
  self.lines[#self.lines + 1] = { at = core.sys.utc(), level = level, message = message }
end

-- Logs an event: a validation, a stage, an interruption, a damaged file.
function Recorder:log(level, message)
  add_line(self, level, message)
  write_when_due(self)
end

-- May be called after every step: it writes every ten seconds at most.
function Recorder:heartbeat()
  write_when_due(self)
end

function Recorder:flush()
  must(write(self))
end

-- evaluation{ part, weights, step, primary, selected_by, sampler, steps, draws, seed, n,
-- confusion, results, class_scores, bins, predictions, calibration, passes, image_s } → its number
function Recorder:evaluation(of)
  return must(write(self, function(connection)
    return write_evaluation(connection, self.id, of)
  end))
end

-- checkpoint{ kind, step, path, sha256, bytes }: the newest of its kind.
function Recorder:checkpoint(of)
  must(write(self, function(connection)
    must(connection:exec("INSERT OR REPLACE INTO checkpoint(run_id, kind, step, path, sha256, bytes, at) "
      .. "VALUES(?1, ?2, ?3, ?4, ?5, ?6, " .. NOW .. ")",
      self.id, of.kind, of.step, of.path, of.sha256, of.bytes))
  end))
end

-- ── endings ─────────────────────────────────────────────────────────────────────────────
local function finish(self, status, message, levels)
  if not self.live then error("record_of() gives a recorder without an end of its own", 3) end
  add_line(self, status == "failed" and "error" or "info", message and status .. ": " .. message or status)
  return write(self, function(connection)
    write_levels(connection, self.id, levels or {})
    must(connection:exec("UPDATE run SET status = ?2, error = ?3, ended_at = " .. NOW
      .. " WHERE run_id = ?1", self.id, status, message))
  end)
end

-- levels [opt]: the λ_j that the training found, in the place of those at its start.
function Recorder:finish(levels)
  must(finish(self, "finished", nil, levels))
end

function Recorder:fail(message)
  return finish(self, "failed", tostring(message))
end

function Recorder:interrupt()
  return finish(self, "interrupted")
end

function Recorder:__tostring()
  return ("Recorder(%s)"):format(self.uid)
end

return recorder
