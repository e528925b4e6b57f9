---@meta _
-- Progress: aniso.progress, its boards and lines.

---Where progress is shown.
---@class aniso.ProgressPlace
---@field stream? file* stderr if left out.
---@field terminal? boolean Whether the stream is a terminal; detected if left out.
---@field clock? fun(): number Seconds; sys.monotonic if left out.
---@field size? fun(): integer, integer Columns and rows of the terminal.
---@field started? number The clock's time when the work began; now if left out.

---@class aniso.ProgressBoardOptions : aniso.ProgressPlace
---@field runs? integer How many runs will end on the board, for the line of totals; no such line if left out.

---@class aniso.ProgressLine
---@field label? string
---@field total? integer Steps.
---@field began? number The clock's time when it began; now if left out.
---@field done? integer Steps done by then; the value of the first update if left out.

---@class aniso.ProgressOptions : aniso.ProgressPlace, aniso.ProgressLine

---Bars on a terminal, lines elsewhere.
---@class aniso.progress
---@overload fun(given: aniso.ProgressOptions): aniso.Progress
local progress = {}

---A line on its own board.
---@param given aniso.ProgressOptions
---@return aniso.Progress
function progress.new(given) end

---A block of lines, one per run, and a line of totals.
---@param given? aniso.ProgressBoardOptions
---@return aniso.ProgressBoard
function progress.board(given) end

---75 → "1:15"
---@param seconds number
---@return string
function progress.duration(seconds) end

---@class aniso.ProgressBoard
---@field lines aniso.Progress[] The lines of the runs in progress.
---@field terminal boolean
---@field done integer
---@field failed integer
local Board = {}

---Adds a line.
---@param given aniso.ProgressLine
---@return aniso.Progress
function Board:line(given) end

---Removes a line.
---@param line aniso.Progress
function Board:remove(line) end

---Why a run failed: if another label has failed for the same reason, refers to that label instead.
---@param label string
---@param why string
---@return string
function Board:reason(label, why) end

---Counts a run as ended.
---@param how "done"|"failed"
---@return boolean counted false on a board without totals
function Board:count(how) end

---Adds n to the number of runs that will end on the board; n may be below 0.
---@param n integer
function Board:expect(n) end

---A line for a log; does nothing on a terminal, whose block already shows it.
---@param line string
function Board:announce(line) end

---All runs have ended: prints the summary.
---@param ended integer how many
function Board:conclude(ended) end

---One problem has ended all runs in progress.
---@param why string
function Board:fail_all(why) end

---Seconds that the rest will take.
---@param now number
---@return number?
function Board:left(now) end

---The line of totals.
---@param now number
---@param columns integer of the labels
---@return string
function Board:total_line(now, columns) end

---"4 runs in 1:05: 3 finished, 1 failed"
---@return string
function Board:summary() end

---The lines as they fit a terminal.
---@param now number
---@param columns integer
---@param rows integer
---@return string[]
function Board:block(now, columns, rows) end

---The text that moves the cursor to the block's first line.
---@param columns integer
---@return string
function Board:up(columns) end

---Draws the block on a terminal if it is due.
---@param at_once? boolean
function Board:draw(at_once) end

---Clears the block from the terminal.
function Board:clear() end

---A line that stays.
---@param line string
function Board:print(line) end

---Whether a log may get a line for an epoch.
---@param line aniso.Progress
---@return boolean
function Board:due(line) end

function Board:close() end

---@class aniso.Progress
---@field board aniso.ProgressBoard
---@field label string
local Progress = {}

---@param done integer of the total
---@param fields? table<string, any>
function Progress:update(done, fields) end

---@return number share of the work that is done
---@return number before share that was done when this process began
function Progress:share() end

---The numbers of an epoch, shown in the line, or in the log if it is not too long yet.
---@param line string
function Progress:epoch(line) end

---@param line string
---@return string line with the label before it
function Progress:named(line) end

---Sets what the run is doing now.
---@param what string
function Progress:phase(what) end

---A line that stays.
---@param line string
function Progress:print(line) end

---Done, with these numbers; without them, the line is only removed.
---@param numbers? string
function Progress:finish(numbers) end

---Failed.
---@param why string
function Progress:fail(why) end
