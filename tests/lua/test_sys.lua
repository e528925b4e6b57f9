-- What core.sys reports about this process, and its signals.
local lu = require "luaunit"
local core = require "aniso.core"
local sys = core.sys

local remove_tree = dofile "tests/lua/remove_tree.lua"

local Memory = {}

-- The peak memory of a process started by a large one is its own.
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

local function open(kind)
  local sum, kinds = sys.open_handles()
  local all = 0
  for _, count in pairs(kinds) do all = all + count end
  lu.assertEquals(sum, all)
  return kinds[kind]
end

local Open = {}

function Open.test_userdata_until_it_is_closed_or_collected()
  collectgarbage()
  collectgarbage "stop" -- until the collection that is tested
  local before = open "userdata"
  local kept = core.tensor.zeros { 2 }
  core.tensor.zeros { 2 } -- for the collector
  lu.assertEquals(open "userdata", before + 2)
  kept:close()
  kept:close() -- closing it again is a no-op
  lu.assertEquals(open "userdata", before + 1)
  collectgarbage "restart"
  collectgarbage()
  lu.assertEquals(open "userdata", before)
end

function Open.test_a_moved_file_replaces_nothing()
  local folder = assert(sys.mkdtemp())
  local from, to = folder .. "/a", folder .. "/b"
  assert(sys.mkdir_p(from .. "/inside"))
  lu.assertTrue(sys.move(from, to))
  lu.assertNil((sys.exists(from)))
  lu.assertEquals(sys.exists(to .. "/inside"), "directory")
  local moved, message, code = sys.move(to, folder)
  lu.assertNil(moved)
  lu.assertStrContains(message, "the name is taken")
  lu.assertEquals(code, "EIO")
  lu.assertNil((sys.move(from, folder .. "/c")))
  for _, name in ipairs { "/b/inside", "/b", "" } do os.remove(folder .. name) end
end

function Open.test_a_database_its_lock_and_a_failed_query()
  collectgarbage()
  local folder = assert(sys.mkdtemp())
  local before = sys.open_handles()
  local db = assert(core.db.open(folder .. "/a.db"))
  lu.assertEquals({ open "connections", open "locks", open "statements" }, { 1, 1, 0 })
  lu.assertErrorMsgContains("value 1", db.exec, db, "SELECT ?1", {})
  lu.assertEquals(open "statements", 0)
  db:close()
  collectgarbage() -- the query's cursor
  lu.assertEquals(sys.open_handles(), before)
  os.remove(folder .. "/a.db")
  os.remove(folder)
end

-- Rows of another connection, three in a statement; what fails releases both statements.
function Open.test_rows_are_copied_between_connections()
  local folder = assert(sys.mkdtemp())
  do
    local into <close> = assert(core.db.open(folder .. "/a.db"))
    local from <close> = assert(core.db.open(folder .. "/b.db"))
    assert(into:exec "CREATE TEMP TABLE t(a INTEGER NOT NULL UNIQUE, b)")
    local three = "INSERT INTO t SELECT * FROM (VALUES (?, ?), (?, ?), (?, ?)) WHERE column1 IS NOT NULL"
    local numbers = [[WITH RECURSIVE n(i) AS (VALUES (?1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
      SELECT i AS a, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN i / 8.0 WHEN 2 THEN 'a' || i ELSE x'00ff' END
        AS b FROM n]]
    local typed = "SELECT a, b, typeof(b) AS type FROM (%s)"
    local before = open "statements"
    for _, last in ipairs { 0, 5, 7 } do -- one row, whole statements, and a rest
      assert(into:exec "DELETE FROM t")
      lu.assertTrue(into:copy(three, from, numbers, 0, last))
      lu.assertEquals(into:query(typed:format "SELECT * FROM t"), from:query(typed:format(numbers), 0, last))
    end
    local ok, message, code = into:copy(three, from, numbers, 0, 2)
    lu.assertEquals({ ok, code }, { nil, "EDB" })
    lu.assertStrContains(message, "UNIQUE constraint failed")
    lu.assertErrorMsgContains("rows of 4 columns, but the statement has 6 parameters", into.copy, into, three,
      from, "SELECT 1, 2, 3, 4")
    lu.assertNil((into:copy(three, from, "SELECT nothing")))
    lu.assertNil((into:copy("INSERT INTO nothing VALUES (?)", from, "SELECT 1")))
    lu.assertEquals(open "statements", before)
  end
  remove_tree(folder)
end

function Open.test_what_cannot_be_opened()
  collectgarbage()
  local before = sys.open_handles()
  lu.assertNil(core.db.open("/nowhere/a.db", "read"))
  lu.assertNil(core.safetensors.load "/nowhere/a.safetensors")
  lu.assertNil(core.sys.lock "/nowhere/a")
  collectgarbage()
  lu.assertEquals(sys.open_handles(), before)
end

function Memory.test_live_bytes_return()
  core.tensor.zeros({ 2 }):close() -- the first tensor allocates lists that are kept
  collectgarbage()
  local before = sys.live_bytes()
  local x = core.tensor.zeros { 1000, 1000 }
  lu.assertTrue(sys.live_bytes() >= before + 4000000)
  x:close()
  lu.assertEquals(sys.live_bytes(), before)
end

function Memory.test_the_tape_has_a_length()
  core.ops.clear_tape()
  lu.assertEquals(core.ops.tape_length(), 0)
  local x = core.tensor.zeros({ 2 }):param()
  local y = (x * 2):sum()
  lu.assertEquals(core.ops.tape_length(), 2)
  y:backward()
  lu.assertEquals(core.ops.tape_length(), 0)
end

local Signals = {}

-- io.popen, since os.execute ignores signals while it waits.
local function interrupt_this_process()
  io.popen(("kill -INT %d"):format(sys.pid())):close()
end

function Signals.test_in_poll_mode_a_signal_is_stored()
  local former = sys.interrupt_mode("poll", true)
  lu.assertNil(sys.interrupted())
  interrupt_this_process()
  local received = sys.interrupted()
  lu.assertEquals(sys.interrupt_mode("poll", true), "poll")
  lu.assertNil(sys.interrupted()) -- setting the mode discards the signal
  lu.assertEquals(sys.interrupt_mode(former), "poll")
  lu.assertEquals(received, "SIGINT")
end

function Signals.test_an_interruptible_call_within_a_command_that_polls()
  local former = sys.interrupt_mode("poll", true)
  local good = table.pack(sys.interruptible(function(...) return ... end, 1, nil, 3))
  local _, why = pcall(sys.interruptible, error, "a mistake")
  local fine, stopped = pcall(sys.interruptible, function()
    interrupt_this_process()
    while true do end
  end)
  local late, again = pcall(sys.interruptible, function() while true do end end)
  sys.interrupt_mode(former)
  lu.assertEquals(good, { 1, nil, 3, n = 3 })
  lu.assertStrContains(tostring(why), "a mistake")
  lu.assertEquals({ fine, stopped.interrupted, stopped.exit }, { false, "SIGINT", 130 })
  lu.assertEquals({ late, again.interrupted }, { false, "SIGINT" }) -- one that came before the call
end

function Signals.test_a_stoppable_call()
  local former = sys.interrupt_mode("poll", true)
  local good = table.pack(sys.stoppable(function() return 1, nil, 3 end, tostring))
  local bad = table.pack(sys.stoppable(function() error({ 7 }) end, function(why) return why[1] end))
  local stopped = table.pack(sys.stoppable(function()
    interrupt_this_process()
    while true do end
  end, function() return sys.interrupted() or "an error" end))
  interrupt_this_process() -- behind the call: no error
  sys.interrupt_mode(former)
  lu.assertEquals(good, { true, 1, nil, 3, n = 4 })
  lu.assertEquals(bad, { false, 7, n = 2 })
  lu.assertEquals(stopped[1], false)
end

function Signals.test_cpu_time_advances_with_work()
  local start = sys.cpu_seconds()
  local clock = os.clock()
  while os.clock() - clock < 0.05 do end
  local spent = sys.cpu_seconds() - start
  lu.assertTrue(spent > 0.04 and spent < 5, spent)
end

-- Two ranks: tests/cli/test_ranks.sh.
function Signals.test_one_rank_passes_nothing()
  local kinds = {}
  for kind, traffic in pairs(sys.ranks_traffic()) do
    kinds[#kinds + 1] = kind
    lu.assertEquals(traffic, { calls = 0, bytes = 0, seconds = 0 })
  end
  table.sort(kinds)
  lu.assertEquals(kinds, { "add", "gather", "receive", "send", "share" })
end

local Variables = {}

-- Each variable that the program reads is listed once, and no other one can be read.
function Variables.test_those_that_are_listed_can_be_read()
  local seen = {}
  for _, one in ipairs(sys.variables()) do
    lu.assertNil(seen[one.name])
    seen[one.name] = true
    lu.assertTrue(#one.values > 0 and #one.meaning > 0, one.name)
    sys.variable(one.name)
  end
  lu.assertTrue(seen.ANISO_DB and seen.ANISO_CACHE_GB and seen.HOME)
  lu.assertFalse(pcall(sys.variable, "ANISO_NONE"))
end

-- Without one, `aniso predict` ends (tests/cli/test_predict.sh).
function Open.test_stdout_has_a_reader()
  lu.assertTrue(sys.has_reader())
end

return { Memory = Memory, Open = Open, Signals = Signals, Variables = Variables }
