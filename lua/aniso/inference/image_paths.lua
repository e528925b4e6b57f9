-- Files for a model from the names a user gives: files, folders with everything below them, and "-" for a
-- list on stdin, one path per line. In a folder, files whose names end as an image's does are taken in sorted
-- order; hidden names are skipped, and links to folders are not followed. A folder that cannot be listed is
-- an entry with its reason, and the others are still read.
local sys = require("aniso.core").sys
local tree = require "aniso.method.data.tree"

local image_paths = {}

local DEEPEST = 64
local MOST = 10000000 -- paths
local BLOCK, LONGEST = 65536, 4096 -- bytes of stdin read at once, and of a path

-- entry: a path, or {path =, error =} for a folder that cannot be listed.
local function add(found, entry)
  if #found.paths >= MOST then error(("more than %d images; name some of the folders"):format(MOST), 0) end
  found.paths[#found.paths + 1] = entry
end

local function add_folder(found, folder, depth)
  local names, message = sys.list(folder)
  if not names then return add(found, { path = folder, error = message }) end
  for _, name in ipairs(names) do
    local path, hidden = folder .. "/" .. name, name:sub(1, 1) == "." or name == "__MACOSX"
    if not hidden and tree.is_image(name) then
      add(found, path)
    elseif not hidden and sys.exists(path) ~= "directory" then
      found.others = found.others + 1
    elseif not hidden and (sys.is_link(path) or depth >= DEEPEST) then
      found.not_entered = found.not_entered + 1
    elseif not hidden then
      add_folder(found, path, depth + 1)
    end
  end
end

-- The lines of a stream, read in blocks, so that memory is limited even for a stream without newlines.
local function add_lines(found, stream)
  local rest = ""
  local function take(line)
    line = line:gsub("\r$", "")
    if line:find("\0", 1, true) then
      error("stdin holds zero bytes, which no path has: a path per line is expected (find without -print0)",
        0)
    end
    if line ~= "" then add(found, line) end
  end
  while true do
    local block = stream:read(BLOCK)
    if not block then break end
    rest = rest .. block
    local from = 1
    for line, after in rest:gmatch "([^\n]*)\n()" do
      take(line)
      from = after
    end
    rest = rest:sub(from)
    if #rest > LONGEST then
      error(("a line of stdin has more than %d bytes, which no path has"):format(LONGEST), 0)
    end
  end
  take(rest)
end

-- names: as on the command line; stream [opt]: read instead of stdin.
-- → {paths = list of paths and of {path =, error =}, others = files that are not images, not_entered = links
-- to folders}
function image_paths.of(names, stream)
  local found = { paths = {}, others = 0, not_entered = 0 }
  for _, name in ipairs(names) do
    if name == "-" then
      add_lines(found, stream or io.stdin)
    elseif sys.exists(name) == "directory" then
      local folder = name:match "^(.-)/*$"
      add_folder(found, folder ~= "" and folder or "/", 1)
    else
      add(found, name)
    end
  end
  return found
end

return image_paths
