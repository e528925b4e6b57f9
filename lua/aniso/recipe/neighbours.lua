-- Lets `require` find Lua files next to a recipe or a script, after the folders of Lua and of LUA_PATH. The
-- current folder is never searched (engine/bind/modules.c).
--   neighbours.of(path)    path: the recipe or script that the user names
local sys = require("aniso.core").sys

local neighbours = {}

local LAYOUTS = { "%s/%s.lua", "%s/%s/init.lua" }
local folders = {}

local function search(name)
  local file, tried = name:gsub("%.", "/"), {}
  for _, folder in ipairs(folders) do
    for _, layout in ipairs(LAYOUTS) do
      local path = layout:format(folder, file)
      if sys.exists(path) == "file" then
        local chunk, why = loadfile(path, "t")
        if not chunk then error(why, 0) end
        return chunk, path
      end
      tried[#tried + 1] = ("no file '%s'"):format(path)
    end
  end
  return table.concat(tried, "\n\t")
end

function neighbours.of(path)
  local folder = path:match "^(.*)/[^/]*$" or "."
  if #folders == 0 then table.insert(package.searchers, search) end
  for _, known in ipairs(folders) do
    if known == folder then return end
  end
  table.insert(folders, folder)
end

return neighbours
