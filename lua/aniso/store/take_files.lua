-- take_files(db, path) → how many: the checkpoints of runs that were merged from the database at `path`
-- become those of db, if the runs have finished in both: a run that can still be resumed keeps its files
-- where they are. A run's folder moves as a whole, to a free name on the same file system; a link is not
-- followed. A repeated call moves what an interrupted one left.
local core = require "aniso.core"
local run_folder = require "aniso.store.run_folder"
local must = require("aniso.store.db_error").must
local sys = core.sys

local FINISHED = "SELECT uid FROM run WHERE status = 'finished' AND removed_at IS NULL ORDER BY run_id"

local function folder_of(path)
  return (path:gsub("%.db$", "")) .. (path:match "%.db$" and "" or ".runs")
end

return function(db, path)
  local from <close> = must(core.db.open(path, "read"))
  local folder, moved, here = folder_of(from:path()), 0, {}
  for _, run in ipairs(must(db:query(FINISHED))) do here[run.uid] = true end
  run_folder.refuse_links(db:folder())
  for _, run in ipairs(must(from:query(FINISHED))) do
    local target = run_folder.path(db, run.uid)
    local source = folder .. "/" .. run.uid
    local is_there = sys.exists(source) == "directory" and not sys.is_link(source) and not sys.is_link(folder)
    if here[run.uid] and is_there and not sys.exists(target) then
      must(sys.mkdir_p(db:folder()))
      must(sys.move(source, target))
      moved = moved + 1
    end
  end
  return moved
end
