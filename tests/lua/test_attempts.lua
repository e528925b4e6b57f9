-- Which plan `aniso run --again` wrote and did not finish: the one that the next command continues.
local lu = require "luaunit"
local attempts = require "aniso.store.attempts"
local fixture = dofile "tests/lua/store_fixture.lua"

local Again = {}

local CONFIG = { train = { lr = 0.1 } }
local RECIPE = { path = "x.lua", text = "return 1" }

-- A study with one finished run.
local function finished()
  local db = fixture.new()
  local run = db:start_run(fixture.description { study = "s", label = "a", seed = 0, config = CONFIG })
  run:evaluation(fixture.evaluation { { 8, 2 }, { 1, 3 } })
  run:finish()
  return db, run
end

local function plan(db, job)
  job.label, job.seed, job.config = job.label or "a", job.seed or 0, CONFIG
  assert(db:set_plan("s", { job }, nil, { recipe = RECIPE, folder = "/" }))
end

-- A command that was killed before its first run began has stored its plan alone.
function Again.test_a_plan_that_repeats_a_finished_run()
  local db <close> = finished()
  plan(db, { unit = 1 })
  lu.assertEquals(attempts.begun_again(db, "s"), 1)
  assert(db:exec "UPDATE plan_run SET ended = 'finished'")
  lu.assertNil(attempts.begun_again(db, "s"))
end

function Again.test_plans_that_repeat_nothing()
  local db <close>, run = finished()
  lu.assertNil(attempts.begun_again(db, "s"))
  plan(db, { uid = run.uid })
  lu.assertNil(attempts.begun_again(db, "s"))
  plan(db, { unit = 1, seed = 1 })
  lu.assertNil(attempts.begun_again(db, "s"))
  plan(db, { unit = 1, label = "b" })
  lu.assertNil(attempts.begun_again(db, "s"))
end

return Again
