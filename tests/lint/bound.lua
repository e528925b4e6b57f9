-- Every function that the engine gives to Lua is reached by a Lua test. Reads the names that
-- the suites of tests/lua reached (tests/lua/bound.lua), one per line, from the file named by
-- the first argument. tests/lua/test_meta.lua compares the same functions with their documentation.
local files = dofile "tests/lint/files.lua"
local bound = dofile "tests/lua/bound.lua"

-- Functions that no Lua test can call, and the test that does.
local elsewhere = {
  ["Editor:close"] = "tests/c/test_prompt.c", ["Editor:read"] = "tests/c/test_prompt.c",
  ["Editor:remember"] = "tests/c/test_prompt.c",
  ["sys.outlive_output"] = "tests/cli/test_surroundings.sh", -- it changes the handling of signals
}

local function unreached(names, reached)
  local faults = {}
  for _, name in ipairs(names) do
    local test = elsewhere[name]
    if not reached[name] and not (test and io.open(test)) then
      faults[#faults + 1] = name .. " is reached by no test in tests/lua"
    end
  end
  return faults
end

local reached = {}
for name in io.lines(...) do reached[name] = true end
files.verdict("bound: every function of the engine is reached by a Lua test",
  unreached(bound.names(), reached))

-- The check must detect a missing function.
local seen = unreached({ "ops.planted", "ops.relu" }, { ["ops.relu"] = true })
files.verdict("bound: an untested function is seen", #seen == 1 and {} or { "saw " .. #seen .. " of 1" })
files.finish()
