-- Splits a study into N parts, for N processes with a database each. Runs that share a first stage or the
-- trials of a search, which are trained once, form one unit. Units are dealt in turn, so that no part depends
-- on the results of another. The same jobs give the same parts on every machine.
--   parts.units(jobs) → the units, lists of jobs, in the order of their first jobs
--   parts.split(jobs, n) → n lists of jobs, each in their order; empty ones where there are fewer units
local first_stage = require "aniso.train.first_stage"
local policy = require "aniso.method.search"
local trials = require "aniso.train.trials"

local parts = {}

-- The keys of a job: two jobs with a common key belong to one unit.
local function shared(job)
  local keys = { first_stage.common(job) }
  if policy.is_needed(job.config) then keys[#keys + 1] = "search " .. trials.key(job.config, 0, job.cross) end
  return keys
end

-- The number of each job's unit, from 1 with gaps. A job that shares with two units joins them.
local function numbers(jobs)
  local unit, by_key = {}, {}
  for i, job in ipairs(jobs) do
    unit[i] = i
    for _, key in ipairs(shared(job)) do
      local a, b = math.min(by_key[key] or i, unit[i]), math.max(by_key[key] or i, unit[i])
      for k = 1, a < b and i or 0 do unit[k] = unit[k] == b and a or unit[k] end
      for other, number in pairs(a < b and by_key or {}) do by_key[other] = number == b and a or number end
      by_key[key] = a
    end
  end
  return unit
end

function parts.units(jobs)
  local units, place = {}, {}
  for i, number in ipairs(numbers(jobs)) do
    if not place[number] then
      units[#units + 1] = {}
      place[number] = units[#units]
    end
    table.insert(place[number], jobs[i])
  end
  return units
end

function parts.split(jobs, n)
  local part, out = {}, {}
  for i = 1, n do out[i] = {} end
  for i, unit in ipairs(parts.units(jobs)) do
    for _, job in ipairs(unit) do part[job] = out[(i - 1) % n + 1] end
  end
  for _, job in ipairs(jobs) do table.insert(part[job], job) end
  return out
end

return parts
