-- What a writer does while another program, such as a database browser with an unsaved edit, holds the lock
-- of the database. A transaction that may wait does so until the lock is free or the process is interrupted;
-- any other is tried again later. Each is announced once per lock. Without db.waiting, a table {say =
-- function(line), stop = function()}, a lock is an error after ten seconds.
--   say(line)   shows a line      stop()   raises an error after an interruption
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"

local lock_wait = {}

local FIRST_MS = 1000 -- how long a first attempt waits; a program that writes a row takes less
local PAUSE = 0.1     -- seconds between two attempts; a signal ends it

-- The `waiting` of a command that trains: lines go to stderr, an interruption ends the command.
function lock_wait.of_command(say)
  return { say = say or function(line) io.stderr:write("aniso: ", core.sys.visible(line), "\n") end,
    stop = function()
      local signal = core.sys.interrupted()
      if signal then errors.interrupt(signal, "interrupted; repeat the command to continue") end
    end }
end

local function announce(db, kind, line)
  if db.locked[kind] then return end
  db.locked[kind] = true
  db.waiting.say(line:format(db.path))
end

local function wait(db)
  announce(db, "waits", "%s: another program has it locked; waiting until that ends (Ctrl-C stops waiting)")
  local begun, message, code
  repeat
    db.waiting.stop()
    core.sys.sleep(PAUSE)
    begun, message, code = db.core:begin(0)
  until begun or code ~= "EBUSY"
  return begun, message, code
end

-- Begins a transaction. how: "wait" waits for the lock without a limit, "later" for a second or, while the
-- same lock lasts, not at all; a number is the milliseconds to try. → true | nil, message, code
function lock_wait.begin(db, how)
  if not db.waiting then return db.core:begin() end
  local patience = math.type(how) == "integer" and how or db.locked and 0 or FIRST_MS
  local begun, message, code = db.core:begin(patience)
  if not begun and code == "EBUSY" then
    db.locked = db.locked or {}
    if how == "wait" then
      begun, message, code = wait(db)
    elseif how == "later" then
      announce(db, "later", "%s: another program has it locked; the run continues, its records are kept in "
        .. "memory and written later")
    end
  end
  if begun then db.locked = nil end
  return begun, message, code
end

return lock_wait
