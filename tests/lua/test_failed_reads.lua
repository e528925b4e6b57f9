-- A stored run that cannot be read is an error in the database's words, and no missing value.
local lu = require "luaunit"
local run = require "aniso.train.run"
local final_evaluation = require "aniso.train.final_evaluation"
local core = require "aniso.core"
local db_error = require "aniso.store.db_error"
local examples = require "aniso.show.report.examples"
local fixture = dofile "tests/lua/report_fixture.lua"
local settings = require "aniso.show.report.settings"

local READS = { "origin", "split_of", "config", "lambda" }

-- A database in which one read fails.
local function failing(name)
  local db = { path = "runs.db" }
  for _, read in ipairs(READS) do
    db[read] = function()
      if read == name then return nil, "disk I/O error", "EIO" end
      return read == "config" and { data = { "lesions" } } or {}
    end
  end
  return db
end

local T = {}

function T:test_each_read_of_a_stored_run_is_checked()
  for _, name in ipairs(READS) do
    local ok, problem = pcall(run.stored_job, failing(name), { seed = 0, name = "x" })
    lu.assertFalse(ok, name)
    lu.assertTrue(db_error.is(problem), name)
    lu.assertEquals(problem.message, "disk I/O error")
  end
end

function T:test_the_split_is_read_before_data_are_compared()
  local ok, problem = pcall(final_evaluation.same_data, nil, failing "split_of", { name = "x" })
  lu.assertFalse(ok)
  lu.assertEquals(tostring(problem), "disk I/O error")
end

function T:test_a_requested_evaluation_requires_the_configuration()
  for _, call in ipairs { run.options_of_evaluation, run.not_evaluated } do
    local ok, problem = pcall(call, failing "config", { name = "x" }, {})
    lu.assertFalse(ok)
    lu.assertEquals(tostring(problem), "disk I/O error")
  end
end

-- The facts of a report whose best configuration has a file in the place of its weights.
local function reported(db)
  local facts = fixture.facts_of(db)
  for _, row in ipairs(facts.runs) do
    local folder = db:run_folder(row.uid)
    assert(core.sys.mkdir_p(folder))
    assert(core.sys.write_atomic(folder .. "/best.safetensors", "no weights"))
  end
  return facts
end

local function no_read() return nil, "disk I/O error", "EDB" end

function T:test_example_images_tell_what_is_absent_from_what_failed()
  local db <close> = fixture.filled { groups = 1, seeds = 1 }
  local function refusal(facts, missing)
    local found, why, code = examples.find(facts, 4, missing)
    lu.assertNil(found)
    return { why, code }
  end
  lu.assertEquals(refusal(fixture.facts_of(db))[2], "ENOTFOUND")
  local facts = reported(db)
  lu.assertEquals(refusal(facts, function() return "no sampler" end), { "no sampler", "ENOTFOUND" })
  db.predictions = function() return nil, "no predictions are stored", "ENOTFOUND" end
  lu.assertEquals(refusal(facts), { "no predictions are stored", "ENOTFOUND" })
  db.predictions = no_read
  lu.assertEquals(refusal(facts), { "disk I/O error", "EDB" })
  db.predictions, db.config = nil, no_read
  lu.assertEquals(refusal(facts), { "disk I/O error", "EIO" })
end

function T:test_an_interrupted_report_ends()
  local db <close> = fixture.filled { groups = 1, seeds = 1 }
  local facts, interrupted = reported(db), core.sys.interrupted
  db.config = no_read
  core.sys.interrupted = function() return "SIGINT" end
  local ok, problem = pcall(examples.find, facts, 4)
  core.sys.interrupted = interrupted
  lu.assertFalse(ok)
  lu.assertEquals(tostring(problem), "disk I/O error")
end

function T:test_commands_that_repeat_a_run_fail_where_the_database_does()
  local db <close> = fixture.filled { groups = 1, seeds = 1 }
  local facts = fixture.facts_of(db)
  local page, failure = settings.repetition(facts)
  lu.assertStrContains(page, "aniso run ")
  lu.assertNil(failure)
  db.config = no_read
  page, failure = settings.repetition(facts)
  lu.assertStrContains(page, "disk I/O error")
  lu.assertEquals(failure, "disk I/O error")
end

return { FailedReads = T }
