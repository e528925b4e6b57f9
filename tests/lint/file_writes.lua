-- Files are written by engine/io alone, which replaces a file as a whole, and only a regular file. No
-- other C file creates, renames or opens for writing; no Lua file of the program does so with Lua's own
-- functions. SQLite writes the database, libedit the history of the prompt.
local files = dofile "tests/lint/files.lua"

-- Patterns of C calls, and of Lua calls.
local C = { "%f[%w_]rename%s*%(", "%f[%w_]fopen%s*%(", "%f[%w_]freopen%s*%(", "%f[%w_]creat%s*%(",
  "%f[%w_]mkstemp%s*%(", "%f[%w_]truncate%s*%(", "%f[%w_]O_CREAT%f[^%w_]", "%f[%w_]O_WRONLY%f[^%w_]",
  "%f[%w_]O_RDWR%f[^%w_]" }
local LUA = { "os%.rename", "os%.remove", "os%.tmpname", "io%.output", "io%.tmpfile", "sys%.rename",
  "io%.open%s*%b()" }

-- io.open for reading is allowed: its second argument is "r" or "rb".
local function only_reads(call)
  return call:match '^io%.open.*,%s*"rb?"%s*%)$' ~= nil
end

local function faults_of_line(path, line)
  local out = {}
  local code = path:match "%.lua$" and line:gsub("%-%-.*$", "") or line:gsub("//.*$", "")
  for _, pattern in ipairs(path:match "%.lua$" and LUA or C) do
    local call = code:match(pattern)
    if call and not only_reads(call) and not code:match "^%s*/?%*" then out[#out + 1] = call end
  end
  return out
end

local function is_checked(path)
  return not path:match "^engine/io/"
    and (path:match "^lua/.*%.lua$" or path:match "^engine/" or path:match "^store/")
end

local faults = {}
for _, path in ipairs(files.find "%.[chl][ua]*$") do
  for number, line in ipairs(is_checked(path) and files.lines(path) or {}) do
    for _, call in ipairs(faults_of_line(path, line)) do
      faults[#faults + 1] = ("%s:%d: %s writes a file; engine/io does"):format(path, number, call)
    end
  end
end
files.verdict("files are written by engine/io alone", faults)

-- {path, line, number of faults}
local planted = {
  { "lua/aniso/train/x.lua", "assert(os.rename(a, b))", 1 },
  { "lua/aniso/train/x.lua", 'local file = io.open(path, "w")', 1 },
  { "lua/aniso/train/x.lua", 'local file = io.open(path, "r+b")', 1 },
  { "lua/aniso/train/x.lua", 'local file = io.open(path .. f("x"), "rb")', 0 },
  { "lua/aniso/train/x.lua", "-- os.rename is not used", 0 },
  { "lua/aniso/train/x.lua", "assert(core.sys.rename(own, file))", 1 },
  { "store/x.c", "    if (rename(from, to) != 0)", 1 },
  { "engine/data/x.c", '    FILE *f = fopen(path, "wb");', 1 },
  { "engine/data/x.c", "    int f = open(path, O_WRONLY | O_CREAT, 0666);", 2 },
  { "engine/data/x.c", "    int f = open(path, O_RDWR);", 1 },
  { "engine/data/x.c", "    int f = open(path, O_WRONLY);", 1 },
  { "engine/data/x.c", "    int f = open(path, O_CREAT);", 1 },
  { "engine/data/x.c", "    int f = mkstemp(path);", 1 },
  { "engine/data/x.c", "    freopen (path, mode, stdout);", 1 },
  { "engine/data/x.c", "    int f = creat(path, 0666);", 1 },
  { "engine/data/x.c", "    truncate(path, 0);", 1 },
  { "lua/aniso/train/x.lua", "os.remove(path)", 1 },
  { "lua/aniso/train/x.lua", "local path = os.tmpname()", 1 },
  { "lua/aniso/train/x.lua", "io.output(path)", 1 },
  { "lua/aniso/train/x.lua", "local file = io.tmpfile()", 1 },
  { "lua/aniso/train/x.lua", 'local file = io.open(path, "r")', 0 },
  { "engine/data/x.c", "    int f = open(path, O_RDONLY | O_CLOEXEC);", 0 },
  { "engine/data/x.c", " * rename(2) keeps it", 0 },
}
files.verdict("files are written by engine/io alone: planted writes are seen",
  files.missed(faults_of_line, planted))
files.finish()
