-- Finds runs by name: find("7" or "01J9X" or "adpm" or "@last" or "@best:macro_f1"), and lists of runs, as
-- rows of run_rows.lua.
local derived = require "aniso.stats.derived"
local hint = require "aniso.store.hint"
local keys = require "aniso.store.keys"
local metric_column = require "aniso.store.metric_column"
local run_rows = require "aniso.store.run_rows"
local score = require "aniso.store.score"
local select = require "aniso.store.select"

local find = {}

local function rows_of(db, removed, condition, ...)
  return run_rows.read(db, removed, "*", condition, ...)
end

-- runs{ filter…, study =, name =, label =, dataset =, status =, text =, sort =, limit =, removed =,
-- metrics = } → rows, oldest first or sorted. Filters and sort are those of `aniso ls`
-- (store/select.lua); `limit` keeps the newest, or the first when sorted; `removed`: only removed runs;
-- `metrics`: each row has .metrics, of its primary test evaluation.
function find.runs(db, filters)
  filters = filters or {}
  if filters.status then
    local known, why = pcall(keys.check_fact, "status", filters.status)
    if not known then return nil, why, "EINVAL" end
  end
  local rows, message, code = rows_of(db, filters.removed, [[
    WHERE (?1 IS NULL OR study = ?1) AND (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR label = ?3)
      AND (?4 IS NULL OR dataset = ?4) ORDER BY run_id]],
    filters.study, filters.name, filters.label, filters.dataset)
  if not rows then return nil, message, code end
  local kept, has_text = {}, filters.text and select.word(filters.text)
  for _, row in ipairs(rows) do
    if (filters.status == nil or row.status == filters.status) and (not has_text or has_text(row)) then
      kept[#kept + 1] = row
    end
  end
  if #filters > 0 or filters.sort or filters.metrics then return (select.narrow(db, kept, filters)) end
  local limit = filters.limit or #kept
  return table.move(kept, math.max(1, #kept - limit + 1), #kept, 1, {})
end

local function not_found(message, ...)
  return nil, message:format(...), "ENOTFOUND"
end

-- Both statements take the metric's name as ?1. A rate is computed once per evaluation.
local BY_RATE = [[
  WITH rate AS MATERIALIZED (%s)
  SELECT run_id FROM rate JOIN v_run r USING(run_id) WHERE r.status = 'finished' AND value IS NOT NULL
   ORDER BY value DESC, run_id LIMIT 1]]
local BY_RESULT = [[
  SELECT e.run_id FROM evaluation e JOIN v_run r USING(run_id) JOIN result x USING(eval_id)
    JOIN metric m USING(metric_id)
   WHERE e.is_primary = 1 AND e.part = 'test' AND r.status = 'finished' AND m.name = ?1
     AND x.value IS NOT NULL
   ORDER BY CASE m.higher_is_better WHEN 1 THEN -x.value ELSE x.value END, e.run_id LIMIT 1]]

-- The best run by a metric of predictions (stats/derived.lua), which is computed for each finished run.
local function best_computed(db, metric)
  local top, best_run
  for _, run in ipairs(rows_of(db, false, "ORDER BY run_id") or {}) do
    local own = run.status == "finished" and score.scores(db, { runs = { run } })[1]
    local value = own and own.run_id == run.run_id and own.metrics[metric.name]
    if value and (not top or (metric.higher and value > top) or (not metric.higher and value < top)) then
      top, best_run = value, run
    end
  end
  if best_run then return { best_run } end
  return not_found("no finished run of %s has predictions to compute %s from", db.path, metric.name)
end

local function best(db, name)
  local metric = score.aliases[name] or name
  local computed = derived.parse(metric)
  if computed and not computed.ranked then return best_computed(db, computed) end
  local sql = metric_column.is_rate(metric) and BY_RATE:format(metric_column.sql(metric)) or BY_RESULT
  local rows, message, code = db.core:query(sql, metric)
  if not rows then return nil, message, code end
  if not rows[1] then
    return not_found("no finished run of %s has %s on the test part", db.path, metric)
  end
  return rows_of(db, false, "WHERE run_id = ?1", rows[1].run_id)
end

-- The ways to name a run, in the order in which they are tried.
local function candidates(db, reference, removed)
  if reference == "@last" then return rows_of(db, removed, "ORDER BY run_id DESC LIMIT 1") end
  local metric = reference:match "^@best:([%w_@=.]+)$" or reference == "@best" and "macro_f1"
  if metric then return best(db, metric) end
  local id = math.tointeger(tonumber(reference))
  local rows, message, code = rows_of(db, removed, "WHERE run_id = ?1 OR uid = upper(?2)", id, reference)
  if rows and not rows[1] then
    rows, message, code = rows_of(db, removed, "WHERE name = ?1 OR label = ?1 ORDER BY run_id", reference)
  end
  if rows and not rows[1] and #reference >= 4 then
    rows, message, code = rows_of(db, removed, "WHERE substr(uid, 1, ?2) = upper(?1) ORDER BY run_id",
      reference, #reference)
  end
  return rows, message, code
end

local function ambiguous(reference, rows)
  local list = {}
  for i = 1, math.min(#rows, 6) do
    local row = rows[i]
    list[i] = ("%d (%s, seed %d, %s)"):format(row.run_id, row.name, row.seed, row.status)
  end
  if #rows > 6 then list[7] = "…" end
  return not_found("%s matches %d runs; give the number of one: %s", reference, #rows,
    table.concat(list, ", "))
end

local function nothing(db, reference, removed)
  if removed then
    local here = not reference:find "^@" and candidates(db, reference, false)
    if here and here[1] then
      return not_found("run %s is not removed: there is nothing to restore", reference)
    end
    return not_found("no removed run %s in %s (%s lists them)", reference, db.path,
      hint.command(db, "ls", "--removed"))
  end
  local gone = not reference:find "^@" and candidates(db, reference, true)
  if gone and gone[1] then
    return not_found("run %s was removed on %s; %s brings it back", reference,
      gone[1].removed_at:sub(1, 10), hint.command(db, "restore", { reference }))
  end
  return not_found("no run %s in %s (%s lists them)", reference, db.path, hint.command(db, "ls"))
end

-- find(reference [, {removed = true}]) → row | nil, message, code. removed: searches the removed runs.
function find.find(db, reference, options)
  local removed = options and options.removed or false
  reference = tostring(reference)
  local rows, message, code = candidates(db, reference, removed)
  if not rows then return nil, message, code end
  if #rows == 0 then return nothing(db, reference, removed) end
  if #rows > 1 then return ambiguous(reference, rows) end
  return rows[1]
end

return find
