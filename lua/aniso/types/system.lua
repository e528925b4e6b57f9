---@meta _
-- The machine, files, the terminal: aniso.core.sys, aniso.core.term. If the system fails, functions return
-- nil, the reason and a code name, "ENOTFOUND" or "EIO".

---@class aniso.core.sys
---@field version string Of the program.
local sys = {}

---Seconds since an arbitrary start, for measuring durations.
---@return number
function sys.monotonic() end

---The value of an environment variable that the program reads (variables()); any other name is an error.
---@param name string
---@return string? value nil if it is unset, empty, or a folder that must be absolute and is not
function sys.variable(name) end

---The environment variables that the program reads.
---@return { name: string, values: string, otherwise: string?, meaning: string }[]
function sys.variables() end

---The user's cache folder, which need not exist.
---@return string? path nil if neither XDG_CACHE_HOME nor HOME is set
function sys.cache_folder() end

---Waits; a signal ends the wait early.
---@param seconds number from 0 to 1e6
function sys.sleep(seconds) end

---"2026-01-31T12:00:00.000Z"
---@param seconds? number since 1970; now if left out
---@return string
function sys.utc(seconds) end

---CPU time of this process, over all threads.
---@return number seconds
function sys.cpu_seconds() end

---The peak memory of this process.
---@return integer bytes
function sys.peak_rss() end

---@return integer
function sys.pid() end

---Threads to compute with. Results do not depend on their number.
---@param n? integer sets the number; below 1: one per core
---@return integer n in use
function sys.threads(n) end

---The type of the factors in products of layers, after setting it: engine/base/precision.h.
---@param name? "float32"|"bfloat16"
---@return "float32"|"bfloat16"
function sys.precision(name) end

---How many of n threads the system can start, at least 1; fewer than n under a limit on processes.
---@param n integer From 1 to 4096.
---@return integer
function sys.startable_threads(n) end

---Bytes and calls of the engine's allocator.
---@return { live: integer, peak: integer, allocs: integer, lua_allocs: integer }
function sys.memory() end

---Bytes in use by the engine's objects, without the free blocks that the tensor heap keeps.
---@return integer
function sys.live_bytes() end

---The peak bytes in use by tensors since the previous call.
---@return integer
function sys.tensor_peak() end

---Number of open handles that were neither closed nor collected. Lua's own files (io.open) are not counted.
---@return integer count of all kinds
---@return table<string, integer> kinds files, mappings, locks, connections, statements, userdata
function sys.open_handles() end

---Makes the n-th allocation from now fail; for tests.
---@param n integer
function sys.fail_at(n) end

---The number of processes that share the work, 1, 2, 4 or 8; this build's MPI; how many a launcher started,
---and which.
---@return integer ranks
---@return string? library
---@return integer launched
---@return "mpirun"|"srun" launcher
function sys.ranks() end

---What this rank sent to the others and received, by kind of call: engine/base/ranks/ranks.h.
---@return table<string, { calls: integer, bytes: integer, seconds: number }>
function sys.ranks_traffic() end

---A description of the machine, as the run database stores it: hostname, os, arch, cpu, cores, ram_bytes,
---blas, boot_id; simd, the vectors that the kernels use: "baseline", "avx2" or "avx512"; and bf16, the unit
---that multiplies bfloat16: "emulated", "avx512_bf16" or "amx".
---@return table<string, string|integer>
function sys.host() end

---@param stream? "stdin"|"stdout"|"stderr" "stdout" if left out
---@return boolean terminal
function sys.isatty(stream) end

---False if stdout is a pipe or terminal that nothing reads any more.
---@return boolean
function sys.has_reader() end

---The text of a regular file of at most `most` bytes; with `start`, the first `most` bytes of any file.
---@param path string
---@param most integer
---@param start? boolean
---@return string? text
---@return string? message
---@return string? code `ENOTFOUND`, `EFORMAT` (longer, a pipe, a device), `EIO`
function sys.read(path, most, start) end

---External text made safe to print: control characters, bidirectional controls and bytes that are not UTF-8
---become codes such as `\x1B`.
---@param text string
---@param lines? boolean newlines and tabs are kept
---@return string
function sys.visible(text, lines) end

---@param stream? "stdin"|"stdout"|"stderr" "stdout" if left out
---@return integer? columns nil if it is not a terminal
---@return integer? rows
function sys.width(stream) end

---Whether errors carry a traceback.
---@param on? boolean sets it
---@return boolean
function sys.debug(on) end

---@param path string
---@return "file"|"directory"|"other"|nil
function sys.exists(path) end

---@param path string
---@return integer? bytes
---@return string? message
---@return string? code
function sys.size(path) end

---The names in a folder, sorted.
---@param path string
---@return string[]? names
---@return string? message
---@return string? code
function sys.list(path) end

---Creates a folder and its parents; existing ones are not an error.
---@param path string
---@return true? done
---@return string? message
---@return string? code
function sys.mkdir_p(path) end

---Creates an empty folder below TMPDIR or /tmp.
---@return string? path
---@return string? message
---@return string? code
function sys.mkdtemp() end

---The absolute path without symbolic links.
---@param path string
---@return string? path
---@return string? message
---@return string? code
function sys.realpath(path) end

---A lock that a process holds until it closes the lock or ends.
---@class aniso.Lock
local Lock = {}

---Releases the lock, as <close> and the garbage collector do.
function Lock:close() end

---The lock of PATH, in the sidecar PATH-lock; "EBUSY" if another process still holds it after half a second.
---@param path string
---@param advice? string What to do about it; ends the message.
---@return aniso.Lock? lock
---@return string? message
---@return string? code
function sys.lock(path, advice) end

---The process that holds the lock of a path, or that writes its temporary file with this ending.
---@param path string
---@param ending? string ".PID-RANDOM.tmp", what follows the name of `path`
---@return integer? pid 0 if it is unknown, nil if there is none
function sys.used_by(path, ending) end

---Removes a file or an empty folder.
---@param path string
---@return true? done
---@return string? message
---@return string? code
function sys.remove(path) end

---Renames a file or folder within its file system; never replaces anything.
---@param from string
---@param to string must not exist
---@return true? done
---@return string? message
---@return string? code
function sys.move(from, to) end

---@param path string
---@return boolean link a symbolic link, even a dangling one
function sys.is_link(path) end

---Replaces a file durably: a reader finds the old content or the new, never a part. Only a regular file is
---replaced; a device or pipe is written to.
---@param path string
---@param text string
---@return true? done
---@return string? message
---@return string? code
function sys.write_atomic(path, text) end

---@class aniso.core.term
local term = {}

---A line editor on the terminal.
---@param how { history: string?, complete: function? } history: its file
---@return aniso.Editor
function term.editor(how) end

---Reads lines with editing, history and completion.
---@class aniso.Editor
local Editor = {}

---@param prompt string
---@return string? line nil at the end of input and after Ctrl-C
---@return "end"|"interrupted"|nil why
function Editor:read(prompt) end

---Adds a line to the history and its file.
---@param line string
function Editor:remember(line) end

---Restores the terminal.
function Editor:close() end
