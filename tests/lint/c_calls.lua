-- Permitted calls in C: engine/io alone hands a path to the system, scratch is taken through the carver, and
-- a kernel takes no other memory.
local files = dofile "tests/lint/files.lua"

-- System calls that take a path: only engine/io may use them, since it has the rules for durability,
-- links, devices and temporary files. Its functions are in engine/io/{path,file,file_replace}.h.
local NAMES = "open openat open64 fopen fopen64 freopen creat opendir scandir ftw nftw mkdir mkdirat "
  .. "mkdtemp mkstemp mkostemp mkfifo mkfifoat mknod mknodat rename renameat renameat2 unlink unlinkat rmdir "
  .. "stat lstat fstatat statx access faccessat realpath readlink readlinkat link linkat symlink symlinkat "
  .. "truncate chmod fchmodat chown lchown fchownat utimensat"
local calls = {}
for name in NAMES:gmatch "%S+" do
  calls[#calls + 1] = "%f[%w_]" .. name .. "%s*%("
end

local function paths_of(path, lines, report)
  if path:match "^engine/io/path%.c$" or path:match "^engine/io/file" then return end
  for number, line in ipairs(lines) do
    for _, call in ipairs(line:match "^%s*/?%*" and {} or calls) do
      local at = line:find(call)
      if at then report(path .. ":" .. number .. ": " .. line:match("[%w_]+", at) .. "() is engine/io's") end
    end
  end
end

-- Scratch is cut into parts in one way: kernel/common/carve.h.
local function scratch_of(path, lines, report)
  if path:match "^engine/base/memory/scratch%." or path == "engine/kernel/common/carve.h" then return end
  for number, line in ipairs(lines) do
    if line:match "an_scratch_[%w_]+%s*%(" then
      report(path .. ":" .. number .. ": scratch is taken through kernel/common/carve.h")
    end
  end
end

-- A kernel works in the buffers of its caller and in scratch: its memory does not depend on the heap.
local HEAP = { "an_tensor_heap_[%w_]+", "an_%l*alloc", "malloc", "calloc", "realloc", "aligned_alloc",
  "posix_memalign" }

local function heap_of(path, lines, report)
  if not path:match "^engine/kernel/" then return end
  for number, line in ipairs(lines) do
    for _, name in ipairs(line:match "^%s*/?%*" and {} or HEAP) do
      local call = line:match("%f[%w_]" .. name .. "%s*%(")
      if call then report(("%s:%d: %s…) in a kernel; it uses scratch"):format(path, number, call)) end
    end
  end
end

local checks = {
  { "only engine/io hands a path to the system", paths_of },
  { "scratch is taken through the carver", scratch_of },
  { "a kernel takes no memory from the heap", heap_of },
}
for _, check in ipairs(checks) do
  local faults = {}
  for _, path in ipairs(files.find "%.[ch]$") do
    if path:match "^engine/" or path:match "^store/" then
      check[2](path, files.lines(path), function(text) faults[#faults + 1] = text end)
    end
  end
  files.verdict("calls: " .. check[1], faults)
end

-- The checks must detect violations.
local function detects(check, path, line, expected)
  local found = 0
  check(path, { line }, function() found = found + 1 end)
  files.verdict(("calls: %s: %s"):format(path, line),
    found == expected and {} or { ("%d faults seen, %d planted"):format(found, expected) })
end

-- The names again, so that a name that NAMES lacks is detected.
local PLANTED = "open openat open64 fopen fopen64 freopen creat opendir scandir ftw nftw mkdir mkdirat "
  .. "mkdtemp mkstemp mkostemp mkfifo mkfifoat mknod mknodat rename renameat renameat2 unlink unlinkat rmdir "
  .. "stat lstat fstatat statx access faccessat realpath readlink readlinkat link linkat symlink symlinkat "
  .. "truncate chmod fchmodat chown lchown fchownat utimensat"
for name in PLANTED:gmatch "%S+" do
  detects(paths_of, "engine/data/x.c", "return " .. name .. "(x);", 1)
end
detects(paths_of, "store/x.c", "return open (path, 0);", 1)
detects(paths_of, "engine/data/x.c", " * open(path) is not used", 0)
detects(paths_of, "engine/data/x.c", "reopen(path);", 0)
detects(paths_of, "engine/io/file.c", "open(path, 0);", 0)
for _, name in ipairs { "take", "release", "line", "any_other" } do
  detects(scratch_of, "engine/kernel/norm/x.c", "an_scratch_" .. name .. "(8);", 1)
end
detects(scratch_of, "engine/model/x.c", "an_scratch_take (8);", 1)
detects(scratch_of, "engine/kernel/common/carve.h", "an_scratch_take(8);", 0)
for _, name in ipairs { "an_tensor_heap_take", "an_alloc", "an_calloc", "an_realloc", "malloc", "calloc",
  "realloc", "aligned_alloc", "posix_memalign" } do
  detects(heap_of, "engine/kernel/norm/x.c", "float *x = " .. name .. " (8);", 1)
end
detects(heap_of, "engine/kernel/norm/x.c", " * malloc() is slow", 0)
detects(heap_of, "engine/tensor/x.c", "an_tensor_heap_take(8);", 0)
files.finish()
