-- A study in parts: what is trained once stays together, every job is in one part, in its order.
local lu = require "luaunit"
local parts = require "aniso.train.parts"
local jobs_of = (dofile "tests/lua/lockstep_fixture.lua").jobs_of

-- {{1, 3}, {2}}: the places of each unit's jobs.
local function places(jobs)
  local place, out = {}, {}
  for i, job in ipairs(jobs) do place[job] = i end
  for u, unit in ipairs(parts.units(jobs)) do
    out[u] = {}
    for k, job in ipairs(unit) do out[u][k] = place[job] end
  end
  return out
end

local T = {}

function T.test_the_runs_of_a_first_stage_are_one_unit()
  local jobs = jobs_of(nil, { { ["schedule.lambda"] = "isotropic" }, { ["train.lr"] = 1 },
    { denoiser = "none" }, { ["schedule.lambda"] = "bound" }, { ["schedule.lambda"] = "isotropic" } })
  jobs[5].seed = 1
  lu.assertEquals(places(jobs), { { 1, 3, 4 }, { 2 }, { 5 } })
end

function T.test_joint_runs_are_units()
  local jobs = jobs_of(nil, { { ["train.mode"] = "joint" }, { ["train.mode"] = "joint" } })
  lu.assertEquals(places(jobs), { { 1 }, { 2 } })
end

function T.test_the_seeds_of_a_search_are_one_unit_with_what_shares_their_first_stages()
  local jobs = jobs_of(nil, { { ["schedule.lambda"] = "isotropic" }, { ["schedule.lambda"] = "isotropic" },
    { ["schedule.lambda"] = { "search" } }, { ["schedule.lambda"] = { "search" } },
    { ["schedule.lambda"] = { "search" }, ["train.mode"] = "joint" },
    { ["schedule.lambda"] = { "search" }, ["train.mode"] = "joint" } })
  jobs[2].seed, jobs[4].seed, jobs[6].seed = 1, 1, 1
  lu.assertEquals(places(jobs), { { 1, 2, 3, 4 }, { 5, 6 } })
end

function T.test_every_job_is_in_one_part_in_its_order()
  local changes, seen = {}, {}
  for i = 1, 7 do changes[i] = { ["train.mode"] = "joint" } end
  local jobs = jobs_of(nil, changes)
  for _, part in ipairs(parts.split(jobs, 3)) do
    for _, job in ipairs(part) do table.insert(seen, job.label) end
  end
  lu.assertEquals(seen, { "point 1", "point 4", "point 7", "point 2", "point 5", "point 3", "point 6" })
  lu.assertEquals(parts.split(jobs, 8)[8], {})
  lu.assertEquals(#parts.split(jobs, 1)[1], 7)
end

return T
