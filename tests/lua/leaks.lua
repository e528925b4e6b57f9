-- Detects leaks of a test: live bytes of the engine, open handles, operations on the tape.
-- leaks.guard(test, class) wraps the test in the class's setUp and tearDown, and fails when one of the
-- three counts is higher afterwards than before. Two full collections precede each reading, so that only
-- referenced objects count.
local core = require "aniso.core"

local leaks = {}

-- Releases what the library caches: the data set of the latest run.
local function release_caches()
  local session = package.loaded["aniso.train.session"]
  if session then session.release_data() end
end

local function reading()
  local recorded = core.ops.tape_length()
  core.ops.clear_tape() -- also frees its memory, which grows with the longest recording
  release_caches()
  core.tensor.trim() -- the stack of scopes
  collectgarbage()
  collectgarbage()
  return { ["live bytes"] = core.sys.live_bytes(), ["open handles"] = (core.sys.open_handles()),
    ["operations on the tape"] = recorded }
end

-- Makes the engine allocate what it allocates only once: the tape, its lists of small blocks.
local function warm_up()
  local x = core.tensor.zeros({ 1 }):param()
  x:sum():backward()
  core.ops.clear_tape()
end

-- "3 live bytes more than before", … or nil.
function leaks.difference(before, after)
  local found = {}
  for what, count in pairs(before) do
    if after[what] > count then
      found[#found + 1] = ("%d %s more than before"):format(after[what] - count, what)
    end
  end
  table.sort(found)
  return #found > 0 and table.concat(found, ", ") or nil
end

-- Clears the table that luaunit passes as self.
local function clear(self)
  for key, value in pairs(self) do
    if type(value) ~= "function" then self[key] = nil end
  end
end

local function call(class, name, self)
  if class and class[name] then class[name](self) end
end

function leaks.guard(test, class)
  return function(self, ...)
    local before = reading()
    call(class, "setUp", self)
    local ok, problem = xpcall(test, function(problem) return problem end, self, ...)
    call(class, "tearDown", self)
    if not ok then error(problem, 0) end
    if self then clear(self) end
    local found = leaks.difference(before, reading())
    if found then error("the test left " .. found, 0) end
  end
end

warm_up()
return leaks
