-- Garbage collection: gc.plan(db, key_of) finds what a database no longer needs, gc.carry_out(db, plan)
-- deletes it.
--   removed run     its rows, and its folder of checkpoints <name>/<uid>
--   orphan          a folder <name>/<uid> of no run, as a deleted database leaves it
--   first stage     a file of first-stage/ that no run would use again (train/first_stage.lua)
-- Other databases in the same folder are read first: what one of them uses stays, and if one cannot be
-- read, nothing is treated as an orphan or unused. Copies named *.bak do not count.
local core = require "aniso.core"
local sibling_databases = require "aniso.store.sibling_databases"
local must = require("aniso.store.db_error").must
local sys = core.sys

local gc = {}

local ULID = "^" .. ("[0-9A-HJKMNP-TV-Z]"):rep(26) .. "$"

local function parent_of(path)
  return path:match "^(.*)/[^/]*$" or "."
end

-- Bytes of a folder's files, and their names; nil where it is a link or holds folders: not ours.
local function contents(folder)
  local real = sys.realpath(folder)
  if not real or real ~= (sys.realpath(parent_of(folder)) or "") .. folder:match "/[^/]*$" then return nil end
  local bytes, names = 0, sys.list(folder)
  for _, name in ipairs(names or {}) do
    if sys.exists(folder .. "/" .. name) == "directory" then return nil end
    bytes = bytes + (sys.size(folder .. "/" .. name) or 0)
  end
  return names and bytes, names
end

local function item(what, name, path, bytes)
  return { what = what, name = name, path = path, bytes = bytes or 0 }
end

-- ── finding ─────────────────────────────────────────────────────────────────────────────
-- The folders in which a run has checkpoints: where the trainer puts them, and where they were put.
local function folders_of(db, run)
  local list, seen = {}, {}
  local function add(folder)
    if sys.exists(folder) ~= "directory" or seen[folder] then return end
    seen[folder], list[#list + 1] = true, folder
  end
  add(db:folder() .. "/" .. run.uid)
  for _, row in ipairs(must(db:query("SELECT path FROM checkpoint WHERE run_id = ?1", run.run_id))) do
    local folder = parent_of(row.path)
    if folder:match "/([^/]*)$" == run.uid then add(folder) end
  end
  return list
end

local function removed_runs(db, plan)
  for _, run in ipairs(must(db:runs { removed = true })) do
    local one = item("removed run", ("%d %s, seed %d"):format(run.run_id, run.label or run.name, run.seed))
    one.uid, one.folders = run.uid, {}
    plan[#plan + 1] = one
    for _, folder in ipairs(folders_of(db, run)) do
      local bytes, names = contents(folder)
      local owner = sibling_databases.of(db, parent_of(parent_of(folder))).runs[run.uid]
      if not bytes then
        one.keep = folder .. " is not a plain folder of files: it stays"
      elseif owner then
        one.keep = ("%s has the run too: its checkpoints stay"):format(owner)
      else
        one.bytes = one.bytes + bytes
        one.folders[#one.folders + 1] = { path = folder, names = names }
      end
    end
  end
end

local function orphans(db, plan, siblings)
  local home, own = db:folder(), {}
  for _, row in ipairs(must(db:query "SELECT uid FROM run")) do own[row.uid] = true end
  for _, uid in ipairs(sys.exists(home) == "directory" and sys.list(home) or {}) do
    local folder = home .. "/" .. uid
    if uid:match(ULID) and not own[uid] and not siblings.runs[uid] then
      local bytes, names = contents(folder)
      if bytes then
        local one = item("orphan", folder, nil, bytes)
        one.folders, one.extra, one.keep = { { path = folder, names = names } }, true, siblings.unreadable
        plan[#plan + 1] = one
      end
    end
  end
end

local function first_stages(db, plan, siblings, key_of)
  local folder = db:first_stage_folder()
  local used, unknown = sibling_databases.first_stages(db, siblings, key_of)
  for _, name in ipairs(sys.exists(folder) == "directory" and sys.list(folder) or {}) do
    local key = name:match "^(%x+)%.safetensors"
    if key and #key == 64 and not used[key] then
      local path = folder .. "/" .. name
      local one = item("first stage", path, path, sys.size(path))
      one.extra, one.keep = true, siblings.unreadable or unknown
      plan[#plan + 1] = one
    end
  end
end

-- plan(db, key_of) → list of {what, name, bytes, keep = why its files stay or nil, extra = whether it is not
-- of a removed run}. key_of({config, seed, data, split, version}) → the hash of the first stage that a
-- run uses, as in train/first_stage.lua, or nil where it cannot be computed.
function gc.plan(db, key_of)
  local plan, siblings = {}, sibling_databases.of(db, parent_of(db.path))
  removed_runs(db, plan)
  orphans(db, plan, siblings)
  first_stages(db, plan, siblings, key_of)
  return plan
end

-- ── deleting ────────────────────────────────────────────────────────────────────────────
-- What runs share, and no run is left of.
local SHARED = {
  "DELETE FROM config WHERE config_id NOT IN (SELECT config_id FROM run)",
  "DELETE FROM study WHERE study_id NOT IN (SELECT study_id FROM run)",
  "DELETE FROM source WHERE source_id NOT IN (SELECT recipe_id FROM run WHERE recipe_id IS NOT NULL)",
  "DELETE FROM host WHERE host_id NOT IN (SELECT host_id FROM run)",
  "DELETE FROM data_split WHERE split_id NOT IN (SELECT split_id FROM run)",
  "DELETE FROM dataset WHERE dataset_id NOT IN (SELECT dataset_id FROM data_split)",
}

local function delete_rows(db)
  must(db:transaction(function()
    if must(db:exec "DELETE FROM run WHERE removed_at IS NOT NULL") == 0 then return end
    for _, sql in ipairs(SHARED) do must(db:exec(sql)) end
  end))
end

local function delete_files(one)
  for _, folder in ipairs(one.folders or {}) do
    for _, name in ipairs(folder.names) do must(sys.remove(folder.path .. "/" .. name)) end
    must(sys.remove(folder.path))
  end
  if one.path then must(sys.remove(one.path)) end
end

-- Deletes the removed runs, and with {orphans = true} the rest of the plan. Rows go first: what a
-- kill leaves behind is an orphan, which the next time finds. → bytes of the files that are gone.
function gc.carry_out(db, plan, options)
  delete_rows(db)
  local freed = 0
  for _, one in ipairs(plan) do
    local is_deleted = not one.extra or options and options.orphans and not one.keep
    if is_deleted then
      delete_files(one)
      one.done, freed = true, freed + one.bytes
    end
  end
  return freed
end

return gc
