-- Labels follow the recipe: if a variant's label changes and its options do not, its stored runs get the new
-- label. A user can also rename variants and studies by hand.
local config_hash = require "aniso.store.config_hash"
local must = require("aniso.store.db_error").must
local trial_label = require "aniso.recipe.trial_label"
local typed_name = require "aniso.recipe.typed_name"

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

-- The labels of a job's stored runs that no variant with its options has any more, newest first; and whether
-- a run has the job's own label.
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

-- The outdated labels that a job takes over: all, but at most one if several variants have its options.
local function taken_over(connection, study, job, current)
  local old, has_own = outdated(connection, study, job, current)
  if not next(current, next(current)) then return old end
  return { not has_own and old[1] or nil }
end

-- The number of the study's runs with this label whose options belong to no variant of that label in the
-- recipe: an earlier recipe used the label for them.
local function others_called(connection, study, label, current)
  local rows = must(connection:query([[SELECT c.sha256 AS hash, count(*) AS n FROM run
     JOIN config c USING(config_id) JOIN study s USING(study_id)
     WHERE s.name = ?1 AND run.label = ?2 AND removed_at IS NULL GROUP BY hash]], study, label))
  local n = 0
  for _, row in ipairs(rows) do
    local own = current[row.hash]
    if not (own and own[label]) then n = n + row.n end
  end
  return n
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
  for _, change in ipairs(changes) do
    change.others = others_called(connection, study, change.to, current)
  end
  return changes
end

-- follow(db, study, jobs) → changes, a list of {from, to, runs, others}; others: how many runs with other
-- options also have the label `to`. jobs: all of the recipe's, {label, seed, config = complete}. Runs keep a
-- label that a variant with the same options still has.
function labels.follow(db, study, jobs)
  return must(db:transaction(relabel, db.core, study, jobs))
end

-- ── by hand ─────────────────────────────────────────────────────────────────────────────
-- The processes that may carry out an unfinished plan: the one that wrote it, and its workers.
local CARRIERS = [[
  WITH open AS (SELECT p.study_id, p.pid FROM plan p JOIN study USING(study_id) WHERE name = ?1
    AND EXISTS (SELECT 1 FROM plan_run r WHERE r.study_id = p.study_id AND uid IS NULL AND ended IS NULL))
  SELECT pid FROM open UNION SELECT worker FROM plan_run JOIN open USING(study_id) WHERE worker IS NOT NULL]]

-- Between two runs of a study none is in progress, but the processes that carry out its plan use its name.
local function refuse_running(db, study)
  local connection = db.core
  local rows = must(connection:query([[SELECT uid FROM run JOIN study USING(study_id)
     WHERE study.name = ?1 AND ended_at IS NULL LIMIT 1]], study))
  if rows[1] then
    error(("run %s of study %s is in progress: interrupt it (Ctrl-C) first"):format(rows[1].uid, study), 0)
  end
  for _, row in ipairs(db.shared and must(connection:query(CARRIERS, study)) or {}) do
    if connection:writer(row.pid) then
      error(("process %d carries out the plan of study %s: interrupt it (Ctrl-C) first"):format(row.pid,
        study), 0)
    end
  end
end

-- Raises if other runs of the study have the new label: two configurations of one label would look like one.
local function refuse_taken(connection, study, new)
  local rows = must(connection:query([[SELECT 1 FROM run JOIN study USING(study_id)
     WHERE study.name = ?1 AND label = ?2 LIMIT 1]], study, new))
  if rows[1] then error(("study %s has a variant with the label %s already"):format(study, new), 0) end
end

-- rename(db, study, old, new) → how many runs: changes a variant's label in its runs, in the stored plan, and
-- as the study's baseline. Raises if there is no such variant or the new label is taken.
function labels.rename(db, study, old, new)
  typed_name("a label", new)
  trial_label.check { { label = old }, { label = new } }
  return must(db:transaction(function(connection)
    refuse_running(db, study)
    refuse_taken(connection, study, new)
    local of_study = " AND study_id = (SELECT study_id FROM study WHERE name = ?1)"
    local n = must(connection:exec("UPDATE run SET label = ?3 WHERE label = ?2" .. of_study, study, old, new))
    if n == 0 then error(("study %s has no variant with the label %s"):format(study, old), 0) end
    must(connection:exec("UPDATE plan_run SET label = ?3 WHERE label = ?2" .. of_study, study, old, new))
    must(connection:exec("UPDATE study SET baseline = ?3 WHERE baseline = ?2 AND name = ?1", study, old, new))
    return n
  end, db.core))
end

-- rename_study(db, study, new) → how many runs it has, removed ones included.
function labels.rename_study(db, study, new)
  typed_name("a study's name", new)
  return must(db:transaction(function(connection)
    refuse_running(db, study)
    if must(connection:query("SELECT 1 FROM study WHERE name = ?1", new))[1] then
      error(("there is a study %s already"):format(new), 0)
    end
    must(connection:exec("UPDATE study SET name = ?2 WHERE name = ?1", study, new))
    return must(connection:query([[SELECT count(*) AS n FROM run JOIN study USING(study_id)
       WHERE study.name = ?1]], new))[1].n
  end, db.core))
end

return labels
