-- Compares every checkpoint of a database with its row → list of sentences. It reads whole files in the
-- folders of the runs, whatever paths the rows contain. A missing file is not a fault, since a finished run
-- keeps only its best weights. Neither is a file that is newer than its row while the run can be resumed.
-- Raises a failure of the database (db_error.lua) if a file cannot be read for a reason other than its
-- content, such as a lack of memory: the file may be intact.
local core = require "aniso.core"
local checkpoint_owner = require "aniso.store.checkpoint_owner"
local db_error = require "aniso.store.db_error"
local must = db_error.must

local FILES = { last = { "last.safetensors", "last.previous.safetensors" }, best = { "best.safetensors" } }

local ROWS = [[
  SELECT r.uid, c.kind, c.path FROM checkpoint c JOIN run r USING(run_id)
   WHERE c.kind IN ('last', 'best') AND r.removed_at IS NULL ORDER BY r.run_id, c.kind]]

-- The file of a row in the run's folder; nil if it is missing.
local function file_of(db, row)
  for _, name in ipairs(FILES[row.kind]) do
    local path = db:run_folder(row.uid) .. "/" .. name
    if row.path:match "[^/]*$" == name and core.sys.exists(path) == "file" then return path end
  end
end

local function fault_of(db, row, path)
  local tensors, meta, sha256 = core.checkpoint.load(path) -- or nil, message, code
  if not tensors and sha256 ~= "EFORMAT" then db_error.raise(meta, sha256) end
  if not tensors then return meta end
  for _, tensor in pairs(tensors) do tensor:close() end
  local owner = checkpoint_owner.of(db, row.uid)
  local why = owner:foreign(row.kind, meta) or owner:differs(row.kind, meta, sha256)
  return why and path .. " " .. why
end

return function(db)
  local faults = {}
  if db:version() < 3 then return faults end -- removed_at is missing
  for _, row in ipairs(must(db:query(ROWS))) do
    local path = file_of(db, row)
    faults[#faults + 1] = path and fault_of(db, row, path)
  end
  return faults
end
