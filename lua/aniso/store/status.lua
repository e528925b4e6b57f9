-- The state of a study and of its runs, computed from the database alone, so that any process can do it:
--   status.of_study(db, name, complete)      status.of_run(db, row, complete)      → status
-- status: { study, planned = number or nil, rows, counts = state → number, left = seconds or nil,
-- over = nothing runs and nothing waits }. A row is a run that was planned, or was made without a plan:
-- { label, seed, fold, state, run = row of find() or nil } and, while it runs, what follow() adds.
-- States: running, waiting, finished, failed, crashed, interrupted, and "not started" where the
-- process that planned it is gone. A run that could not begin has failed, and has a `problem` and
-- no `run`. complete(configuration) fills a stored configuration with the
-- defaults of the options that it lacks.
local must = require("aniso.store.db_error").must

local status = {}

-- ── a run that is in progress ───────────────────────────────────────────────────────────
-- The epochs of all stages.
local function epochs_of(of)
  if of.train.mode == "joint" then return of.train.epochs end
  local first = of.train.prior_epochs > 0 and of.train.prior_epochs or of.train.epochs
  if of.denoiser[1] == "none" then return first + (of.post_hoc and of.post_hoc.epochs or 0) end
  return first + of.train.epochs
end

local LATEST = [[
  SELECT v.step, v.value, v.kind, count(*) OVER () AS n FROM metric_value v JOIN metric m USING(metric_id)
   WHERE v.run_id = ?1 AND v.part = ?2 AND m.name = ?3 ORDER BY v.step DESC LIMIT 1]]

-- {step, value, kind, n = how many there are} or nil.
local function latest(db, run, part, name)
  return must(db:query(LATEST, run.run_id, part, name))[1]
end

-- The metric that chooses the epoch: the chain's, or the prior's if it is the later one.
local function validation(db, run, name)
  local chain, prior = latest(db, run, "val", name), latest(db, run, "val", "prior_" .. name)
  return chain and (not prior or chain.step >= prior.step) and chain or prior
end

-- Seconds since the last heartbeat, since the last epoch's checkpoint, and from that to the heartbeat.
local TIMES = [[
  SELECT (julianday('now') - julianday(r.heartbeat_at)) * 86400 AS silent,
         (julianday('now') - julianday(c.at)) * 86400 AS since,
         (julianday(r.heartbeat_at) - julianday(c.at)) * 86400 AS after, r.wall_s,
         CAST(strftime('%s', r.started_at) AS INTEGER) AS started
    FROM run r LEFT JOIN checkpoint c ON c.run_id = r.run_id AND c.kind = 'last' WHERE r.run_id = ?1]]

-- Seconds left at the pace of the run's own epochs; nil before the first, and after a resume before the next.
local function left_of(row, times, own)
  if not times.since or own == 0 or row.epoch >= row.epochs then return nil end
  local worked = times.wall_s - math.max(0, times.after)
  if worked <= 0 then return nil end
  return math.max(0, (row.epochs - row.epoch) * worked / own - times.since)
end

-- Adds to a row: epoch, epochs, loss, val = {name, value}, started (seconds since 1970), silent and
-- left (seconds).
local function follow(db, row, complete)
  local of = complete(assert(db:config(row.run)))
  local loss, times = latest(db, row.run, "train", "loss"), must(db:query(TIMES, row.run.run_id))[1]
  local name = of.select.metric
  local val = validation(db, row.run, name)
  row.epoch, row.epochs = loss and loss.step or 0, epochs_of(of)
  row.loss = loss and (loss.value or loss.kind)
  row.val = val and { name = name, value = val.value or val.kind }
  row.started, row.silent = times.started, math.max(0, times.silent)
  row.left = left_of(row, times, loss and loss.n or 0)
end

-- ── the rows of a study ─────────────────────────────────────────────────────────────────
-- Without a plan: the last attempt of each configuration, split and seed.
local function last_attempts(runs)
  local rows, place = {}, {}
  for _, run in ipairs(runs) do
    local key = ("%d %d %d"):format(run.config_id, run.split_id, run.seed)
    if not place[key] then place[key] = #rows + 1 end
    rows[place[key]] = { label = run.label or run.name, seed = run.seed, fold = run.fold, run = run }
  end
  return rows
end

-- The rows of a plan, and of runs in progress that are not part of it.
local function planned(plan, runs)
  local by_uid, newest, rows, shown = {}, {}, {}, {}
  local function key(of) return ("%d %d %s"):format(of.config_id, of.seed, of.fold) end
  for _, run in ipairs(runs) do
    by_uid[run.uid] = run
    if run.run_id > plan.after_run then newest[key(run)] = run end
  end
  for i, one in ipairs(plan) do
    local run
    if one.uid then run = by_uid[one.uid] else run = one.config_id and newest[key(one)] end
    if not run and one.begun then run = by_uid[one.begun] end
    rows[i] = { label = one.label, seed = one.seed, fold = one.fold, run = run or nil,
      known = one.uid ~= nil, ended = one.ended, problem = one.problem }
    if run then shown[run.uid] = true end
  end
  for _, run in ipairs(runs) do
    if run.status == "running" and not shown[run.uid] then
      rows[#rows + 1] = { label = run.label or run.name, seed = run.seed, fold = run.fold, run = run,
        unplanned = true }
    end
  end
  return rows
end

-- Whether a process carries out the plan: the one that wrote it (0: its number is unknown), or a worker.
local function is_carried_out(db, plan, writer)
  if not plan or writer == nil then return false end
  if writer == plan.pid or writer == 0 or db:writer(plan.pid) then return true end
  local known = {}
  for _, row in ipairs(plan) do
    if row.worker and not known[row.worker] then
      if db:writer(row.worker) then return true end
      known[row.worker] = true
    end
  end
  return false
end

-- Whether the writing process has resumed runs of the study; it may resume every unfinished one.
local function is_resumer(runs, writer)
  for _, run in ipairs(writer and runs or {}) do
    if run.pid == writer then return true end
  end
  return false
end

-- Seconds to the end of the study: at the pace of the plan so far, which counts runs in lock-step as
-- they go, and never before the end of a run in progress.
local function left_of_study(self, plan)
  local worked, todo, longest = 0, 0, nil
  for _, row in ipairs(self.rows) do
    if not row.known and not row.unplanned then todo = todo + 1 end
    if row.state == "running" then
      if not row.unplanned then worked = worked + math.min(1, row.epoch / row.epochs) end
      if row.left then longest = math.max(longest or 0, row.left) end
    elseif row.run and not row.known then
      worked = worked + 1
    end
  end
  if not plan then return longest end
  if worked <= 0 then return nil end
  return math.max(longest or 0, (todo - worked) * plan.age / worked)
end

local function add_states(db, self, waiting, complete)
  self.counts = {}
  for _, row in ipairs(self.rows) do
    row.state = row.run and row.run.status or row.ended or waiting and "waiting" or "not started"
    if row.state == "running" then follow(db, row, complete) end
    self.counts[row.state] = (self.counts[row.state] or 0) + 1
  end
  self.over = not self.counts.running and not self.counts.waiting
  return self
end

local function read(db, name, complete)
  local plan = must(db:plan_of(name))
  local writer = db:writer()
  local runs = must(db:runs { study = name })
  local self = { study = name, planned = plan and #plan or nil,
    rows = plan and planned(plan, runs) or last_attempts(runs) }
  local live = is_carried_out(db, plan, writer)
  add_states(db, self, live, complete)
  if not self.over then
    self.left = left_of_study(self, live and plan)
  elseif not live and is_resumer(runs, writer) then
    local counts = self.counts
    self.over = not (counts.crashed or counts.interrupted or counts.failed)
  end
  return self
end

-- A run that ends between two statements, along with its process, seems to have crashed. A crash whose
-- end is not recorded is therefore read again.
local function confirmed(f)
  local self = f()
  for _, row in ipairs(self.rows) do
    if row.state == "crashed" and row.run.ended_at == nil then return f() end
  end
  return self
end

function status.of_study(db, name, complete)
  return confirmed(function() return read(db, name, complete) end)
end

function status.of_run(db, run, complete)
  return confirmed(function()
    local now = must(db:find(run.uid))
    local self = add_states(db, { study = now.study,
      rows = { { label = now.label or now.name, seed = now.seed, fold = now.fold, run = now } } }, false,
      complete)
    self.left = self.rows[1].left
    return self
  end)
end

-- The study that was planned or written to last; nil in a file without runs and plans.
function status.newest(db)
  local newest = must(db:query [[
    SELECT s.name, max(r.heartbeat_at) AS at FROM run r JOIN study s USING(study_id)
     WHERE r.run_id IN (SELECT run_id FROM v_run) GROUP BY study_id ORDER BY at DESC LIMIT 1]])[1]
  local plan = db:version() >= 4 and must(db:query [[
    SELECT name, at FROM plan JOIN study USING(study_id) ORDER BY at DESC LIMIT 1]])[1]
  if plan and (not newest or plan.at > newest.at) then newest = plan end
  return newest and newest.name
end

return status
