-- A recorder writes one run, from its start to its end. A failure of the database is raised: a
-- run that cannot be recorded must stop (it then counts as crashed and can be resumed). The
-- endings fail() and interrupt() return nil, message, code instead, because they follow an error.
-- Metrics, log lines and checkpoints are buffered for up to two seconds, and while another program has the
-- database locked (lock_wait.lua); the transaction of an evaluation or an ending writes the buffer too and
-- waits for the lock.
local core = require "aniso.core"
local shared_rows = require "aniso.store.shared_rows"
local write_evaluation = require "aniso.store.evaluation"
local db_error = require "aniso.store.db_error"
local record_buffer = require "aniso.store.record_buffer"
local ulid = require "aniso.store.ulid"
local must = db_error.must

local FLUSH_EVERY, BEAT_EVERY = 2, 10 -- seconds
local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

local Recorder = { __name = "aniso.Recorder" }
Recorder.__index = Recorder

local recorder = { database = {}, methods = Recorder }

-- live: this process carries out the run, so it writes the heartbeat and the end.
local function new(db, run_id, uid, live, wall_s)
  local now = core.sys.monotonic()
  return setmetatable({ db = db, id = run_id, uid = uid, live = live, wall_s = wall_s,
    started = now, tried = now, buffer = record_buffer.new() }, Recorder)
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
  local uid = of.uid or ulid.new(connection)
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
-- deleted: it will be recorded again. unwritten [opt]: the result of Recorder:unwritten() in the checkpoint.
function recorder.database:resume_run(uid, step, unwritten)
  local row = row_of(self, uid)
  if row.status == "finished" then
    error(("run %s (%s) is finished: there is nothing to resume"):format(row.name, uid), 0)
  end
  must(self:transaction(function()
    must(self.core:exec("DELETE FROM metric_value WHERE run_id = ?1 AND step > ?2", row.run_id, step))
    must(self.core:exec("DELETE FROM evaluation WHERE run_id = ?1 AND step > ?2", row.run_id, step))
    must(self.core:exec("DELETE FROM checkpoint WHERE run_id = ?1 AND step > ?2", row.run_id, step))
    must(self.core:exec("UPDATE run SET status = 'crashed', ended_at = NULL, error = NULL, "
      .. "resumes = resumes + 1, pid = ?2, heartbeat_at = " .. NOW .. " WHERE run_id = ?1",
      row.run_id, core.sys.pid()))
  end))
  local resumed = new(self, row.run_id, row.uid, true, row.wall_s)
  resumed.buffer:add_plain(unwritten)
  resumed:log("info", step > 0 and "resumed after epoch " .. step or "begun again")
  return resumed
end

-- A recorder that adds evaluations to a run and leaves its status as it is.
function recorder.database:record_of(uid)
  local row = row_of(self, uid)
  return new(self, row.run_id, row.uid, false, row.wall_s)
end

-- ── recording ───────────────────────────────────────────────────────────────────────────
local TRY_MS = 10000 -- how long the end of an unfinished run waits for another program's lock

-- The evaluation of a stored run may take minutes. Meanwhile `aniso rm` and `aniso gc` can delete the run,
-- and the next new run then receives its number.
local function need_run(self)
  local sql = "SELECT 1 FROM run WHERE run_id = ?1 AND uid = ?2"
  if must(self.db.core:query(sql, self.id, self.uid))[1] then return end
  db_error.raise(("run %s was deleted while it was evaluated; nothing of that is stored"):format(self.uid),
    "ENOTFOUND")
end

-- One transaction: the buffered rows, a heartbeat, and what `more` writes. If the transaction fails, the
-- rows stay in the buffer. how: as for lock_wait.begin().
local function write(self, how, more)
  local now = core.sys.monotonic()
  local results = table.pack(self.db:transaction_when(how, function()
    if not self.live then need_run(self) end
    self.buffer:write(self.db.core, self.id)
    if self.live then
      must(self.db.core:exec("UPDATE run SET wall_s = ?2, heartbeat_at = " .. NOW
        .. " WHERE run_id = ?1", self.id, self.wall_s + now - self.started))
    end
    if more then return more(self.db.core) end
  end))
  self.tried = now
  if results[1] ~= nil then
    self.buffer:clear()
    self.delayed = nil
  end
  return table.unpack(results, 1, results.n)
end

-- Writes the buffer, or leaves that for later while another program has the database locked. → whether it
-- is written
local function write_or_keep(self)
  local how = self.buffer:is_full() and "wait" or "later"
  local written, message, code = write(self, how)
  if written ~= nil then return true end
  if code ~= "EBUSY" or not self.db.waiting then db_error.raise(message, code) end
  if not self.delayed then
    self.delayed = true
    self.buffer:line("warn", "another program had the database locked; what follows was written later")
  end
  return false
end

local function write_when_due(self)
  local waited = core.sys.monotonic() - self.tried
  if waited >= (self.buffer:size() > 0 and FLUSH_EVERY or BEAT_EVERY) then write_or_keep(self) end
end

-- metric("train", 3, {loss = 0.4, acc = 0.8}); NaN and the infinities are recorded as such.
function Recorder:metric(part, step, values)
  for name, value in pairs(values) do self.buffer:metric(part, step, name, value) end
  write_when_due(self)
end

-- Logs an event: a validation, a stage, an interruption, a damaged file.
function Recorder:log(level, message)
  self.buffer:line(level, message)
  write_when_due(self)
end

-- May be called after every step: it writes at most every ten seconds.
function Recorder:heartbeat()
  write_when_due(self)
end

-- Writes the buffer. → true, or false if another program has the database locked
function Recorder:flush()
  return write_or_keep(self)
end

-- What flush() could not write, as a table for the state of a checkpoint; nil if it wrote everything.
function Recorder:unwritten()
  return self.buffer:plain()
end

-- Deletes the metrics of the epochs up to `step`, which this run began and another one carried out.
function Recorder:forget_metrics(step)
  must(write(self, "wait", function(connection)
    return connection:exec("DELETE FROM metric_value WHERE run_id = ?1 AND step <= ?2", self.id, step)
  end))
end

-- evaluation{ part, weights, step, primary, selected_by, sampler, steps, draws, seed, n,
-- confusion, results, class_scores, bins, predictions, calibration, passes, image_s } → its number
function Recorder:evaluation(of)
  return must(write(self, "wait", function(connection)
    return write_evaluation(connection, self.id, of)
  end))
end

-- checkpoint{ kind, step, path, sha256, bytes }: the newest of its kind.
function Recorder:checkpoint(of)
  self.buffer:checkpoint(of)
  write_or_keep(self)
end

-- ── endings ─────────────────────────────────────────────────────────────────────────────
local function finish(self, how, status, message, levels)
  if not self.live then error("record_of() gives a recorder without an end of its own", 3) end
  self.buffer:line(status == "failed" and "error" or "info",
    message and status .. ": " .. message or status)
  return write(self, how, function(connection)
    write_levels(connection, self.id, levels or {})
    must(connection:exec("UPDATE run SET status = ?2, error = ?3, ended_at = " .. NOW
      .. " WHERE run_id = ?1", self.id, status, message))
  end)
end

-- levels [opt]: the λ_j that training found, instead of those at its start.
function Recorder:finish(levels)
  must(finish(self, "wait", "finished", nil, levels))
end

function Recorder:fail(message)
  return finish(self, TRY_MS, "failed", tostring(message))
end

function Recorder:interrupt()
  return finish(self, TRY_MS, "interrupted")
end

function Recorder:__tostring()
  return ("Recorder(%s)"):format(self.uid)
end

return recorder
