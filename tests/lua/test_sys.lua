-- What core.sys says of this process.
local lu = require "luaunit"
local core = require "aniso.core"
local sys = core.sys

local Memory = {}

-- The peak of a process that takes the place of a large one is its own.
function Memory.test_peak_is_not_inherited()
  local large = core.tensor.zeros { 400 * 2 ^ 18 // 1 | 0 } -- 400 MiB
  lu.assertTrue(sys.peak_rss() > 400 * 2 ^ 20)
  local script = os.tmpname()
  local file <close> = assert(io.open(script, "w"))
  file:write 'print(require("aniso.core").sys.peak_rss())'
  file:flush()
  local pipe = assert(io.popen(("exec %s exec %s"):format(os.getenv "ANISO" or "./aniso", script)))
  local peak = tonumber(pipe:read "a")
  pipe:close()
  os.remove(script)
  large:close()
  lu.assertTrue(peak > 2 ^ 20)
  lu.assertTrue(peak < 300 * 2 ^ 20, "the child claims " .. peak .. " bytes")
end

return { Memory = Memory }
