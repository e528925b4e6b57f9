-- The Git repository of a recipe: of(path) → {commit =, dirty = whether a file differs from it or is new}, or
-- nil if there is none. The recipe is trusted code, and so is its repository. The current folder is not: it
-- usually contains the data, and may contain someone else's `.git`. Even so, everything that a repository's
-- configuration would run (hooks, filters, a file-system monitor) is turned off. Of a repository nested in
-- it, which may belong to the data, only the commit is compared: git would apply that repository's filters.
local quoted = require("aniso.store.hint").quoted

local OFF = "git --no-optional-locks -c core.fsmonitor=false -c core.hooksPath=/dev/null"

local function lines_of(command)
  local pipe, lines = io.popen(command .. " 2>/dev/null"), {}
  if not pipe then return lines end
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

-- Options that empty each filter of the configuration; nil for a name that no option can express.
local function without_filters(git)
  local out = {}
  for _, name in ipairs(lines_of(git .. " config --name-only --get-regexp '^filter[.]'")) do
    if name:find "=" then return nil end
    out[#out + 1] = " -c " .. quoted(name .. (name:find "%.required$" and "=false" or "="))
  end
  return table.concat(out)
end

local STATUS = " status --porcelain --ignore-submodules=dirty"

local function state_of(folder)
  local git = OFF .. " -C " .. quoted(folder)
  local commit = lines_of(git .. " rev-parse --verify HEAD")[1]
  if not (commit and commit:find "^%x+$") then return nil end
  local filters = without_filters(git)
  return { commit = commit, dirty = not filters or #lines_of(git .. filters .. STATUS) > 0 }
end

local remembered = {} -- by folder; false: no repository

local function of(path)
  local folder = path:match "^(.*/)[^/]*$" or "./"
  if remembered[folder] == nil then remembered[folder] = state_of(folder) or false end
  return remembered[folder] or nil
end

return { of = of }
