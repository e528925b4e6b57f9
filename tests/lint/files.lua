-- The source files of the tree, for the checks in this folder.
local sys = require("aniso.core").sys

local files = {}

local roots = { "engine", "store", "lua", "recipes", "tests", "third_party" }

local function walk(folder, fit, out)
  for _, name in ipairs(sys.list(folder) or {}) do
    local path = folder .. "/" .. name
    if sys.exists(path) == "directory" then
      if name ~= "__pycache__" then walk(path, fit, out) end
    elseif name:match(fit) then
      out[#out + 1] = path
    end
  end
  return out
end

-- Paths whose last part matches the pattern, sorted by folder and name.
function files.find(fit)
  local out = {}
  for _, root in ipairs(roots) do walk(root, fit, out) end
  return out
end

function files.lines(path)
  local out = {}
  for line in io.lines(path) do out[#out + 1] = line end
  return out
end

-- Prints one TAP line, with the faults as comments below a failure; counts them.
files.failures = 0
function files.verdict(name, faults)
  print((#faults == 0 and "ok - " or "not ok - ") .. name)
  for _, fault in ipairs(faults) do print("#   " .. fault) end
  if #faults > 0 then files.failures = files.failures + 1 end
end

-- Planted lines in which a check finds another number of faults than are planted, as faults of the check.
-- cases: {path, line, number of faults}; faults_of_line(path, line) → list.
function files.missed(faults_of_line, cases)
  local wrong = {}
  for _, case in ipairs(cases) do
    local seen = #faults_of_line(case[1], case[2])
    if seen ~= case[3] then
      wrong[#wrong + 1] = ("%s: %d faults seen, %d planted"):format(case[2], seen, case[3])
    end
  end
  return wrong
end

function files.finish()
  os.exit(files.failures == 0 and 0 or 1, true)
end

return files
