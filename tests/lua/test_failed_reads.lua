-- A stored run that cannot be read is an error in the database's words, and no missing value.
local lu = require "luaunit"
local run = require "aniso.train.run"
local final_evaluation = require "aniso.train.final_evaluation"
local db_error = require "aniso.store.db_error"

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

return { FailedReads = T }
