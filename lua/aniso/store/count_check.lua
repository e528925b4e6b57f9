-- Checks that the counts of a database follow from its confusion matrices: class_count has the margins of
-- each, and evaluation.n the sum. count_check.rules: {name, SQL} pairs; each row that the SQL returns is a
-- fault, with a sentence in the column `fault`.
local count_check = {}

local MARGIN = [[
    WITH margin AS (
      SELECT eval_id, class_idx, sum(support) AS support, sum(predicted) AS predicted, sum(tp) AS tp
        FROM (SELECT eval_id, true_idx AS class_idx, n AS support, 0 AS predicted,
                     CASE WHEN true_idx = pred_idx THEN n ELSE 0 END AS tp FROM confusion
              UNION ALL SELECT eval_id, pred_idx, 0, n, 0 FROM confusion)
       GROUP BY eval_id, class_idx)]]

local DIFFERENT = [[
    SELECT 'evaluation ' || c.eval_id || ', class ' || c.class_idx || ': stored ' || c.support || ', '
           || c.predicted || ', ' || c.tp || '; counted ' || coalesce(m.support, 0) || ', '
           || coalesce(m.predicted, 0) || ', ' || coalesce(m.tp, 0) AS fault
      FROM class_count c LEFT JOIN margin m ON m.eval_id = c.eval_id AND m.class_idx = c.class_idx
     WHERE c.support <> coalesce(m.support, 0) OR c.predicted <> coalesce(m.predicted, 0)
        OR c.tp <> coalesce(m.tp, 0)]]

local MISSING = [[
    SELECT 'evaluation ' || m.eval_id || ' counts class ' || m.class_idx || ', which class_count lacks'
           AS fault
      FROM margin m LEFT JOIN class_count c ON c.eval_id = m.eval_id AND c.class_idx = m.class_idx
     WHERE c.eval_id IS NULL]]

local SUM = [[
    SELECT 'evaluation ' || e.eval_id || ': n is ' || e.n || ', its matrix counts ' || sum(f.n) AS fault
      FROM evaluation e JOIN confusion f USING(eval_id) GROUP BY e.eval_id HAVING sum(f.n) <> e.n]]

count_check.rules = {
  { "class_count follows from confusion", MARGIN .. DIFFERENT },
  { "every counted class is in class_count", MARGIN .. MISSING },
  { "evaluation.n is the sum of confusion", SUM },
}

-- The same faults in the same order; SQLite computes the margins once for both halves.
local ALL = { MARGIN .. DIFFERENT .. " UNION ALL" .. MISSING, SUM }

-- The first fault of an open database (core.db), nil if there is none | nil, message, code
function count_check.first(connection)
  for _, sql in ipairs(ALL) do
    local rows, message, code = connection:query(sql .. " LIMIT 1")
    if not rows then return nil, message, code end
    if rows[1] then return rows[1].fault end
  end
end

return count_check
