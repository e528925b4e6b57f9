-- Where a run's files are, and which files belong to a run: both rules are only here. The folder follows from
-- the database's path and the uid, never from a path in the database; gc deletes files of these names only.
--   run_folder.path(db, uid) → <folder of the database>/<uid>; raises where uid is no ULID
--   run_folder.is_file(name) → whether the trainer makes a file of that name in a run's folder
--   run_folder.is_first_stage(name) → the hash of a first stage whose file has that name, or nil
--   run_folder.used_by(folder, name) → in words, the process that holds the lock of a file or writes this
--     temporary of it; nil if there is none
--   run_folder.locked_path(path) → the file whose lock protects it: of a first stage, its lock or a temporary
--   run_folder.bytes(path) → the size of the trainer's files in a run's folder; 0 without a folder
--   run_folder.refuse_links(path, …): raises if one of these folders is a link
--   run_folder.survey(path) → {path, names = {own file, …}, others = {…}, bytes = of the own files}, or nil,
--     why: not a folder, or reached through a link
local sys = require("aniso.core").sys
local raise = require("aniso.store.db_error").raise
local ulid = require "aniso.store.ulid"

local run_folder = {}

local NAMES = { ["last.safetensors"] = true, ["last.previous.safetensors"] = true,
  ["best.safetensors"] = true, ["best.previous.safetensors"] = true }

-- A file's temporary, as a killed process leaves it: NAME.PID-RANDOM.tmp (io/file_replace.h).
local function final_name(name)
  return name:match "^(.*)%.%d+%-%x+%.tmp$" or name:match "^(.*)%.tmp$" or name
end

function run_folder.path(db, uid)
  if not ulid.is(uid) then
    raise(("%s has a run with the id %s, which is no ULID and names no folder"):format(db.path,
      sys.visible(tostring(uid):sub(1, 60))), "EFORMAT")
  end
  return db:folder() .. "/" .. uid
end

function run_folder.is_file(name)
  return NAMES[final_name(name)] == true
end

function run_folder.is_first_stage(name)
  local base, rest = final_name(name):match "^(%x+)%.safetensors(.*)$"
  local is_ours = base and #base == 64 and (rest == "" or rest == "-lock" or ulid.is(rest:sub(2)))
  return is_ours and base or nil
end

function run_folder.locked_path(path)
  return path:match "^(.*%.safetensors)[^/]*$"
end

function run_folder.used_by(folder, name)
  local path = folder .. "/" .. name
  local file = run_folder.locked_path(path)
  local pid = file and sys.used_by(file, path:sub(#file + 1))
  return pid and (pid > 0 and ("process %d uses it"):format(pid) or "another process uses it")
end

function run_folder.refuse_links(...)
  for _, path in ipairs { ... } do
    if sys.is_link(path) then
      raise(("%s is a link, and nothing is written through it; remove it, or put the database where it leads")
        :format(path), "EIO")
    end
  end
end

local function parent_of(path)
  return path:match "^(.*)/[^/]*$" or "."
end

-- A folder that is a link is followed, since nothing is changed: earlier versions wrote through it.
function run_folder.bytes(path)
  local bytes = 0
  for _, name in ipairs(sys.exists(path) == "directory" and sys.list(path) or {}) do
    if run_folder.is_file(name) then bytes = bytes + (sys.size(path .. "/" .. name) or 0) end
  end
  return bytes
end

function run_folder.survey(path)
  if sys.is_link(path) or sys.is_link(parent_of(path)) then return nil, path .. " is a link: it stays" end
  local listed = sys.exists(path) == "directory" and sys.list(path)
  if not listed then return nil, path .. " is not a folder: it stays" end
  local out = { path = path, names = {}, others = {}, bytes = 0 }
  for _, name in ipairs(listed) do
    local file = path .. "/" .. name
    if run_folder.is_file(name) and sys.exists(file) == "file" and not sys.is_link(file) then
      out.names[#out.names + 1], out.bytes = name, out.bytes + (sys.size(file) or 0)
    else
      out.others[#out.others + 1] = name
    end
  end
  return out
end

return run_folder
