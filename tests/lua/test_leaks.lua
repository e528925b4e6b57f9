-- The guard around every Lua test detects leaks, and reports none where all is closed.
local lu = require "luaunit"
local core = require "aniso.core"
local leaks = dofile "tests/lua/leaks.lua"

-- leaks.held outlives the test that fills it.

local function assert_error(words, test)
  lu.assertErrorMsgContains(words, leaks.guard(test))
  leaks.held = nil
  core.ops.clear_tape()
end

return {
  test_live_bytes = function()
    assert_error("live bytes more", function() leaks.held = core.tensor.zeros { 4096 } end)
  end,
  test_open_handles = function()
    assert_error("1 open handles more", function() leaks.held = core.module.new { seed = 0 } end)
  end,
  test_the_tape = function()
    assert_error("1 operations on the tape more", function() core.tensor.zeros({ 2 }):param():relu() end)
  end,
  test_what_is_closed_or_collected_counts_nothing = function()
    leaks.guard(function()
      core.module.new({ seed = 0 }):close()
      lu.assertEquals(core.tensor.zeros({ 4096 }):relu():numel(), 4096)
    end)()
  end,
  test_the_error_of_a_test_is_passed_on = function()
    assert_error("its own words", function() error("its own words", 0) end)
  end,
}
