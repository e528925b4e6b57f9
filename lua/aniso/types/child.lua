---@meta _
-- More processes of this program: aniso.core.sys.start_self.

---@class aniso.core.sys
local sys = {}

---Starts another process of this program. It has no input, its stdout is discarded, and its stderr is read
---with child:read(). It is killed when this process ends. An error if this library runs in another program.
---@param words string[] its arguments; words[1] is the name of the program
---@return aniso.Child? child
---@return string? message
---@return string? code `EIO`: the system cannot start another process
function sys.start_self(words) end

---Waits until one of the processes prints or ends, a signal arrives, or the time has passed.
---@param children aniso.Child[] at most 256
---@param seconds number from 0 to 1e6
function sys.wait_for_children(children, seconds) end

---A process that start_self() began.
---@class aniso.Child
local Child = {}

---@return integer
function Child:pid() end

---What it has printed to stderr since the last call.
---@return string? text "" if nothing was printed, nil after its end
function Child:read() end

---How it ended.
---@return integer|false|nil code nil while it runs; then its exit code, or false if a signal ended it
---@return integer? signal the signal's number
function Child:ended() end

---@param name "SIGINT"|"SIGTERM"|"SIGHUP"
function Child:signal(name) end

---Kills it if it is still running.
function Child:close() end
