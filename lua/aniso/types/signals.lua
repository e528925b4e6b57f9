---@meta _
-- Signals and closed outputs: functions of aniso.core.sys.

---@class aniso.core.sys
local sys = {}

---Ctrl-C, SIGTERM and SIGHUP raise an error, or set a flag for interrupted(). An already received one is
---dropped.
---@param mode "raise"|"poll"
---@param keep_running? boolean a second one does not end the process (used by the prompt)
---@return "raise"|"poll" before
function sys.interrupt_mode(mode, keep_running) end

---@return "SIGINT"|"SIGTERM"|"SIGHUP"|nil signal received since the mode was set
function sys.interrupted() end

---Calls f as if the mode were "raise": for work that has no state to save, within a command that polls. After
---a signal it raises the interruption of aniso.recipe.errors, which ends the command with its exit code.
---@param f function
---@param ... any
---@return any ... what f returns
function sys.interruptible(f, ...) end

---From now on a closed pipe or terminal does not end the program; output to it is dropped.
function sys.outlive_output() end

---Calls f as xpcall does. Ctrl-C and SIGTERM raise an error only in f, not before or after it; a second
---signal does not end the process.
---@param f function
---@param handler fun(why: any): any
---@return boolean fine
---@return any ... values of f, or of the handler
function sys.stoppable(f, handler) end
