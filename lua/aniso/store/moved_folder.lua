-- Checkpoints that are not in the folder of their run, for example because only the database was renamed.
local run_folder = require "aniso.store.run_folder"
local sys = require("aniso.core").sys

local moved_folder = {}

-- The path of a file outside `folder` that the database recorded as a checkpoint; nil if there is none.
local function recorded_elsewhere(db, uid, folder)
  for _, row in ipairs(db:checkpoints(uid) or {}) do
    local there, of, name = row.path:match "^(.*/([^/]*))/([^/]*)$"
    local is_elsewhere = there ~= folder and of == uid and run_folder.is_file(name)
    for _, file in ipairs(is_elsewhere and { name, "best.safetensors" } or {}) do
      if sys.exists(there .. "/" .. file) == "file" then return there .. "/" .. file end
    end
  end
end

-- Raises if the checkpoints of a run are in a folder other than `folder`, the run's own.
function moved_folder.check(db, uid, folder)
  local path = recorded_elsewhere(db, uid, folder)
  if not path then return end
  error(("the checkpoints of this run are in %s, and those of %s are searched in %s: rename the folder, or "
    .. "copy it, as the database was"):format(sys.visible(path:match "^(.*)/[^/]*/[^/]*$" or path), db.path,
    db:folder()), 0)
end

return moved_folder
