-- The status of a study: plans and their progress, speed and time left, the baseline.
local lu = require "luaunit"
local core = require "aniso.core"
local config = require "aniso.method.config"
local status = require "aniso.store.status"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"

local Status = {}
local db

function Status:setUp()
  db = fixture.new()
end

function Status:tearDown()
  db:close()
end

local configs = {}
for label, gamma in pairs { a = 0, b = 0.5, c = 1 } do
  configs[label] = config.complete { schedule = { lambda = { "power", gamma = gamma } },
    train = { mode = "staged", prior_epochs = 4, epochs = 6 } }
end

local function job(label, seed, uid)
  return { label = label, seed = seed, config = configs[label], uid = uid }
end

local function start(label, seed)
  return db:start_run(fixture.description { study = "s", label = label, name = label, seed = seed,
    config = configs[label] })
end

-- An epoch with its checkpoint, as the trainer writes it.
local function epoch(run, n, loss)
  run:metric("train", n, { loss = loss })
  run:metric("val", n, { [n <= 4 and "prior_macro_f1" or "macro_f1"] = n / 100 })
  run:checkpoint { kind = "last", step = n, path = "x", sha256 = "w", bytes = 8 }
end

-- Moves the times of a run into the past, in seconds. Returns the time at which it did.
local function ago(run, started, last_epoch, wall)
  local now = core.sys.monotonic()
  local function at(seconds)
    return ("strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', 'now', '-%f seconds')"):format(seconds)
  end
  assert(db:exec(("UPDATE run SET started_at = %s, heartbeat_at = %s, wall_s = ?2 WHERE uid = ?1")
    :format(at(started), at(last_epoch)), run.uid, wall))
  assert(db:exec(("UPDATE checkpoint SET at = %s WHERE run_id = ?1"):format(at(last_epoch)), run.id))
  return now
end

-- A number that was `expected` at the time `from` and changes by `rate` per second; stored times have
-- milliseconds.
local function assert_since(from, value, expected, rate)
  local change, unit = rate * (core.sys.monotonic() - from), 0.01 * math.abs(rate)
  local least, most = expected + math.min(0, change) - unit, expected + math.max(0, change) + unit
  lu.assertTrue(value >= least and value <= most, ("%g in [%g, %g]"):format(value, least, most))
end

local function states(now)
  local out = {}
  for i, row in ipairs(now.rows) do out[i] = ("%s%d %s"):format(row.label, row.seed, row.state) end
  return table.concat(out, ", ")
end

function Status.test_a_plan_from_its_start_to_its_end()
  lu.assertNil(status.newest(db))
  lu.assertFalse(db:plan_of "s")
  assert(db:set_plan("s", { job("a", 0), job("b", 0), job("c", 0) }, "b"))
  lu.assertEquals(status.newest(db), "s")
  lu.assertEquals(db:baseline_of "s", "b")
  local now = status.of_study(db, "s", config.complete)
  lu.assertEquals(states(now), "a0 waiting, b0 waiting, c0 waiting")
  lu.assertEquals({ now.planned, now.over, now.left }, { 3, false })
  local a, b = start("a", 0), start("b", 0)
  now = status.of_study(db, "s", config.complete)
  lu.assertEquals(states(now), "a0 running, b0 running, c0 waiting")
  lu.assertEquals({ now.rows[1].epoch, now.rows[1].epochs }, { 0, 10 })
  a:finish()
  b:fail "no"
  lu.assertEquals(states(status.of_study(db, "s", config.complete)), "a0 finished, b0 failed, c0 waiting")
  start("c", 0):interrupt()
  now = status.of_study(db, "s", config.complete)
  lu.assertEquals(now.counts, { finished = 1, failed = 1, interrupted = 1 })
  lu.assertTrue(now.over)
end

function Status.test_the_next_plan_counts_finished_runs_but_not_repeated_ones()
  local old = start("a", 0)
  old:finish()
  start("b", 0):finish()
  start("c", 7):finish()
  assert(db:set_plan("s", { job("a", 0, old.uid), job("b", 0) }))
  local now = status.of_study(db, "s", config.complete)
  lu.assertEquals(states(now), "a0 finished, b0 waiting")
  lu.assertFalse(db:baseline_of "s")
  start("b", 0)
  lu.assertEquals(states(status.of_study(db, "s", config.complete)), "a0 finished, b0 running")
end

function Status.test_a_removed_run_counts_as_not_started()
  assert(db:set_plan("s", { job("a", 0) }))
  start("a", 0):finish()
  db:remove { db:find "a" }
  lu.assertEquals(states(status.of_study(db, "s", config.complete)), "a0 waiting")
end

function Status.test_without_a_plan_the_last_attempts()
  start("a", 0):fail "no"
  start("a", 0):finish()
  start("b", 0)
  local now = status.of_study(db, "s", config.complete)
  lu.assertEquals(states(now), "a0 finished, b0 running")
  lu.assertNil(now.planned)
  lu.assertFalse(now.over)
end

-- Planned runs count as waiting only while the process that planned them writes the file.
function Status.test_the_planner_is_gone()
  local path = db.path
  assert(db:set_plan("s", { job("a", 0), job("b", 0) }))
  start("a", 0)
  db:close()
  db = assert(store.open(path, { readonly = true }))
  local now = status.of_study(db, "s", config.complete)
  lu.assertEquals(states(now), "a0 crashed, b0 not started")
  lu.assertTrue(now.over)
  db:close()
  db = assert(store.open(path)) -- simulates another process
  assert(db:exec "UPDATE plan SET pid = pid + 1")
  assert(db:exec "UPDATE run SET pid = pid + 1")
  now = status.of_study(db, "s", config.complete)
  lu.assertEquals(states(now), "a0 crashed, b0 not started")
  lu.assertTrue(now.over)
  db:resume_run(db:find("a").uid, 0):interrupt() -- `aniso resume --all`, between two runs
  now = status.of_study(db, "s", config.complete)
  lu.assertEquals(states(now), "a0 interrupted, b0 not started")
  lu.assertFalse(now.over)
end

-- A run that ends, with its process, between two statements is not reported as crashed.
function Status.test_an_end_between_two_queries_is_detected()
  local run = start("a", 0)
  local queries = 0
  local connection = setmetatable({}, { __index = function(_, name)
    return function(_, ...)
      if name == "writer" then
        queries = queries + 1
        if queries == 2 then run:finish() end -- find() queries it for a run without an end
        return nil
      end
      return db.core[name](db.core, ...)
    end
  end })
  local seen = setmetatable({ core = connection, path = db.path }, { __index = getmetatable(db).__index })
  lu.assertEquals(states(status.of_study(seen, "s", config.complete)), "a0 finished")
end

function Status.test_speed_and_the_latest_numbers()
  assert(db:set_plan("s", { job("a", 0), job("b", 0) }))
  local run = start("a", 0)
  for n = 1, 4 do epoch(run, n, 1 / n) end
  local from = ago(run, 50, 5, 40) -- four epochs of ten seconds, five seconds ago
  local row = status.of_study(db, "s", config.complete).rows[1]
  lu.assertEquals({ row.epoch, row.epochs, row.loss }, { 4, 10, 0.25 })
  lu.assertEquals(row.val, { name = "macro_f1", value = 0.04 })
  assert_since(from, row.left, 55, -1)
  assert_since(from, row.silent, 5, 1)
  from = core.sys.monotonic()
  assert(db:exec "UPDATE plan SET at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-50 seconds')")
  assert_since(from, status.of_study(db, "s", config.complete).left, 200, 4) -- 0.4 of 2 runs in 50 s
  epoch(run, 5, 0 / 0)
  row = status.of_study(db, "s", config.complete).rows[1]
  lu.assertEquals({ row.loss, row.val.value }, { "nan", 0.05 })
  for n = 6, 10 do epoch(run, n, 0.1) end
  lu.assertNil(status.of_run(db, db:find "a", config.complete).left)
end

-- The speed of a run that shares another run's first stage is that of its own epochs.
function Status.test_epochs_of_others_do_not_count_for_the_speed()
  local run = start("a", 0)
  epoch(run, 5, 1)
  epoch(run, 6, 1)
  local from = ago(run, 30, 0, 20)
  assert_since(from, status.of_run(db, db:find "a", config.complete).left, 40, -1)
end

-- A stopped writer exists, but sends no heartbeat.
function Status.test_a_silent_writer_is_reported()
  local function watched()
    local aniso = os.getenv "ANISO" or "./aniso"
    local pipe <close> = io.popen(("%s watch --once --db %s 2>&1"):format(aniso, db.path))
    return pipe:read "a"
  end
  local run = start("a", 0)
  epoch(run, 5, 1)
  lu.assertNil(watched():find "sign of life")
  ago(run, 100, 90, 10)
  lu.assertStrMatches(watched(), "a seed 0  epoch 5/10  loss 1%.0000  val macro_f1 0%.050  since [%d: -]+  "
    .. "left about 0:00  no heartbeat for 1:[345]%d\nstudy s: 1 run, of which 1 running; left about 0:00\n")
end

-- ── merging, old files ──────────────────────────────────────────────────────────────────
function Status.test_merging_takes_the_baseline_and_no_plan()
  assert(db:set_plan("s", { job("a", 0) }, "a"))
  start("a", 0):finish()
  local path = db.path
  db:close()
  db = fixture.new()
  start("b", 0):finish()
  assert(db:merge { path })
  lu.assertEquals(db:baseline_of "s", "a")
  lu.assertFalse(db:plan_of "s")
  assert(db:set_plan("s", {}, "b"))
  assert(db:merge { path })
  lu.assertEquals(db:baseline_of "s", "b")
end

function Status.test_files_without_plans()
  local old <close> = assert(store.open("tests/golden/runs-v3.sqlite", { readonly = true }))
  lu.assertFalse(old:plan_of "lambda")
  lu.assertFalse(old:baseline_of "lambda")
  local name = status.newest(old)
  lu.assertEquals(name, "lambda")
  local now = status.of_study(old, name, config.complete)
  lu.assertEquals(now.counts, { finished = 4, interrupted = 1 })
  lu.assertTrue(now.over)
end

return { Status = Status }
