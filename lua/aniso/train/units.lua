-- Units of a plan: the runs that one worker carries out together. Runs that train in lock-step are one unit.
-- So are all runs whose levels a search chooses, with its trials and the runs that train in lock-step with
-- those; that unit begins when all others have ended. A study that prunes is one unit: its decisions need all
-- runs of a seed.
--   units.assign(jobs, one_by_one, prunes)      gives each job `unit`, `stage` and `round`; → how many units
-- Units with one number `stage` have the same first stage.
local first_stage = require "aniso.train.first_stage"
local is_searched = require("aniso.method.search").is_needed
local lockstep = require "aniso.train.lockstep"

local units = {}

-- The keys of the trials of all searches, for lock-step.
local function trial_keys(jobs)
  local out = {}
  for _, job in ipairs(jobs) do
    local seeds = is_searched(job.config) and job.config.schedule.lambda.seeds or {}
    for seed = 0, (seeds[#seeds] or 0) - 1 do
      local key = lockstep.key { config = job.config, seed = seed, cross = job.cross }
      if key then out[key] = true end
    end
  end
  return out
end

function units.assign(jobs, one_by_one, prunes)
  local plain, searched, stages, n = {}, {}, {}, 0
  local of_trials = one_by_one and {} or trial_keys(jobs)
  for _, job in ipairs(jobs) do
    local key = lockstep.key(job)
    local list = (prunes or is_searched(job.config) or key and of_trials[key]) and searched or plain
    list[#list + 1] = job
  end
  local groups = lockstep.groups(plain, one_by_one)
  if #searched > 0 then groups[#groups + 1] = searched end
  for unit, group in ipairs(groups) do
    local key = group ~= searched and first_stage.common(group[1])
    if key and not stages[key] then n, stages[key] = n + 1, n + 1 end
    for _, job in ipairs(group) do
      job.unit, job.stage, job.round = unit, key and stages[key] or nil, group == searched and 2 or 1
    end
  end
  return #groups
end

return units
