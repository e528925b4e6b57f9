-- Garbage collection: gc.plan(db, key_of) finds what a database no longer needs, gc.carry_out(db, plan)
-- deletes it.
--   removed run     its rows, and the files of its folder <name>/<uid>
--   orphan          a folder <name>/<uid> of no run, as a deleted database leaves it
--   orphan          a folder <name>/<uid> that belongs to no run, such as one of a deleted database
-- Only files that the trainer makes are deleted, at places that follow from the database's path and the uid
-- Deletes only files that the trainer makes, at paths that follow from the database's path and the uid
-- (run_folder.lua), never at a path that the database contains and never through a link. Other databases in
-- the same folder are read first: what one of them uses stays, and if one cannot be read, nothing is treated
local core = require "aniso.core"
local leftovers = require "aniso.store.leftovers"
local run_folder = require "aniso.store.run_folder"
local sibling_databases = require "aniso.store.sibling_databases"
local ulid = require "aniso.store.ulid"
local must = require("aniso.store.db_error").must
local sys = core.sys

local gc = {}

local function parent_of(path)
  return path:match "^(.*)/[^/]*$" or "."
end

local function item(what, name, path, bytes)
  return { what = what, name = name, path = path, bytes = bytes or 0 }
end

-- ── finding ─────────────────────────────────────────────────────────────────────────────
-- "FOLDER stays, it has other files: a, b and 3 more"; nil if it has none.
local function others_stay(found)
  local n = #found.others
  if n == 0 then return nil end
  local more = n > 3 and (" and %d more"):format(n - 3) or ""
  return ("%s stays, it has other files: %s%s"):format(found.path,
    table.concat(found.others, ", ", 1, math.min(n, 3)), more)
end

local function removed_runs(db, plan, siblings)
  for _, run in ipairs(must(db:runs { removed = true })) do
    local one = item("removed run", ("%d %s, seed %d"):format(run.run_id, run.label or run.name, run.seed))
    one.uid = run.uid
    plan[#plan + 1] = one
    local path = run_folder.path(db, run.uid)
    if sys.exists(path) or sys.is_link(path) then
      local found, why = run_folder.survey(path)
      local owner = siblings.runs[run.uid]
      if not found then
        one.keep = why
      elseif owner then
        one.keep = ("%s has the run too: its checkpoints stay"):format(owner)
      else
        one.bytes, one.folder, one.keep = found.bytes, found, others_stay(found)
      end
    end
  end
end

-- Why the files of an orphan stay: a process is using one of them. nil if none is in use.
local function used_in(found)
  for _, name in ipairs(found.names) do
    local used = run_folder.used_by(found.path, name)
    if used then return used end
  end
end

local function orphans(db, plan, siblings)
  local home, own = db:folder(), {}
  for _, row in ipairs(must(db:query "SELECT uid FROM run")) do own[row.uid] = true end
  for _, uid in ipairs(sys.exists(home) == "directory" and sys.list(home) or {}) do
    local found = ulid.is(uid) and not own[uid] and not siblings.runs[uid]
      and run_folder.survey(run_folder.path(db, uid))
    if found and (#found.names > 0 or #found.others == 0) then
      local one = item("orphan", found.path, nil, found.bytes)
      one.folder, one.extra, one.keep = found, true, siblings.unreadable or used_in(found)
      one.remark = others_stay(found)
      plan[#plan + 1] = one
    end
  end
end

local function first_stages(db, plan, siblings, key_of)
  local folder = db:first_stage_folder()
  local used, unknown = sibling_databases.first_stages(db, siblings, key_of)
  for _, name in ipairs(sys.exists(folder) == "directory" and not sys.is_link(folder)
    and sys.list(folder) or {}) do
    local key, path = run_folder.is_first_stage(name), folder .. "/" .. name
    local is_final = name:match "%.safetensors$" or name:match "%-lock$" -- else see leftovers.lua
    if key and is_final and not used[key] and sys.exists(path) == "file" and not sys.is_link(path) then
      local one = item("first stage", path, path, sys.size(path))
      one.extra, one.lock = true, run_folder.locked_path(path)
      one.keep = run_folder.used_by(folder, name) or siblings.unreadable or unknown
      plan[#plan + 1] = one
    end
  end
end

-- plan(db, key_of, cache_folder) → list of {what, name, bytes, folder = what run_folder.survey() found or
-- nil, path = of a single file or nil, keep = why files stay or nil, extra = true unless it belongs to a
-- removed run, lock = the path whose lock protects the file or nil, flag = the option that deletes it,
-- "orphans" by default}.
-- key_of({config, seed, data, split, version}) → the hash of the first stage that a run uses, as in
-- train/first_stage.lua, or nil if it cannot be computed. cache_folder [opt]: that of the pixel caches.
function gc.plan(db, key_of, cache_folder)
  local plan, siblings = {}, sibling_databases.of(db, parent_of(db.path))
  removed_runs(db, plan, siblings)
  orphans(db, plan, siblings)
  first_stages(db, plan, siblings, key_of)
  local more = leftovers.plan(db, cache_folder)
  return table.move(more, 1, #more, #plan + 1, plan)
end

-- ── deleting ────────────────────────────────────────────────────────────────────────────
-- Deletes shared rows that no run refers to any more, except those that a plan for workers needs.
local SHARED = {
  "DELETE FROM config WHERE config_id NOT IN (SELECT config_id FROM run)"
    .. " AND sha256 NOT IN (SELECT config FROM plan_run WHERE unit IS NOT NULL)",
  "DELETE FROM study WHERE study_id NOT IN (SELECT study_id FROM run)"
    .. " AND study_id NOT IN (SELECT study_id FROM plan_run WHERE unit IS NOT NULL)",
  "DELETE FROM source WHERE source_id NOT IN (SELECT recipe_id FROM run WHERE recipe_id IS NOT NULL"
    .. " UNION SELECT recipe_id FROM plan WHERE recipe_id IS NOT NULL)",
  "DELETE FROM host WHERE host_id NOT IN (SELECT host_id FROM run)",
  "DELETE FROM data_split WHERE split_id NOT IN (SELECT split_id FROM run)",
  "DELETE FROM dataset WHERE dataset_id NOT IN (SELECT dataset_id FROM data_split)",
}

local DELETE = "DELETE FROM run WHERE uid = ?1 AND removed_at IS NOT NULL"

-- Deletes the rows of the plan's removed runs and no others, since `aniso rm` and `aniso restore` may run
-- meanwhile. The item of a run that was restored after the plan was made gets `restored`. Runs are deleted
-- one at a time because a signal has to wait for the end of a statement that writes.
local function delete_rows(db, plan)
  must(db:transaction(function()
    local deleted = 0
    for _, one in ipairs(plan) do
      local n = one.uid and must(db:exec(DELETE, one.uid))
      one.restored = n == 0 or nil
      deleted = deleted + (n or 0)
    end
    if deleted == 0 then return end
    for _, sql in ipairs(SHARED) do must(db:exec(sql)) end
  end))
end

-- The paths that deleting one item of a plan removes, in order.
function gc.paths(one)
  local out, folder = {}, one.folder
  for _, name in ipairs(folder and folder.names or {}) do out[#out + 1] = folder.path .. "/" .. name end
  if folder and #folder.others == 0 then out[#out + 1] = folder.path end
  out[#out + 1] = one.path
  return out
end

-- → the lock of an item or nil; nil and a sentence if another process holds it.
local function lock_of(one)
  if not one.lock then return nil end
  local lock, message = sys.lock(one.lock)
  return lock, not lock and message or nil
end

-- Deletes the files of one item while holding the lock that a process using them would hold. → bytes
local function delete(one)
  local _ <close>, why = lock_of(one)
  one.keep = why or one.keep
  if why then return 0 end
  for _, path in ipairs(gc.paths(one)) do must(sys.remove(path)) end
  return one.bytes
end

-- Deletes the removed runs; with {orphans = true} also the rest of the plan except the pixel caches, and with
-- {cache = true} those. Rows are deleted first: files that remain after a kill are orphans, which the next
-- call finds. → bytes of the deleted files.
function gc.carry_out(db, plan, options)
  delete_rows(db, plan)
  local freed = 0
  for _, one in ipairs(plan) do
    local is_deleted = not one.extra and not one.restored
      or one.extra and options and options[one.flag or "orphans"] and not one.keep
    if is_deleted then freed = freed + delete(one) end
  end
  return freed
end

return gc
