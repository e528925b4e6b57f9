-- Runs luaunit suites: aniso exec tests/lua/run.lua [FILE or NAME …], all of them when none
-- is named. A suite is a file tests/lua/test_NAME.lua that returns a table of functions
-- test…, or of such tables. Prints TAP; fails when a test fails.
local lu = require "luaunit"
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

-- Appends {"suite.test", {"suite" = class}} pairs in a fixed order, as luaunit wants them.
local function collect(suite, prefix, instances)
  local names = {}
  for name in pairs(suite) do names[#names + 1] = tostring(name) end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = suite[name]
    if type(value) == "function" and name:lower():match "^test" then
      instances[#instances + 1] = { prefix .. "." .. name, value }
    elseif type(value) == "table" and name:lower():match "^test" then
      for method, body in pairs(value) do
        if type(body) == "function" and method:lower():match "^test" then
          instances[#instances + 1] = { prefix .. "." .. name .. "." .. method, function()
            if value.setUp then value:setUp() end
            local ok, why = xpcall(body, function(e) return e end, value)
            if value.tearDown then value:tearDown() end
            if not ok then error(why, 0) end
          end }
        end
      end
    end
  end
end

local instances = {}
for _, path in ipairs(files { ... }) do
  local suite = assert(loadfile(path))()
  assert(type(suite) == "table", path .. " must return a table of tests")
  collect(suite, path:match "test_(.*)%.lua$", instances)
end
table.sort(instances, function(a, b) return a[1] < b[1] end)

local runner = lu.LuaUnit.new()
runner:setOutputType "TAP"
local failures = runner:runSuiteByInstances(instances, "aniso", {})
os.exit(failures == 0 and 0 or 1, true)
