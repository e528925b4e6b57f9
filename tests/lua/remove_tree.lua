-- remove_tree(path): deletes a file, or a folder with everything in it. For temporary folders of tests.
local sys = require("aniso.core").sys

local function remove_tree(path)
  if sys.exists(path) == "directory" then
    for _, name in ipairs(sys.list(path)) do remove_tree(path .. "/" .. name) end
  end
  os.remove(path)
end

return remove_tree
