-- Is a database whole, and do its numbers follow from what they were counted from?
-- check(db) → list of {name =, faults = {sentence, …}} | nil, message, code. Reads every row of
-- the counts and predictions; changes nothing.

-- name → SQL that finds faults, with a sentence in the column `fault`.
local DERIVED = {
  { "class_count follows from confusion", [[
    WITH margin AS (
      SELECT c.eval_id, c.class_idx,
             (SELECT coalesce(sum(n), 0) FROM confusion f
               WHERE f.eval_id = c.eval_id AND f.true_idx = c.class_idx) AS support,
             (SELECT coalesce(sum(n), 0) FROM confusion f
               WHERE f.eval_id = c.eval_id AND f.pred_idx = c.class_idx) AS predicted,
             (SELECT coalesce(sum(n), 0) FROM confusion f WHERE f.eval_id = c.eval_id
                 AND f.true_idx = c.class_idx AND f.pred_idx = c.class_idx) AS tp
        FROM class_count c)
    SELECT 'evaluation ' || eval_id || ', class ' || class_idx || ': stored ' || c.support || ', '
           || c.predicted || ', ' || c.tp || '; counted ' || m.support || ', ' || m.predicted || ', '
           || m.tp AS fault
      FROM class_count c JOIN margin m USING(eval_id, class_idx)
     WHERE c.support <> m.support OR c.predicted <> m.predicted OR c.tp <> m.tp]] },
  { "every counted class is in class_count", [[
    SELECT DISTINCT 'evaluation ' || f.eval_id || ' counts class ' || f.true_idx || ' or ' || f.pred_idx
           || ', which class_count lacks' AS fault
      FROM confusion f LEFT JOIN class_count t ON t.eval_id = f.eval_id AND t.class_idx = f.true_idx
      LEFT JOIN class_count p ON p.eval_id = f.eval_id AND p.class_idx = f.pred_idx
     WHERE t.eval_id IS NULL OR p.eval_id IS NULL]] },
  { "evaluation.n is the sum of confusion", [[
    SELECT 'evaluation ' || e.eval_id || ': n is ' || e.n || ', its matrix counts ' || sum(f.n) AS fault
      FROM evaluation e JOIN confusion f USING(eval_id) GROUP BY e.eval_id HAVING sum(f.n) <> e.n]] },
  { "confusion follows from predictions", [[
    WITH counted AS (
      SELECT eval_id, true_idx, pred_idx, count(*) AS n FROM prediction GROUP BY 1, 2, 3),
    complete AS (SELECT DISTINCT eval_id FROM prediction)
    SELECT 'evaluation ' || f.eval_id || ': ' || f.n || ' images of class ' || f.true_idx || ' called '
           || f.pred_idx || ', predictions say ' || coalesce(c.n, 0) AS fault
      FROM confusion f JOIN complete USING(eval_id)
      LEFT JOIN counted c USING(eval_id, true_idx, pred_idx) WHERE f.n <> coalesce(c.n, 0)
    UNION ALL
    SELECT 'evaluation ' || c.eval_id || ': ' || c.n || ' predictions of class ' || c.true_idx
           || ' as ' || c.pred_idx || ' are in no matrix'
      FROM counted c LEFT JOIN confusion f USING(eval_id, true_idx, pred_idx) WHERE f.n IS NULL]] },
}

-- The file's own checks → list of sentences.
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

local function asked(sql)
  return function(db)
    local rows, message, code = db.core:query(sql)
    if not rows then return nil, message, code end
    local faults = {}
    for i, row in ipairs(rows) do faults[i] = row.fault end
    return faults
  end
end

return function(db)
  local checks = { { "the file's pages and indexes", integrity }, { "references between tables", references } }
  for _, one in ipairs(DERIVED) do checks[#checks + 1] = { one[1], asked(one[2]) } end
  local results = {}
  for i, one in ipairs(checks) do
    local faults, message, code = one[2](db)
    if not faults then return nil, message, code end
    results[i] = { name = one[1], faults = faults }
  end
  return results
end
