-- The block of lines that aniso watch redraws, and the pause between two drawings.
local lu = require "luaunit"
local core = require "aniso.core"
local screen = require "aniso.show.screen"

local function recorder()
  local stream = { text = "" }
  function stream:write(...) self.text = self.text .. table.concat { ... } end
  function stream:flush() end
  function stream:take()
    local text = self.text
    self.text = ""
    return text
  end
  return stream
end

local Screen = {}

function Screen.test_it_is_redrawn_in_place_below_what_stays()
  local stream = recorder()
  local s = screen.new { stream = stream, terminal = true, size = function() return 20, 10 end }
  s:draw { "one", "two" }
  lu.assertEquals(stream:take(), "\rone\27[K\ntwo\27[K\n\27[J")
  s:draw { "three" }
  lu.assertEquals(stream:take(), "\r\27[2Athree\27[K\n\27[J")
  s:print "stays"
  lu.assertEquals(stream:take(), "\r\27[1A\27[Jstays\n")
  s:clear()
  lu.assertEquals(stream:take(), "")
end

function Screen.test_it_fits_the_window_and_a_narrower_one()
  local stream, columns = recorder(), 10
  local s = screen.new { stream = stream, terminal = true, size = function() return columns, 5 end }
  s:draw { "λλλλλλλλλλλλ", "2", "3", "4", "5", "6", "total" }
  lu.assertEquals(stream:take(), "\rλλλλλλλλλ\27[K\n2\27[K\n… and 4 m\27[K\ntotal\27[K\n\27[J")
  columns = 5
  s:clear() -- the first line has become two, the third as well
  lu.assertEquals(stream:take(), "\r\27[6A\27[J")
end

function Screen.test_without_a_terminal_only_lines_that_stay_are_written()
  local stream = recorder()
  do
    local s <close> = screen.new { stream = stream }
    s:draw { "one" }
    s:print "stays"
  end
  lu.assertEquals(stream:take(), "stays\n")
end

function Screen.test_sleep_ends_with_its_time()
  local start_at = core.sys.monotonic()
  core.sys.sleep(0.05)
  lu.assertTrue(core.sys.monotonic() - start_at >= 0.05)
  lu.assertError(core.sys.sleep, -1)
end

return Screen
