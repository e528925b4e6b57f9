-- contents.lua DATABASE: prints what must not depend on a fault: of every finished run its curves, levels,
-- checkpoints and evaluations with all counts, scores and predictions, but no times and no identities.
-- The first stage, which is epoch 1 of study.lua, has a curve in the run that happened to train it.
local aniso = require "aniso"
local db = aniso.store.open(..., { readonly = true })

local RUN = "(SELECT coalesce(r.label, '') || ' seed ' || r.seed FROM run r WHERE r.run_id = %s.run_id "
  .. "AND r.status = 'finished' AND r.removed_at IS NULL)"
local EVALUATION = "(SELECT " .. RUN:format "e" .. " || ' ' || e.part || ' ' || e.weights || ' ' || "
  .. "e.step || ' ' || e.sampler || ' ' || e.sample_steps || ' ' || e.draws || ' ' || e.is_primary "
  .. "FROM evaluation e WHERE e.eval_id = t.eval_id)"

local PARTS = {
  "SELECT 'run' AS what, RUN AS whose FROM run t",
  "SELECT 'level' AS what, RUN AS whose, class_idx, value FROM lambda t",
  "SELECT DISTINCT 'curve' AS what, iif(step <= 1, 'first stage', RUN) AS whose, part, name, step, value, "
    .. "kind FROM metric_value t JOIN metric USING(metric_id) WHERE name NOT LIKE '%seconds%'",
  "SELECT 'checkpoint' AS what, RUN AS whose, kind, step, sha256 FROM checkpoint t",
  "SELECT 'evaluation' AS what, EVALUATION AS whose, n FROM evaluation t",
  "SELECT 'confusion' AS what, EVALUATION AS whose, true_idx, pred_idx, n FROM confusion t",
  "SELECT 'result' AS what, EVALUATION AS whose, name, value FROM result t JOIN metric USING(metric_id) "
    .. "WHERE name NOT LIKE '%seconds%'",
  "SELECT 'score' AS what, EVALUATION AS whose, class_idx, key, value FROM class_score t",
  "SELECT 'prediction' AS what, EVALUATION AS whose, sample_idx, true_idx, pred_idx, hex(probs) AS probs "
    .. "FROM prediction t",
}

local lines = {}
for _, part in ipairs(PARTS) do
  local sql = part:gsub("RUN", (RUN:format "t")):gsub("EVALUATION", EVALUATION)
  for _, row in ipairs(assert(db:query(sql))) do
    local cells = {}
    for k, cell in pairs(row) do cells[#cells + 1] = ("%s=%s"):format(k, cell) end
    table.sort(cells)
    if row.whose then lines[#lines + 1] = table.concat(cells, " ") end
  end
end
table.sort(lines)
print(table.concat(lines, "\n"))
