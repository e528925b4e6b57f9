-- The curves of a run, which is given as a row of find() or runs(), its number or its uid. Both functions
-- return nil, message, code when the database fails.
local core = require "aniso.core"

local read = {}

local RUN = "(SELECT run_id FROM run WHERE run_id = ?1 OR uid = ?1)"
local KINDS = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }
local CURVES = [[
  SELECT v.part, m.name, v.step, v.value, CASE WHEN v.value IS NULL THEN v.kind END
    FROM metric_value v JOIN metric m USING(metric_id)
   WHERE v.run_id = ]] .. RUN .. [[ AND (?2 IS NULL OR v.metric_id IN (
     SELECT metric_id FROM metric WHERE name IN (SELECT value FROM json_each(?2))))
   ORDER BY v.metric_id, v.part, v.step]] -- the order of the key: SQLite need not sort
local CURVE = [[
  SELECT step, CASE WHEN abs(value) < 9e999 THEN value END FROM metric_value
   WHERE run_id = ]] .. RUN .. [[ AND part = ?2
     AND metric_id = (SELECT metric_id FROM metric WHERE name = ?3) ORDER BY step]]

local function key(run)
  return type(run) == "table" and run.run_id or run
end

-- curves[part][metric] = {step = {…}, value = {…}}; names [opt]: the metrics to read, all if left out
function read.curves(db, run, names)
  names = names and core.json.encode(names)
  local parts, metrics, steps, values, kinds = db.core:columns(CURVES, key(run), names)
  if not parts then return nil, metrics, steps end
  local curves = {}
  for i, name in ipairs(parts) do
    curves[name] = curves[name] or {}
    curves[name][metrics[i]] = curves[name][metrics[i]] or { step = {}, value = {} }
    local curve = curves[name][metrics[i]]
    curve.step[#curve.step + 1] = steps[i]
    curve.value[#curve.value + 1] = values[i] or KINDS[kinds[i]]
  end
  return curves
end

-- One curve, for which a third as many numbers are read: lists of its steps and of its values, with nil for a
-- value that is not finite. The lists are empty if the run does not have the curve.
function read.curve(db, run, part, name)
  return db.core:columns(CURVE, key(run), part, name)
end

return read
