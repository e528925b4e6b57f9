-- Workers of a plan: which unit is taken, in which order, and when a unit is free again.
local lu = require "luaunit"
local core = require "aniso.core"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"

local Claims = {}

local GONE = 999999 -- no process has this number: Linux permits fewer, and none has joined the lock
local RECIPE = { path = "x.lua", text = "return 1" }

-- A database with a plan: two runs in lock-step, two units that share a first stage, a search, and a run that
-- was finished before. Opened as a worker.
local function planned()
  local path = fixture.folder() .. "/runs.db"
  local jobs = {
    { label = "a", seed = 0, unit = 1, stage = 1 }, { label = "b", seed = 0, unit = 1, stage = 1 },
    { label = "c", seed = 0, unit = 2, stage = 1 }, { label = "d", seed = 0, unit = 3 },
    { label = "e", seed = 0, unit = 4, round = 2 }, { label = "f", seed = 0, unit = 5, uid = "U" },
  }
  for _, job in ipairs(jobs) do job.config = { of = job.label } end
  local db = assert(store.open(path))
  assert(db:set_plan("s", jobs, "a", { recipe = RECIPE, folder = "/" }))
  db:close()
  return assert(store.open(path, { join = true }))
end

local function labels(rows)
  local out = {}
  for i, row in ipairs(rows) do out[i] = row.label end
  return table.concat(out, " ")
end

local function finish(db, rows)
  for _, row in ipairs(rows) do db:end_planned("s", row.seq, "finished") end
end

function Claims.test_units_are_taken_in_order_and_a_search_last()
  local db <close> = planned()
  for _, expected in ipairs { "a b", "c", "d", "e" } do
    local rows = assert(db:take_unit "s")
    lu.assertEquals(labels(rows), expected)
    finish(db, rows)
  end
  lu.assertEquals({ db:take_unit "s" }, { nil, "done" })
end

function Claims.test_a_unit_of_a_worker_that_is_gone_is_free()
  local db <close> = planned()
  assert(db:exec("UPDATE plan_run SET worker = ?1", GONE))
  lu.assertEquals(labels(assert(db:take_unit "s")), "a b")
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM plan_run WHERE worker = ?1", core.sys.pid()), 2)
end

function Claims.test_a_plan_that_loses_configurations_while_a_worker_has_it_is_refused()
  local db <close> = planned()
  assert(db:exec "UPDATE plan_run SET config = '00'")
  local taken, problem = pcall(db.take_unit, db, "s")
  lu.assertFalse(taken)
  lu.assertStrContains(tostring(problem), "the plan of s lacks configurations of its runs")
  lu.assertEquals(problem.code, "EFORMAT")
end

-- Calls f() while another process is a worker that has taken the first unit.
local function with_worker(db, f)
  local code = ([[local db = assert(require("aniso.store").open(%q, { join = true }))
    local rows = assert(db:take_unit "s")
    print(rows[1].label)
    io.stdout:flush()
    io.read()]]):format(db.path)
  local pipe = fixture.folder() .. "/go"
  assert(os.execute("mkfifo " .. pipe))
  local program = core.sys.realpath "/proc/self/exe"
  local child = assert(io.popen(("%s exec -e '%s' <%s"):format(program, code, pipe)))
  local go = assert(io.open(pipe, "w"))
  lu.assertEquals(child:read "l", "a")
  f()
  go:close()
  child:close()
end

function Claims.test_a_unit_of_another_worker_is_not_taken()
  local db <close> = planned()
  with_worker(db, function()
    lu.assertEquals(labels(assert(db:take_unit "s")), "d") -- c shares the first stage of a and b
    lu.assertEquals(fixture.one(db, "SELECT count(DISTINCT worker) FROM plan_run"), 2)
    finish(db, assert(db:query "SELECT seq FROM plan_run WHERE label = 'd'"))
    local rows = assert(db:take_unit "s")
    lu.assertEquals(labels(rows), "c")
    finish(db, rows)
    lu.assertEquals({ db:take_unit "s" }, { nil, "wait" }) -- the search begins when all others have ended
    local other = fixture.one(db, "SELECT worker FROM plan_run WHERE label = 'a'")
    lu.assertTrue(db:writer(other))
    lu.assertTrue(db:writer(core.sys.pid()))
    lu.assertFalse(db:writer(GONE))
    local _, message, code = store.open(db.path)
    lu.assertEquals(code, "EBUSY")
    lu.assertStrContains(message, "is locked by process " .. other)
  end)
  lu.assertEquals(labels(assert(db:take_unit "s")), "a b")
end

function Claims.test_two_workers_of_one_number_are_refused()
  local db <close> = planned()
  local second, message, code = store.open(db.path, { join = true })
  lu.assertNil(second)
  lu.assertEquals(code, "EBUSY")
  lu.assertStrContains(message, ("with the number %d of this one"):format(core.sys.pid()))
end

function Claims.test_a_worker_is_refused_where_a_process_is_alone()
  local db, path = fixture.new()
  local worker, _, code = store.open(path, { join = true })
  lu.assertNil(worker)
  lu.assertEquals(code, "EBUSY")
  db:close()
end

function Claims.test_runs_of_workers_that_are_gone_get_an_end()
  local db, path = fixture.new()
  db:start_run(fixture.description { label = "gone" })
  assert(db:exec("UPDATE run SET pid = ?1", GONE))
  db:close()
  local worker <close> = assert(store.open(path, { join = true }))
  lu.assertEquals(fixture.one(worker, "SELECT count(*) FROM run WHERE ended_at IS NULL"), 0)
  lu.assertEquals(assert(worker:runs { study = "lambda" })[1].status, "crashed")
end

function Claims.test_trials_replace_those_before()
  local db <close> = planned()
  local unit = fixture.one(db, "SELECT unit FROM plan_run WHERE label = 'e'")
  local trial = { label = "search: 1", seed = 0, config = { of = "t" } }
  db:set_trials("s", unit, { trial })
  trial.uid = "T"
  db:set_trials("s", unit, { trial, { label = "search: 2", seed = 0, config = { of = "u" } } })
  lu.assertEquals(fixture.one(db, "SELECT group_concat(seq || label || coalesce(ended, '')) FROM plan_run "
    .. "WHERE trial = 1"), "7search: 1finished,8search: 2")
  db:end_planned("s", 1, "failed", ("ä"):rep(3000))
  lu.assertEquals(utf8.len(fixture.one(db, "SELECT problem FROM plan_run WHERE seq = 1")), 1000)
end

-- A worker refers to the study by its name, also between two runs, when none is in progress.
function Claims.test_a_study_whose_plan_is_carried_out_keeps_its_name()
  local rename = require("aniso.store.labels").rename_study
  local db = planned()
  assert(db:exec("UPDATE plan SET pid = ?1", GONE))
  with_worker(db, function()
    local other <close> = assert(store.open(db.path, { shared = true }))
    lu.assertErrorMsgContains("carries out the plan of study s: interrupt it", rename, other, "s", "t")
  end)
  db:close()
  local free <close> = assert(store.open(db.path, { shared = true }))
  lu.assertEquals(rename(free, "s", "t"), 0)
end

return { Claims = Claims }
