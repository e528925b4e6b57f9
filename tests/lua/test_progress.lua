-- Progress: the terminal's content after each drawing, the lines of a log, counts and times.
local lu = require "luaunit"
local progress = require "aniso.show.progress"

-- A simulated terminal: rows of text and the cursor. It wraps its lines again when it becomes narrower.
local function terminal(columns, rows)
  local self = { columns = columns, rows = rows, lines = { "" }, row = 1, column = 0, drawings = 0 }

  local function put(char)
    local line = self.lines[self.row]
    local before = utf8.len(line)
    local cells = {}
    for _, c in utf8.codes(line) do cells[#cells + 1] = utf8.char(c) end
    for i = before + 1, self.column do cells[i] = " " end
    self.column = self.column + 1
    cells[self.column] = char
    self.lines[self.row] = table.concat(cells)
  end

  local function down()
    self.row = self.row + 1
    self.lines[self.row] = self.lines[self.row] or ""
    self.column = 0
  end

  function self.write(_, ...)
    self.drawings = self.drawings + 1
    local text = table.concat { ... }
    local at = 1
    while at <= #text do
      local up = text:match("^\27%[(%d+)A", at)
      local escape = text:match("^\27%[%d*%a", at)
      local char = text:match("^[%z\1-\127\194-\244][\128-\191]*", at)
      if up then
        self.row = self.row - tonumber(up)
        assert(self.row >= 1, "above the screen")
      elseif escape == "\27[K" then
        self.lines[self.row] = self.lines[self.row]:sub(1, (utf8.offset(self.lines[self.row],
          self.column + 1) or #self.lines[self.row] + 1) - 1)
      elseif escape == "\27[J" then
        assert(self.column == 0)
        for i = self.row + 1, #self.lines do self.lines[i] = nil end
        self.lines[self.row] = ""
      elseif char == "\r" then self.column = 0
      elseif char == "\n" then down()
      else
        assert(not escape, "an unknown escape")
        put(char)
        assert(self.column < self.columns, "a line reaches the edge")
      end
      at = at + #(escape or char)
    end
    return self
  end

  function self.flush(_) end

  function self.narrow(_, to)
    local broken = {}
    for i, line in ipairs(self.lines) do
      if i == self.row then self.row = #broken + 1 end
      repeat
        local cut = utf8.offset(line, to + 1) or #line + 1
        broken[#broken + 1], line = line:sub(1, cut - 1), line:sub(cut)
      until line == ""
    end
    self.lines, self.columns = broken, to
  end

  return self
end

local function setup(given)
  local now = { 0 }
  local screen = terminal(given.columns or 100, given.rows or 24)
  local board = progress.board { runs = given.runs, stream = screen, terminal = given.terminal ~= false,
    clock = function() return now[1] end, size = function() return screen.columns, screen.rows end }
  return board, screen, now
end

local function assert_screen(screen, expected)
  local lines = table.move(screen.lines, 1, #screen.lines, 1, {})
  if lines[#lines] == "" then lines[#lines] = nil end
  lu.assertEquals(lines, expected)
end

local half, tenth = "██████████░░░░░░░░░░  50%", "██░░░░░░░░░░░░░░░░░░  10%"

local Terminal = {}

function Terminal.test_a_line_per_running_configuration_and_a_total()
  local board, screen, now = setup { runs = 4 }
  screen:write "$ aniso run\n"
  local a, b = board:line { label = "ddpm seed 0", total = 100 }, board:line { label = "é", total = 10 }
  a:update(0)
  b:update(0)
  now[1] = 10
  b:update(1)
  now[1] = 20
  a:update(50, { loss = 0.5 })
  assert_screen(screen, { "$ aniso run", "ddpm seed 0  " .. half .. "  left 0:20  loss 0.5",
    "é            " .. tenth .. "  left 3:00",
    "study        ███░░░░░░░░░░░░░░░░░  15%  left 1:53  0 of 4 done, 0 failed, 2 running" })
  a:epoch "epoch 1/2  acc 0.5"
  now[1] = 21
  a:update(50)
  lu.assertStrContains(screen.lines[2], "left 0:21  loss 0.5  epoch 1/2  acc 0.5")
  a:finish "acc 0.6"
  b:fail "the loss became nan"
  assert_screen(screen, { "$ aniso run", "ddpm seed 0  finished in 0:21  acc 0.6",
    "aniso: é failed: the loss became nan",
    "study  " .. half .. "  left 0:21  1 of 4 done, 1 failed, 0 running" })
  lu.assertEquals(board:summary(), "4 runs in 0:21: 1 finished, 1 failed")
  board:close()
end

function Terminal.test_the_terminal_is_intact_after_any_end()
  local board, screen = setup { runs = 2 }
  board:line { label = "a", total = 10 }:update(5)
  lu.assertEquals(screen.column, 0) -- after a kill the cursor is on an empty line
  lu.assertEquals(screen.lines[screen.row], "")
  screen:write "^C"
  board:close()
  assert_screen(screen, {})
end

function Terminal.test_at_most_ten_drawings_a_second()
  local board, screen, now = setup { runs = 2 }
  local a = board:line { label = "a", total = 1000 }
  for i = 1, 1000 do
    now[1] = i / 1000
    a:update(i)
  end
  lu.assertTrue(screen.drawings >= 9 and screen.drawings <= 11, screen.drawings .. " drawings")
end

function Terminal.test_many_lines_fit_a_low_terminal_and_long_ones_a_narrow_one()
  local board, screen, now = setup { runs = 30, rows = 10, columns = 60 }
  for i = 1, 30 do board:line { label = ("run %d"):format(i), total = 10 }:update(0) end
  now[1] = 1
  board.lines[1]:update(5, { a_long_name_of_a_number = 0.123456, and_one_more = 2.5 })
  lu.assertTrue(#screen.lines <= 10)
  lu.assertEquals(screen.lines[8], "… and 23 more")
  lu.assertStrContains(screen.lines[9], "study   ")
end

function Terminal.test_a_window_that_becomes_narrower()
  local board, screen, now = setup { runs = 2, columns = 90 }
  screen:write "before\n"
  local a = board:line { label = "a", total = 100 }
  a:update(0)
  now[1] = 1
  a:update(50, { loss = 0.125, another = 1.5 })
  screen:narrow(41)
  now[1] = 2
  a:update(60)
  lu.assertEquals(#screen.lines, 4)
  lu.assertEquals(screen.lines[1], "before")
  lu.assertStrContains(screen.lines[2], "60%")
  board:close()
  assert_screen(screen, { "before" })
end

function Terminal.test_a_separate_line_keeps_its_epochs()
  local screen = terminal(100, 24)
  local now = 0
  local p = progress.new { total = 100, label = "x", stream = screen, terminal = true,
    clock = function() return now end, size = function() return 100, 24 end }
  p:update(20)
  now = 10
  p:update(40)
  assert_screen(screen, { "x  ████████░░░░░░░░░░░░  40%  left 0:30" })
  p:epoch "epoch 1/2"
  lu.assertEquals(screen.lines[1], "x  epoch 1/2")
  p:finish "acc 1"
  assert_screen(screen, { "x  epoch 1/2" })
end

-- ── elsewhere ───────────────────────────────────────────────────────────────────────────
local Log = {}

function Log.test_a_short_log_has_every_epoch()
  local board, log, now = setup { runs = 1, terminal = false }
  local a = board:line { label = "a", total = 20 }
  for i = 1, 20 do
    now[1] = i
    a:update(i, { loss = 1 })
    if i % 10 == 0 then a:epoch(("epoch %d/2"):format(i // 10)) end
  end
  a:finish "acc 0.5"
  board:print(board:summary())
  assert_screen(log, { "a  epoch 1/2", "a  epoch 2/2", "a  finished in 0:20  acc 0.5",
    "1 run in 0:20: 1 finished" })
end

-- Epochs of two seconds, then of 20 minutes.
function Log.test_a_long_log_has_fewer_lines_but_regular_ones()
  local board, log, now = setup { runs = 1, terminal = false }
  local a = board:line { label = "a", total = 6000 }
  local at = {}
  for i = 1, 6000 do
    now[1] = now[1] + (i <= 5900 and 2 or 1200)
    a:update(i)
    local before = #log.lines
    a:epoch(("epoch %d/6000"):format(i))
    if #log.lines > before then at[#at + 1] = now[1] end
  end
  lu.assertTrue(#at < 550, #at .. " lines")
  for i = 2, #at do lu.assertTrue(at[i] - at[i - 1] <= 600 + 1200) end -- ten minutes, and an epoch
  lu.assertEquals(log.lines[#log.lines - 1], "a  epoch 6000/6000")
end

function Log.test_one_problem_for_all()
  local board, log = setup { runs = 2, terminal = false }
  board:line { label = "a" }
  board:line { label = "b" }
  board:fail_all "the disk is full"
  assert_screen(log, { "aniso: a failed: the disk is full", "aniso: b failed: the same error as a" })
  lu.assertEquals(board.failed, 2)
  board:line { label = "c" }:fail "no room"
  board:line { label = "a" }:fail "the disk is full"
  assert_screen(log, { "aniso: a failed: the disk is full", "aniso: b failed: the same error as a",
    "aniso: c failed: no room", "aniso: a failed: the disk is full" })
end

function Log.test_durations()
  lu.assertEquals(progress.duration(75), "1:15")
  lu.assertEquals(progress.duration(3700), "1:01:40")
end

return { Terminal = Terminal, Log = Log }
