-- The board of a worker of --jobs: what it sends from its process is shown as if it were here, whatever the
-- pieces in which it arrives; a worker that ends leaves no line.
local lu = require "luaunit"
local core = require "aniso.core"
local progress = require "aniso.show.progress"
local receiver = require "aniso.show.progress.receiver"
local sys = core.sys

local T = {}

local function output_of(script)
  local child <close> = assert(sys.start_self { "aniso", "exec", "-e", script })
  local parts = {}
  lu.assertTrue(math.type(child:pid()) == "integer")
  repeat
    sys.wait_for_children({ child }, 10)
    local text = child:read()
    parts[#parts + 1] = text
  until not text
  local code, signal
  repeat code, signal = child:ended() until code ~= nil
  return table.concat(parts), code, signal
end

-- A stream that keeps what is written.
local function kept()
  local stream = { text = "" }
  function stream:write(...) self.text = self.text .. table.concat { ... } end
  function stream:flush() end
  return stream
end

local function shown(text, piece, terminal)
  local stream, now = kept(), 0
  local board = progress.board { stream = stream, terminal = terminal, runs = 3, started = 0,
    clock = function() return now end, size = function() return 120, 24 end }
  local one = receiver.new(board, "worker 1")
  for from = 1, #text, piece do
    now = now + 1
    one:feed(text:sub(from, from + piece - 1))
  end
  return stream.text, board, one
end

local SCRIPT = [[
  local board = require("aniso.show.progress.sender").board()
  board:announce "run 1/3: a, seed 0"
  local line = board:line { label = "a seed 0", total = 4 }
  line:update(1, { loss = 0 / 0 })
  line:update(4, { loss = 1.5 })
  line:epoch "epoch 1/1  loss 1.5"
  line:phase "evaluating"
  line:print "a line"
  line:finish "test acc 0.5"
  board:line { label = "b seed 0" }:fail "no room"
  board:expect(2)
  io.stderr:write "aniso: another\ttext\n"
  board:line { label = "c seed 0", total = 8 }:update(2, { loss = 1 })
  board:conclude(3)
]]

function T.test_events_of_another_process()
  local text, code = output_of(SCRIPT)
  lu.assertEquals(code, 0)
  for _, piece in ipairs { 1, 7, #text } do
    local out, board, one = shown(text, piece, false)
    lu.assertStrContains(out, "worker 1: run 1/3: a, seed 0\nworker 1: a seed 0  epoch 1/1  loss 1.5\n"
      .. "worker 1: a seed 0  a line\nworker 1: a seed 0  finished in ")
    lu.assertStrContains(out, "  test acc 0.5\naniso: worker 1: b seed 0 failed: no room\nworker 1: aniso: ")
    lu.assertEquals({ board.done, board.failed, board.runs, #board.lines }, { 1, 1, 5, 1 })
    lu.assertEquals(board.lines[1].done, 2)
    lu.assertEquals(one:close(), { "c seed 0" })
    lu.assertEquals(#board.lines, 0)
  end
end

function T.test_a_terminal_has_a_line_per_run()
  local text = output_of(SCRIPT)
  local out, board = shown(text, #text, true)
  lu.assertNil(out:find("run 1/3", 1, true)) -- the block has it
  lu.assertEquals(#board.lines, 1)
  lu.assertStrContains(board:block(10, 120, 24)[1], "worker 1: c seed 0  █████")
  lu.assertStrContains(board:block(10, 120, 24)[2], "1 of 5 done, 1 failed, 1 running")
end

-- Text that is no event, an event that is unknown or wrong, and one without an end.
function T.test_other_text()
  for _, text in ipairs { "\30[]\n", "\30{\"a\":1}\n", "\30[\"update\",7,1]\n", "\30[\"what\"]\n", "\30[\n",
    "\27[2J\n", ("x"):rep(3 << 20), "end" } do
    local out, board, one = shown(text, 1 << 16, false)
    lu.assertEquals(one:close(), {})
    lu.assertNil(out:find("[\27\30]"))
    lu.assertEquals(#board.lines, 0)
  end
end

-- Events with values that their kind does not have change nothing, and the board can be drawn and closed.
function T.test_events_with_wrong_values()
  local begin, deep = '\30["begin",1,"a",10]\n\30', ("["):rep(100000)
  for _, text in ipairs { '\30["begin",2,"x","10"]', '\30["begin",null,"x",10]', '\30["expect",1e308]',
    '\30["expect",1.5]', '\30["expect","2"]', begin .. '["update",1,"z",{}]', begin .. '["update",1,1e300,5]',
    begin .. '["update",1,3,{"loss":{}}]', begin .. '["begin","q","a",10]', begin .. '["begin",true,"a",10]',
    begin .. '["epoch",1,{}]', begin .. '["fail",1,{}]', "\30" .. deep,
    '\30["print",' .. ("1,"):rep(9999) .. "1]" } do
    for _, terminal in ipairs { false, true } do
      local out, board, one = shown(text .. "\n", #text + 1, terminal)
      board:print "another line"
      board:draw(true)
      lu.assertEquals(one:close(), text:sub(1, #begin) == begin and { "a" } or {}, text:sub(1, 80))
      lu.assertEquals({ board.runs, #board.lines }, { 3, 0 })
      lu.assertStrContains(out, "worker 1: ")
    end
  end
end

function T.test_children()
  local text, code, signal = output_of "os.exit(7)"
  lu.assertEquals({ text, code, signal }, { "", 7 })
  text, code = output_of "core.sys.nothing()"
  lu.assertStrContains(text, "aniso: ")
  lu.assertEquals(code, 1)
  local child = assert(sys.start_self { "aniso", "exec", "-e", "require('aniso.core').sys.sleep(60)" })
  lu.assertNil((child:ended()))
  lu.assertErrorMsgContains("invalid option", child.signal, child, "SIGKILL")
  child:signal "SIGTERM"
  repeat code = child:ended() until code ~= nil
  lu.assertTrue(code == 143 or code == false) -- false: before its handler was there
  child:close()
  lu.assertErrorMsgContains("closed", child.pid, child)
  for _, words in ipairs { {}, { 1 }, { "aniso", {} } } do lu.assertError(sys.start_self, words) end
  lu.assertError(sys.wait_for_children, { 1 }, 0)
  lu.assertError(sys.wait_for_children, {}, -1)
  sys.wait_for_children({}, 0)
end

return T
