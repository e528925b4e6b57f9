-- Files that are no longer needed, for gc (collect.lua):
--   last checkpoint   of a finished run, which is evaluated with its best weights and cannot be resumed
--   temporary         of a first stage, left behind by a process that was killed
--   pixel cache       decoded images, which the next run decodes again; the folder's size is limited too
--   leftovers.last_of(db, uid) → what run_folder.survey() returns, with only the last checkpoints, or nil
--   leftovers.remove_last(db, uid)      leftovers.shared_bytes(db, cache_folder)
--   leftovers.plan(db, cache_folder) → list of items as in collect.lua
local run_folder = require "aniso.store.run_folder"
local must = require("aniso.store.db_error").must
local sys = require("aniso.core").sys

local leftovers = {}

function leftovers.last_of(db, uid)
  local found = run_folder.survey(run_folder.path(db, uid))
  if not found then return nil end
  local out = { path = found.path, names = {}, others = {}, bytes = 0 }
  for _, name in ipairs(found.names) do
    local list = name:match "^last%." and out.names or out.others
    list[#list + 1] = name
    out.bytes = out.bytes + (list == out.names and sys.size(found.path .. "/" .. name) or 0)
  end
  table.move(found.others, 1, #found.others, #out.others + 1, out.others)
  return #out.names > 0 and out or nil
end

-- Best effort: gc finds what could not be removed.
function leftovers.remove_last(db, uid)
  local found = leftovers.last_of(db, uid)
  for _, name in ipairs(found and found.names or {}) do sys.remove(found.path .. "/" .. name) end
end

local function last_checkpoints(db, plan)
  for _, run in ipairs(must(db:query("SELECT uid, coalesce(label, name) AS name, seed FROM run "
    .. "WHERE status = 'finished' AND removed_at IS NULL ORDER BY run_id"))) do
    local found = leftovers.last_of(db, run.uid)
    if found then
      plan[#plan + 1] = { what = "last checkpoint", name = ("%s, seed %d"):format(run.name, run.seed),
        bytes = found.bytes, folder = found, extra = true }
    end
  end
end

-- The regular files of a folder whose names chosen(name) accepts.
local function files(folder, chosen)
  local out = {}
  local listed = sys.exists(folder) == "directory" and not sys.is_link(folder) and sys.list(folder)
  for _, name in ipairs(listed or {}) do
    local path = folder .. "/" .. name
    if chosen(name) and sys.exists(path) == "file" and not sys.is_link(path) then out[#out + 1] = path end
  end
  return out
end

-- A process of another database in the folder may be training a first stage.
local function temporaries(db, plan)
  local function is_temporary(name)
    return run_folder.is_first_stage(name) and not name:match "%.safetensors$" and not name:match "%-lock$"
  end
  for _, path in ipairs(files(db:first_stage_folder(), is_temporary)) do
    plan[#plan + 1] = { what = "temporary", name = path, path = path, bytes = sys.size(path) or 0,
      extra = true, keep = run_folder.used_by(path:match "^(.*)/([^/]*)$"),
      lock = run_folder.locked_path(path) }
  end
end

local function is_pack(name)
  local hash = name:match "^(%x+)%.pack$"
  return hash and #hash == 64
end

-- → bytes of the first stages next to a database, which the databases of its folder share, and bytes of the
-- decoded images in the cache folder ("" for none), which all databases share
function leftovers.shared_bytes(db, cache_folder)
  local function sum(folder, chosen)
    local bytes = 0
    for _, path in ipairs(files(folder, chosen)) do bytes = bytes + (sys.size(path) or 0) end
    return bytes
  end
  return sum(db:first_stage_folder(), run_folder.is_first_stage), sum(cache_folder, is_pack)
end

local function pixel_caches(plan, folder)
  local found = { path = folder, names = {}, others = { "indexes" }, bytes = 0 } -- the folder stays
  for _, path in ipairs(files(folder, is_pack)) do
    found.names[#found.names + 1], found.bytes = path:match "[^/]*$", found.bytes + (sys.size(path) or 0)
  end
  if #found.names > 0 then
    plan[#plan + 1] = { what = "pixel cache", name = ("%s, %d files"):format(folder, #found.names),
      bytes = found.bytes, folder = found, extra = true, flag = "cache" }
  end
end

function leftovers.plan(db, cache_folder)
  local plan = {}
  if db:version() >= 3 then last_checkpoints(db, plan) end
  temporaries(db, plan)
  if cache_folder and cache_folder ~= "" then pixel_caches(plan, cache_folder) end
  return plan
end

return leftovers
