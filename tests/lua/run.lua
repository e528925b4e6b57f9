-- Runs luaunit suites: aniso exec tests/lua/run.lua [FILE or NAME …], all of them when none
-- is named. A suite is a file tests/lua/test_NAME.lua that returns a table of functions
-- test…, or of such tables. Prints TAP; fails when a test fails or leaks live bytes, open
-- handles or operations on the tape (leaks.lua).
--   ANISO_BOUND=FILE      appends the engine's functions that the suites reached (bound.lua)
--   ANISO_COLLECT=always  keeps Lua's collector running, so that an object is collected at once
--                         if C uses it without a reference
local bound = os.getenv "ANISO_BOUND" and dofile "tests/lua/bound.lua"
if bound then bound.record() end
if os.getenv "ANISO_COLLECT" == "always" then
  collectgarbage("incremental", 1, 1000, 4)
  collectgarbage("setpause", 0)
end
local leaks = dofile "tests/lua/leaks.lua"
local strict = require "aniso.recipe.strict"
setmetatable(_G, nil) -- luaunit reads globals that may not exist
local lu = require "luaunit"
strict.lock(_G)
local sys = require("aniso.core").sys

local folder = "tests/lua/"

local function files(named)
  local found = {}
  for _, name in ipairs(named) do
    local path = name:match "%.lua$" and name or folder .. "test_" .. name .. ".lua"
    found[#found + 1] = path
  end
  if #named > 0 then return found end
  for _, name in ipairs(assert(sys.list(folder))) do
    if name:match "^test_.*%.lua$" then found[#found + 1] = folder .. name end
  end
  return found
end

-- A test, or a class of tests, in which each test is guarded against leaks.
local function guarded(value)
  if type(value) == "function" then return leaks.guard(value) end
  local class = {}
  for name, member in pairs(value) do
    local is_test = type(member) == "function" and name:match "^[tT]est"
    class[name] = is_test and leaks.guard(member, value) or member
  end
  class.setUp, class.tearDown = nil, nil -- the guard calls them, between its readings
  return class
end

-- luaunit takes a list of {name, function} and {class name, class}.
local function collect(suite, prefix, instances)
  for name, value in pairs(suite) do
    local separator = type(value) == "function" and "." or ":"
    instances[#instances + 1] = { prefix .. separator .. tostring(name), guarded(value) }
  end
end

local instances = {}
for _, path in ipairs(files { ... }) do
  local suite = assert(loadfile(path))()
  assert(type(suite) == "table", path .. " must return a table of tests")
  collect(suite, path:match "test_(.*)%.lua$", instances)
end
table.sort(instances, function(a, b) return a[1] < b[1] end)

-- The globals that luaunit 3.4 itself reads and writes; any other is an error.
for _, name in ipairs { "testNames", "setupSuite", "teardownSuite" } do rawset(_G, name, false) end
local runner = lu.LuaUnit.new()
runner:setOutputType "TAP"
local failures = runner:runSuiteByInstances(instances, "aniso")
if bound then bound.append(os.getenv "ANISO_BOUND") end
os.exit(failures == 0 and 0 or 1, true)
