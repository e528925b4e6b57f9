-- Tries the variants of a study before its first run, so that one that fails is reported at the start, not
-- hours later when its turn comes.
--   preparation.findings(jobs) → list of {label, problem}, each problem once; jobs: complete
local core = require "aniso.core"
local call_once = require("aniso.train.recipe_check").call_once
local errors = require "aniso.recipe.errors"
local is_searched = require("aniso.method.search").is_needed

local preparation = {}

-- A small step of each stage and a short chain; nothing is stored. → the problem, or nil
local function problem_of(job)
  local ok, problem = pcall(call_once, { config = job.config, seed = job.seed, cross = job.cross,
    label = job.label, folder = job.folder })
  if ok then return nil end
  core.ops.clear_tape()
  errors.pass_interrupts(problem)
  return errors.sentence(problem)
end

-- Configurations whose levels are yet to be chosen are left out: their trials are runs of their own.
function preparation.findings(jobs)
  local out, tried, seen = {}, {}, {}
  for _, job in ipairs(jobs) do
    local key = core.json.encode(job.config)
    local problem = not tried[key] and not is_searched(job.config) and problem_of(job) or nil
    tried[key] = true
    if problem and not seen[problem] then
      seen[problem], out[#out + 1] = true, { label = job.label, problem = problem }
    end
  end
  collectgarbage() -- the networks
  return out
end

return preparation
