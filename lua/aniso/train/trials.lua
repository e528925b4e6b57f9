-- Trials of a search (search.lua) as jobs, {label, config = complete, seed, cross}: the configuration of the
-- search with a candidate's levels.
local config = require "aniso.method.config"
local config_hash = require "aniso.store.config_hash"
local core = require "aniso.core"
local options = require "aniso.recipe.options"
local policy = require "aniso.method.search"
local trial_label = require "aniso.recipe.trial_label"

local trials = {}

-- The key of a run: a string of its complete configuration, its seed and its fold.
function trials.key(of, seed, cross)
  return ("%s %d %s"):format(config_hash(of), seed, cross and core.json.encode(cross) or "")
end

-- The configuration of a search with a candidate's levels. adpm with equal levels is ddpm (METHOD §8).
local function config_with(of, candidate)
  local out = options.copy(of)
  out.schedule.lambda = options.copy(candidate.lambda)
  if candidate.lambda[1] == "isotropic" and out.method == "adpm" then out.method = "ddpm" end
  return config.of_stored(out) -- it is complete: what the configuration lacks stays absent
end

function trials.of(of, candidate, seed)
  return { label = trial_label.of(candidate.name), seed = seed, cross = of.cross,
    config = config_with(of.config, candidate) }
end

-- Calls add(trial) for the largest number of trials that the search of a job may have.
local function each_of(job, add)
  local choice = job.config.schedule.lambda
  local candidates = policy.candidates(choice)
  local left = #candidates
  for _, seeds in ipairs(choice.seeds) do
    for i = 1, left do
      for seed = 0, seeds - 1 do add(trials.of(job, candidates[i], seed)) end
    end
    left = math.min(left, math.ceil(left / choice.eta) + 1) -- the isotropic candidate always continues
  end
end

-- The largest list of trials that the searches of jobs may have, without those that are jobs themselves.
-- Those of the first rung are exact; the candidates of later rungs are not known yet.
function trials.most(jobs)
  local out, known, searched = {}, {}, {}
  for _, job in ipairs(jobs) do known[trials.key(job.config, job.seed, job.cross)] = true end
  for _, job in ipairs(jobs) do
    local own = trials.key(job.config, 0, job.cross)
    if policy.is_needed(job.config) and not searched[own] then
      searched[own] = true
      each_of(job, function(trial)
        local key = trials.key(trial.config, trial.seed, trial.cross)
        if not known[key] then known[key], out[#out + 1] = true, trial end
      end)
    end
  end
  return out
end

-- The jobs with which a recipe is checked: its own runs, with the levels of a candidate instead of a
-- search, and the trials of its searches.
function trials.checked(jobs)
  local out = {}
  for i, job in ipairs(jobs) do
    local of = job.config
    if policy.is_needed(of) then of = config_with(of, policy.candidates(of.schedule.lambda)[2]) end
    out[i] = { label = job.label, seed = job.seed, cross = job.cross, config = of }
  end
  local added = trials.most(jobs)
  return table.move(added, 1, #added, #out + 1, out)
end

-- The trials that a label names, for the seeds and folds of the jobs.
function trials.labelled(jobs, label)
  local out, known = {}, {}
  for _, job in ipairs(trial_label.is(label) and jobs or {}) do
    for _, candidate in ipairs(policy.is_needed(job.config)
      and policy.candidates(job.config.schedule.lambda) or {}) do
      local trial = trials.of(job, candidate, job.seed)
      local key = trials.key(trial.config, trial.seed, trial.cross)
      if trial.label == label and not known[key] then known[key], out[#out + 1] = true, trial end
    end
  end
  return out
end

return trials
