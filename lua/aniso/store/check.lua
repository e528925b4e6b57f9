-- Checks a database: the integrity of the file, and that derived numbers follow from their sources.
-- check(db) → list of {name =, faults = {sentence, …}} | nil, message, code. Reads every row of
-- the counts and predictions, and every checkpoint; changes nothing.
local checkpoint_check = require "aniso.store.checkpoint_check"
local config_hash = require "aniso.store.config_hash"
local count_check = require "aniso.store.count_check"
local db_error = require "aniso.store.db_error"
local hint = require "aniso.store.hint"

-- name → SQL that finds faults: a sentence in the column `fault`, and in `evaluated_again` the run whose
-- evaluation repairs it, if there is one.
local DERIVED = {
  { "confusion follows from predictions", [[
    WITH counted AS (
      SELECT eval_id, true_idx, pred_idx, count(*) AS n FROM prediction GROUP BY 1, 2, 3),
    complete AS (SELECT DISTINCT eval_id FROM prediction)
    SELECT 'evaluation ' || f.eval_id || ': ' || f.n || ' images of class ' || f.true_idx || ' called '
           || f.pred_idx || ', the predictions have ' || coalesce(c.n, 0) AS fault
      FROM confusion f JOIN complete USING(eval_id)
      LEFT JOIN counted c USING(eval_id, true_idx, pred_idx) WHERE f.n <> coalesce(c.n, 0)
    UNION ALL
    SELECT 'evaluation ' || c.eval_id || ': ' || c.n || ' predictions of class ' || c.true_idx
           || ' as ' || c.pred_idx || ' are in no matrix'
      FROM counted c LEFT JOIN confusion f USING(eval_id, true_idx, pred_idx) WHERE f.n IS NULL]] },
  { "every finished run has primary evaluations", [[
    SELECT 'run ' || r.uid || ': ' || count(*) || ' evaluations of part ' || e.part || ', none of them '
           || 'primary, so statistics do not count the run' AS fault,
           CASE e.part WHEN 'test' THEN r.uid END AS evaluated_again
      FROM run r JOIN evaluation e USING(run_id) WHERE r.status = 'finished'
     GROUP BY r.run_id, e.part HAVING max(e.is_primary) = 0 ORDER BY r.run_id, e.part]] },
}

-- SQLite's integrity check of the file → list of sentences.
local function integrity(db)
  local rows, message, code = db.core:query "PRAGMA integrity_check"
  if not rows then return nil, message, code end
  local faults = {}
  for _, row in ipairs(rows) do
    if row.integrity_check ~= "ok" then faults[#faults + 1] = row.integrity_check end
  end
  return faults
end

local function references(db)
  local rows, message, code = db.core:query "PRAGMA foreign_key_check"
  if not rows then return nil, message, code end
  local faults = {}
  for i, row in ipairs(rows) do
    faults[i] = ("a row of %s names a row of %s that is not there"):format(row.table, row.parent)
  end
  return faults
end

local function configurations(db)
  local wrong = config_hash.wrong(db.core)
  return { wrong and ("configuration %d does not have the hash of its text"):format(wrong) }
end

local function checkpoints(db)
  local ok, faults = pcall(checkpoint_check, db)
  if ok then return faults end
  if db_error.is(faults) then return nil, faults.message, faults.code end
  error(faults, 0)
end

-- A row of DERIVED as a sentence.
local function sentence_of(db, row)
  local uid = row.evaluated_again
  return row.fault .. (uid and ("; %s repeats the primary one"):format(hint.command(db, "eval", uid)) or "")
end

local function faults_by(sql)
  return function(db)
    local rows, message, code = db.core:query(sql)
    if not rows then return nil, message, code end
    local faults = {}
    for i, row in ipairs(rows) do faults[i] = sentence_of(db, row) end
    return faults
  end
end

return function(db)
  local checks = { { "the file's pages and indexes", integrity },
    { "references between tables", references }, { "hashes of configurations", configurations },
    { "checkpoints and their rows", checkpoints } }
  for _, rules in ipairs { count_check.rules, DERIVED } do
    for _, one in ipairs(rules) do checks[#checks + 1] = { one[1], faults_by(one[2]) } end
  end
  local results = {}
  for i, one in ipairs(checks) do
    local faults, message, code = one[2](db)
    if not faults then return nil, message, code end
    results[i] = { name = one[1], faults = faults }
  end
  return results
end
