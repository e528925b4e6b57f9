-- The environment is read in one place, engine/base/environment.c, whose table `aniso help environment`
-- prints: a variable that is read elsewhere would be neither documented nor checked. The names that other
-- files pass to it are in the table.
local files = dofile "tests/lint/files.lua"

local TABLE = "engine/base/environment.c"
local known = {}
for _, line in ipairs(files.lines(TABLE)) do
  local name = line:match '^    {"([%u_]+)"'
  if name then known[name] = true end
end

local READERS = { "getenv", "secure_getenv", "environ" }
local PASSED = { 'an_variable%s*%(%s*"([^"]*)"', 'an_variable_number%s*%(%s*"([^"]*)"',
  'sys%.variable%s*%(?%s*"([^"]*)"' }

local function faults_of_line(path, line)
  local code = path:match "%.lua$" and line:gsub("%-%-.*$", "")
    or line:gsub("//.*$", ""):gsub("^%s*/?%*.*", "")
  local out = {}
  for _, name in ipairs(path == TABLE and {} or READERS) do
    if code:find("%f[%w_]" .. name .. "%f[^%w_]") then
      out[#out + 1] = name .. ": the environment is read through base/environment.h"
    end
  end
  for _, pattern in ipairs(PASSED) do
    local name = code:match(pattern)
    if name and not known[name] then out[#out + 1] = name .. " is not in " .. TABLE end
  end
  return out
end

local faults = {}
for _, path in ipairs(files.find "%.[chl][ua]*$") do
  local is_checked = path:match "^engine/" or path:match "^store/" or path:match "^lua/"
  for number, line in ipairs(is_checked and files.lines(path) or {}) do
    for _, fault in ipairs(faults_of_line(path, line)) do
      faults[#faults + 1] = ("%s:%d: %s"):format(path, number, fault)
    end
  end
end
files.verdict("the environment is read in one place", faults)

-- {path, line, number of faults}
local planted = {
  { "engine/data/x.c", '    const char *text = getenv("ANISO_X");', 1 },
  { "store/x.c", '    text = secure_getenv("ANISO_X");', 1 },
  { "engine/io/x.c", "    for (char **at = environ; *at; at++)", 1 },
  { "lua/aniso/cli/x.lua", 'local path = os.getenv "ANISO_X"', 1 },
  { "lua/aniso/cli/x.lua", 'local path = os.getenv("ANISO_X")', 1 },
  { "engine/base/environment.c", "    const char *value = getenv(v->name);", 0 },
  { "engine/data/x.c", " * getenv() is not called", 0 },
  { "engine/main.c", '    setenv("GOMP_SPINCOUNT", "2000", 1);', 0 },
  { "lua/aniso/cli/x.lua", "-- os.getenv is not used", 0 },
  { "lua/aniso/cli/x.lua", 'local path = sys.variable "ANISO_X"', 1 },
  { "lua/aniso/cli/x.lua", 'local path = sys.variable "ANISO_DB"', 0 },
  { "store/x.c", '    double x = an_variable_number("ANISO_X");', 1 },
  { "store/x.c", '    double x = an_variable("TMPDIR");', 0 },
}
files.verdict("the environment is read in one place: planted readers are seen",
  files.missed(faults_of_line, planted))
files.finish()
