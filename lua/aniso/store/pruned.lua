-- The variants of a study that were pruned (train/pruning.lua). A decision is a `debug` row in the log of the
-- last run on which it depends, {"pruned": {metric, seeds, leader, delta, lo, hi, level}}: `seeds` is the
-- number of compared seeds, the rest describes the difference from the leader on the validation part.
--   db:set_pruned(uid, record)          db:clear_pruned(study, labels)          db:pruned_of([study])
-- All return nil, message, code when the database fails.
local core = require "aniso.core"
local must = require("aniso.store.db_error").must
local pass_interrupts = require("aniso.recipe.errors").pass_interrupts

local pruned = {}

local ROWS = "level = 'debug' AND message LIKE '{\"pruned\":%'"

-- Removes decisions about the variant of a run that are in the log of another run or differ from `text`.
local function remove_others(connection, run_id, text)
  must(connection:exec(([[
    DELETE FROM log WHERE %s AND NOT (run_id = ?1 AND message = ?2) AND run_id IN
      (SELECT o.run_id FROM run r JOIN run o ON o.study_id = r.study_id AND o.config_id = r.config_id
          AND o.label IS r.label WHERE r.run_id = ?1)]]):format(ROWS), run_id, text))
end

local function replace(connection, uid, text)
  local run_id = must(connection:query("SELECT run_id FROM run WHERE uid = ?1", uid))[1].run_id
  remove_others(connection, run_id, text)
  if must(connection:query("SELECT 1 FROM log WHERE run_id = ?1 AND message = ?2", run_id, text))[1] then
    return
  end
  must(connection:exec([[
    INSERT INTO log(run_id, seq, at, level, message)
      SELECT ?1, coalesce(max(seq), 0) + 1, ?2, 'debug', ?3 FROM log WHERE run_id = ?1]], run_id,
    core.sys.utc(), text))
end

-- Records that the variant of a run was pruned, instead of an earlier decision about it.
function pruned.set_pruned(db, uid, record)
  return db:transaction(replace, db.core, uid, core.json.encode { pruned = record })
end

local function decisions_of(db, study, labels)
  local named, out = {}, {}
  for _, label in ipairs(labels) do named[label] = true end
  for _, row in ipairs(must(db:query([[
    SELECT l.run_id, l.seq, coalesce(r.label, r.name) AS label FROM log l JOIN run r USING(run_id)
      JOIN study s USING(study_id) WHERE s.name = ?1 AND ]] .. ROWS, study))) do
    if named[row.label] then out[#out + 1] = row end
  end
  return out
end

-- Removes the decisions about the variants with these labels. → how many there were
function pruned.clear_pruned(db, study, labels)
  return db:transaction(function()
    local rows = decisions_of(db, study, labels)
    for _, row in ipairs(rows) do
      must(db.core:exec("DELETE FROM log WHERE run_id = ?1 AND seq = ?2", row.run_id, row.seq))
    end
    return #rows
  end)
end

local KINDS = { metric = "string", seeds = "number", leader = "string", delta = "number", lo = "number",
  hi = "number", level = "number" }

-- The decision in a log row; nil if another program wrote something else there.
local function record_of(text)
  local ok, decoded = pcall(core.json.decode, text)
  if not ok then pass_interrupts(decoded) end
  local record = ok and type(decoded) == "table" and decoded.pruned
  if type(record) ~= "table" then return nil end
  for name, kind in pairs(KINDS) do
    if type(record[name]) ~= kind then return nil end
  end
  return math.tointeger(record.seeds) and record
end

-- pruned_of([study]) → run_id → decision about the run's variant, {metric, seeds, leader, delta, lo, hi,
-- level, at = when, label}, for every run of the variants that were pruned, in one study or in all.
function pruned.pruned_of(db, study)
  local rows, message, code = db.core:query([[
    SELECT o.run_id, l.at, l.message, coalesce(r.label, r.name) AS label
      FROM (SELECT * FROM log WHERE ]] .. ROWS .. [[) l JOIN run r USING(run_id)
      JOIN study s USING(study_id) JOIN run o ON o.study_id = r.study_id AND o.config_id = r.config_id
       AND o.label IS r.label
     WHERE ?1 IS NULL OR s.name = ?1 ORDER BY l.run_id]], study)
  if not rows then return nil, message, code end
  local out = {}
  for _, row in ipairs(rows) do
    local record = record_of(row.message)
    if record then record.at, record.label, out[row.run_id] = row.at, row.label, record end
  end
  return out
end

return pruned
