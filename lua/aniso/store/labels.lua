-- Labels follow the recipe: where a variant's label changes and its options do not, its stored runs get the
-- new label.
local config_hash = require "aniso.store.config_hash"
local must = require("aniso.store.db_error").must

local labels = {}

-- hash of a configuration → the set of labels that the jobs give it.
local function labels_by_hash(jobs)
  local out = {}
  for _, job in ipairs(jobs) do
    local hash = config_hash(job.config)
    out[hash] = out[hash] or {}
    out[hash][job.label] = true
  end
  return out
end

local OF = [[config_id = (SELECT config_id FROM config WHERE sha256 = ?1)
   AND study_id = (SELECT study_id FROM study WHERE name = ?2) AND seed = ?3]]

-- The labels of a job's stored runs that no variant of its options has any more, the newest first; and
-- whether the job's own label has a run.
local function outdated(connection, study, job, current)
  local rows = must(connection:query("SELECT label, max(run_id) AS newest FROM run WHERE " .. OF
    .. " GROUP BY label ORDER BY newest DESC", config_hash(job.config), study, job.seed))
  local out, has_own = {}, false
  for _, row in ipairs(rows) do
    has_own = has_own or row.label == job.label
    if row.label and not current[row.label] then out[#out + 1] = row.label end
  end
  return out, has_own
end

-- Which outdated labels a job takes over: all, but one at most where several variants have its options.
local function taken_over(connection, study, job, current)
  local old, has_own = outdated(connection, study, job, current)
  if not next(current, next(current)) then return old end
  return { not has_own and old[1] or nil }
end

local function relabel(connection, study, jobs)
  local current, changes, by_pair = labels_by_hash(jobs), {}, {}
  for _, job in ipairs(jobs) do
    for _, old in ipairs(taken_over(connection, study, job, current[config_hash(job.config)])) do
      local n = must(connection:exec("UPDATE run SET label = ?4 WHERE label = ?5 AND " .. OF,
        config_hash(job.config), study, job.seed, job.label, old))
      local pair = old .. "\0" .. job.label
      local change = by_pair[pair] or { from = old, to = job.label, runs = 0 }
      if not by_pair[pair] then by_pair[pair], changes[#changes + 1] = change, change end
      change.runs = change.runs + n
    end
  end
  return changes
end

-- follow(db, study, jobs) → changes, a list of {from, to, runs}. jobs: all of the recipe's, {label, seed,
-- config = complete}. Runs keep a label that a variant of the same options still has.
function labels.follow(db, study, jobs)
  return must(db:transaction(relabel, db.core, study, jobs))
end

return labels
