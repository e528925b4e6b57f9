-- Copies the runs of other files into this one: db:merge{other, …} → {file =, added =, updated =,
-- known =, running =, removed =} per file | nil, message, code. A run is identified by its uid, so
-- repeating a merge is a no-op. A run that continued in the other file is updated: it was resumed more often
-- there, or has more steps, or an end. Times are not compared. A run that is still in progress or removed
-- there is skipped. A uid that names two different runs is refused, and so is a file whose configurations do
-- not match their hashes, or whose counts of classes do not follow from the confusion matrices.
-- Rows are copied through two connections, never by ATTACH: the other file is only read. Either all files
-- are merged or none.
local core = require "aniso.core"
local config_hash = require "aniso.store.config_hash"
local count_check = require "aniso.store.count_check"
local inserted_rows = require "aniso.store.inserted_rows"
local ulid = require "aniso.store.ulid"
local must = require("aniso.store.db_error").must
local raise = require("aniso.store.db_error").raise

local merge = {}

-- The tables whose rows several runs share. id: the primary key. same: the columns by which a row of the
-- other file is identified here. refers: columns that reference another shared table. parts: tables whose
-- rows belong to a row. parts_since: parts that exist since a version of the schema. fill: columns that are
-- copied from the other file if they are NULL here.
local SHARED = {
  dataset = { id = "dataset_id", same = { "sha256" }, parts = { "dataset_class" }, fill = { "content" } },
  data_split = { id = "split_id", same = { "sha256" }, refers = { dataset_id = "dataset" },
    parts = { "split_class" }, parts_since = { split_cluster = 6 } },
  study = { id = "study_id", same = { "name" }, fill = { "baseline" } },
  config = { id = "config_id", same = { "sha256" }, parts = { "config_param" } },
  source = { id = "source_id", same = { "sha256" } },
  host = { id = "host_id", same = { "hostname", "os", "arch", "cpu", "cores", "ram_bytes", "blas" } },
  metric = { id = "metric_id", same = { "name" } },
}

local RUN = { study_id = "study", config_id = "config", split_id = "data_split", host_id = "host",
  recipe_id = "source" }
local OF_RUN = { "lambda", "metric_value", "log" }
local OF_EVALUATION = { "confusion", "class_count", "result", "class_score", "calibration_bin", "prediction" }

local Merge = {}
Merge.__index = Merge

-- → the new id
function Merge:insert(name, row, columns)
  return inserted_rows.one(self.to, name, row, columns)
end

-- Copies the rows of a table that belong to `old`, for `new`; `drop`: the column of their own id.
function Merge:copy(name, key, old, new, drop)
  self.copiers[name] = self.copiers[name] or inserted_rows.copier(self.from, self.to, name, key, drop)
  self.copiers[name](old, new)
end

-- The number here of a shared row with the number `old` in the other file; copies the row if necessary.
function Merge:shared(name, old)
  local known = self.numbers[name]
  if known[old] then return known[old] end
  local of = SHARED[name]
  local rows, columns = self.from:query(("SELECT * FROM %s WHERE %s = ?1"):format(name, of.id), old)
  local row = must(rows, columns)[1]
  if not row then raise(("%s lacks row %d of %s"):format(self.from:path(), old, name), "EFORMAT") end
  local equal, values = {}, {}
  for i, column in ipairs(of.same) do equal[i], values[i] = ("%s IS ?%d"):format(column, i), row[column] end
  local here = must(self.to:query(("SELECT %s AS id FROM %s WHERE %s"):format(of.id, name,
    table.concat(equal, " AND ")), table.unpack(values, 1, #of.same)))[1]
  if here then
    known[old] = here.id
    for _, column in ipairs(of.fill or {}) do
      must(self.to:exec(("UPDATE %s SET %s = coalesce(%s, ?2) WHERE %s = ?1"):format(name, column, column,
        of.id), here.id, row[column]))
    end
    for column, target in pairs(of.refers or {}) do self:shared(target, row[column]) end -- may be filled too
    return here.id
  end
  row[of.id] = nil
  for column, target in pairs(of.refers or {}) do row[column] = self:shared(target, row[column]) end
  known[old] = self:insert(name, row, columns)
  for _, part in ipairs(of.parts or {}) do self:copy(part, of.id, old, known[old]) end
  for part, version in pairs(of.parts_since or {}) do
    if self.from:version() >= version then self:copy(part, of.id, old, known[old]) end
  end
  return known[old]
end

-- All metrics of the other file at once, before the rows that reference them are copied.
function Merge:share_metrics()
  for _, name in ipairs { "metric_value", "result" } do
    local lost = "SELECT metric_id FROM %s WHERE metric_id NOT IN (SELECT metric_id FROM metric) LIMIT 1"
    local row = must(self.from:query(lost:format(name)))[1]
    if row then self:shared("metric", row.metric_id) end -- raises
  end
  for _, row in ipairs(must(self.from:query "SELECT metric_id FROM metric")) do
    self:shared("metric", row.metric_id)
  end
  inserted_rows.map_metrics(self.to, self.numbers.metric)
  self.has_metrics = true
end

function Merge:contents(old, new)
  if not self.has_metrics then self:share_metrics() end
  for _, name in ipairs(OF_RUN) do self:copy(name, "run_id", old, new) end
  self:copy("checkpoint", "run_id", old, new, "checkpoint_id")
  local rows, columns = self.from:query("SELECT * FROM evaluation WHERE run_id = ?1 ORDER BY eval_id", old)
  for _, row in ipairs(must(rows, columns)) do
    local was = row.eval_id
    row.eval_id, row.run_id = nil, new
    local id = self:insert("evaluation", row, columns)
    for _, name in ipairs(OF_EVALUATION) do self:copy(name, "eval_id", was, id) end
  end
end

-- The attempt number of a run here: its own, or the next one if another run of the same configuration,
-- split and seed has it already.
local function free_attempt(to, run)
  local taken = must(to:query([[
    SELECT max(attempt) AS last, max(attempt = ?4) AS taken FROM run
     WHERE config_id = ?1 AND split_id = ?2 AND seed = ?3]],
    run.config_id, run.split_id, run.seed, run.attempt))[1]
  return taken.taken == 1 and taken.last + 1 or run.attempt
end

function Merge:add(run, columns)
  local old = run.run_id
  run.run_id = nil
  for column, name in pairs(RUN) do run[column] = run[column] and self:shared(name, run[column]) end
  run.attempt = free_attempt(self.to, run)
  local new = self:insert("run", run, columns)
  self:contents(old, new)
  if self.from:version() >= 2 then
    for _, name in ipairs { "tag", "note" } do self:copy(name, "run_id", old, new) end
  end
end

-- The rows of the other file replace the rows here; tags and notes stay.
function Merge:update(run, here)
  for _, name in ipairs { "lambda", "metric_value", "log", "checkpoint", "evaluation" } do
    must(self.to:exec(("DELETE FROM %s WHERE run_id = ?1"):format(name), here.run_id))
  end
  must(self.to:exec([[
    UPDATE run SET status = ?2, error = ?3, heartbeat_at = ?4, ended_at = ?5, wall_s = ?6, resumes = ?7
     WHERE run_id = ?1]], here.run_id, run.status, run.error, run.heartbeat_at, run.ended_at, run.wall_s,
    run.resumes))
  self:contents(run.run_id, here.run_id)
end

-- The progress of a run: of two states, the later one is larger in the first column that differs.
local PROGRESS = [[
  SELECT r.run_id, r.seed, r.fold, c.sha256 AS config, p.sha256 AS split, r.resumes,
         max(coalesce((SELECT max(step) FROM checkpoint k WHERE k.run_id = r.run_id), 0),
             coalesce((SELECT max(step) FROM metric_value v WHERE v.run_id = r.run_id), 0)) AS step,
         r.ended_at IS NOT NULL AS ended, r.status = 'finished' AS finished
    FROM run r JOIN config c USING(config_id) JOIN data_split p USING(split_id) WHERE r.uid = ?1]]

local function progress(connection, uid)
  local sql = connection:version() < 6 and PROGRESS:gsub("r%.fold", "NULL AS fold") or PROGRESS
  return must(connection:query(sql, uid))[1]
end

-- Whether the other file has the later state of a run that both contain; raises if the two are different
-- runs. A run that has finished here cannot continue, so the other file's rows never replace it.
local function is_later(to, from, uid)
  local here, there = progress(to, uid), progress(from, uid)
  for column, name in pairs { config = "configuration", split = "split", seed = "seed", fold = "fold" } do
    if here[column] ~= there[column] then
      raise(("run %s of %s is another run than the one with this id here: its %s differs; nothing was merged")
        :format(uid, from:path(), name), "EFORMAT")
    end
  end
  if here.finished == 1 then return false end
  for _, column in ipairs { "resumes", "step", "ended", "finished" } do
    if here[column] ~= there[column] then return there[column] > here[column] end
  end
  return false
end

local function one_file(to, from)
  local self = setmetatable({ to = to, from = from, numbers = {}, copiers = {} }, Merge)
  for name in pairs(SHARED) do self.numbers[name] = {} end
  local result = { file = from:path(), added = 0, updated = 0, known = 0, running = 0, removed = 0 }
  local in_progress = from:writer() ~= nil
  local runs, columns = from:query "SELECT * FROM run ORDER BY run_id"
  for _, run in ipairs(must(runs, columns)) do
    if not ulid.is(run.uid) then
      raise(("%s has a run with the id %s, which is no ULID; nothing was merged"):format(from:path(),
        run.uid), "EFORMAT")
    end
    local here = must(to:query("SELECT run_id FROM run WHERE uid = ?1", run.uid))[1]
    local what = here and (is_later(to, from, run.uid) and "updated" or "known") or "added"
    if run.ended_at == nil and in_progress then what = "running" end
    if run.removed_at ~= nil then what = "removed" end
    result[what] = result[what] + 1
    if what == "added" then self:add(run, columns) end
    if what == "updated" then self:update(run, here) end
  end
  return result
end

-- Counts that contradict their matrix are refused in both files: a table over the two would be wrong.
local function check_counts(connection)
  local fault, message, code = count_check.first(connection)
  if message then raise(message, code) end
  if fault then
    raise(("%s: %s; nothing was merged, and aniso db check lists every fault"):format(connection:path(),
      fault), "EFORMAT")
  end
end

-- Opens a file that can be read to its end, is a database of ours, and is no newer than this program.
local function open_other(db, path)
  local from = must(core.db.open(path, "read"))
  local version = from:version()
  if from:path() == db.path then raise(("%s cannot be merged into itself"):format(path), "EINVAL") end
  if version > core.db.VERSION then
    raise(("%s was written by a newer aniso (version %d, this one reads up to %d): merge with that program")
      :format(path, version, core.db.VERSION), "EFORMAT")
  end
  local checked = must(from:query "PRAGMA quick_check(1)")[1]
  if checked.quick_check ~= "ok" then
    raise(("%s is damaged (%s); `sqlite3 FILE .recover` may help"):format(path,
      (checked.quick_check:gsub("%s+", " "))), "EFORMAT")
  end
  check_counts(from)
  local wrong = config_hash.wrong(from)
  if wrong then
    raise(("configuration %d of %s does not have the hash that the file gives; nothing was merged")
      :format(wrong, path), "EFORMAT")
  end
  return from
end

function merge.merge(db, others)
  return db:transaction(function()
    check_counts(db.core)
    local results = {}
    for i, path in ipairs(others) do
      local from <close> = open_other(db, path)
      must(from:begin()) -- a consistent state, even while another process writes
      results[i] = one_file(db.core, from)
      from:rollback()
    end
    return results
  end)
end

return merge
