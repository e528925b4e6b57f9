-- A scratch folder with an empty run database, for runs that are not kept: scratch.new() → {db =, folder =},
-- for a <close> variable, which closes the database and removes the folder. It is below TMPDIR, or /tmp. Its
-- removal follows no link.
local sys = require("aniso.core").sys
local store = require "aniso.store"
local must = require("aniso.store.db_error").must

local scratch = {}

local function remove_tree(path)
  if sys.exists(path) == "directory" and not sys.is_link(path) then
    for _, name in ipairs(sys.list(path) or {}) do remove_tree(path .. "/" .. name) end
  end
  sys.remove(path)
end

local Scratch = {}
Scratch.__index = Scratch

function Scratch:__close()
  self.db:close()
  remove_tree(self.folder)
end

-- Removes the first stages that runs of this folder have trained.
function Scratch:forget_first_stages()
  remove_tree(self.db:first_stage_folder())
end

function scratch.new()
  local folder = must(sys.mkdtemp())
  local db, message, code = store.open(folder .. "/runs.db")
  if not db then
    remove_tree(folder)
    must(nil, message, code)
  end
  return setmetatable({ db = db, folder = folder }, Scratch)
end

return scratch
