-- Permitted includes: a file may include headers of its own folder and of lower layers, not of a higher
-- layer or a sibling folder, and no circle of files includes one another. The rooms of engine/kernel/ are
-- layers too. Each system library has one entry. System calls that take a path, and the scratch memory,
-- have one entry as well.
local files = dofile "tests/lint/files.lua"

-- Lower number, lower layer. The five folders of layer 4 do not use one another, except
-- for the pairs in `siblings`, each with its reason.
local layer = {
  base = 0, kernel = 1, tensor = 2, grad = 3,
  model = 4, diffusion = 4, data = 4, io = 4, store = 4,
  bind = 5,
}

-- The rooms of kernel/: a room may use its own files and those of lower rooms. Headers that are the body of
-- several sources count too.
local room_layer = { common = 0, matmul = 1, attention = 2, conv = 2, norm = 2, pointwise = 2 }

local siblings = {
  ["store io"] = "the store hashes and writes JSON",
  ["data io"] = "a data set's cache is keyed by a hash and replaced atomically",
}

-- header → the files that may include it; a Lua pattern on the path.
local entries = {
  ["^lua%.h$"] = "^engine/bind/", ["^lauxlib%.h$"] = "^engine/bind/", ["^lualib%.h$"] = "^engine/bind/",
  ["^sqlite3%.h$"] = "^store/[%w_]+%.[ch]$",
  ["cblas%.h$"] = "^engine/kernel/matmul/gemm%.c$",
  ["stb_"] = "^engine/data/image%.c$",
  ["^histedit%.h$"] = "^engine/bind/editor%.c$",
  ["^csv%.h$"] = "^engine/data/",
  ["cJSON%.h$"] = "^engine/io/",
  ["^nettle/"] = "^engine/io/",
  ["^zlib%.h$"] = "^engine/io/unpack%.c$",
}

local used = {} -- exceptions and headers that some file uses

local function folder_of(path)
  return path:match "^engine/(%w+)/" or path:match "^(store)/"
end

local function room_faults(path, inner, place, report)
  local own, other = path:match "^engine/kernel/(%w+)/", inner:match "^kernel/(%w+)/"
  if not own or not other then return end
  if not room_layer[own] or not room_layer[other] then
    report(place .. "kernel/" .. (room_layer[own] and other or own) .. " is not a known room")
  elseif own ~= other and room_layer[other] >= room_layer[own] then
    report(place .. "kernel/" .. own .. " may not use kernel/" .. other)
  end
end

local function faults_of(path, lines, report)
  local own = folder_of(path)
  for number, line in ipairs(lines) do
    local place = path .. ":" .. number .. ": "
    local inner = line:match '^%s*#%s*include%s+"([^"]+)"'
    local outer = line:match "^%s*#%s*include%s+<([^>]+)>"
    local other = inner and inner:match "^(%w+)/"
    room_faults(path, inner or "", place, report)
    if inner and own and not layer[other] then report(place .. inner .. " is not named by its folder") end
    if own and other and other ~= own and layer[other] then
      if siblings[own .. " " .. other] then used[own .. " " .. other] = true end
      local allowed = layer[other] < layer[own] or siblings[own .. " " .. other]
      if not allowed then report(place .. own .. " may not use " .. other) end
    end
    for header, entry in pairs(entries) do
      local through = path:match(entry) or path == "engine/main.c" and header:match "^%^l"
        or path:match "^third_party/" or path:match "^tests/"
      if (outer or inner or ""):match(header) then used[header] = true end
      if (outer or inner or ""):match(header) and not through then
        report(place .. (outer or inner) .. " may only be included from its entry")
      end
    end
  end
end

local faults = {}
for _, path in ipairs(files.find "%.[ch]$") do
  faults_of(path, files.lines(path), function(text) faults[#faults + 1] = text end)
end
files.verdict("layers: who includes whom", faults)

-- An unused exception would hide a later fault.
local unused = {}
for name in pairs(siblings) do if not used[name] then unused[#unused + 1] = name end end
for header in pairs(entries) do if not used[header] then unused[#unused + 1] = header end end
files.verdict("layers: each exception is used", unused)

-- System calls that take a path: only engine/io may use them, since it has the rules for durability,
-- links, devices and temporary files. Its functions are in engine/io/{path,file,file_replace}.h.
local calls = {}
for name in ("open openat open64 fopen fopen64 freopen creat opendir scandir ftw nftw mkdir mkdirat mkdtemp "
  .. "mkstemp mkostemp mkfifo mkfifoat mknod mknodat rename renameat renameat2 unlink unlinkat rmdir stat "
  .. "lstat fstatat statx access faccessat realpath readlink readlinkat link linkat symlink symlinkat "
  .. "truncate chmod fchmodat chown lchown fchownat utimensat"):gmatch "%S+" do
  calls[#calls + 1] = "%f[%w_]" .. name .. "%("
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
    if line:match "an_scratch_%w+%s*%(" then
      report(path .. ":" .. number .. ": scratch is taken through kernel/common/carve.h")
    end
  end
end

-- Adds the names that `lines` typedef to `places`: name → list of places. The compiler detects two types of
-- one name only where one file includes both.
local function typedefs_of(path, lines, places)
  local text = table.concat(lines, "\n"):gsub("/%*.-%*/", function(c) return (c:gsub("[^\n]", "")) end)
  for at, body in text:gmatch "%f[%w_]()typedef%f[^%w_](.-;)" do
    if body:find("{", 1, true) then body = text:match("typedef[^{]*%b{}([^;]*;)", at) end
    local plain = body:gsub("__attribute__%s*%b()", ""):gsub("%b[]", "")
    local name = plain:match "%(%s*%*%s*([%w_]+)%s*%)" or plain:match "([%w_]+)%s*;"
    local _, line = text:sub(1, at):gsub("\n", "")
    if name then
      places[name] = places[name] or {}
      table.insert(places[name], path .. ":" .. line + 1)
    end
  end
end

local function doubles_of(places, report)
  for name, list in pairs(places) do
    if name:match "^an_" and #list > 1 then report(name .. ": " .. table.concat(list, ", ")) end
  end
end

local path_faults, scratch_faults, typedef_faults, typedefs = {}, {}, {}, {}
for _, path in ipairs(files.find "%.[ch]$") do
  if path:match "^engine/" or path:match "^store/" then
    local lines = files.lines(path)
    paths_of(path, lines, function(text) path_faults[#path_faults + 1] = text end)
    scratch_of(path, lines, function(text) scratch_faults[#scratch_faults + 1] = text end)
    typedefs_of(path, lines, typedefs)
  end
end
doubles_of(typedefs, function(text) typedef_faults[#typedef_faults + 1] = text end)
files.verdict("layers: only engine/io hands a path to the system", path_faults)
files.verdict("layers: scratch is taken through the carver", scratch_faults)
files.verdict("layers: no two types have one name", typedef_faults)

-- A header and the source of its name are one unit. Two units that include each other, directly or
-- through others, can only be read together. `includes`: unit → list of the units that it includes.
local function circles_of(includes)
  local found, finished = {}, {}
  local function visit(path, chain, place)
    if place[path] then
      found[#found + 1] = table.concat(chain, " → ", place[path]) .. " → " .. path
    elseif not finished[path] then
      chain[#chain + 1], place[path] = path, #chain + 1
      for _, inner in ipairs(includes[path] or {}) do visit(inner, chain, place) end
      chain[#chain], place[path], finished[path] = nil, nil, true
    end
  end
  local paths = {}
  for path in pairs(includes) do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do visit(path, {}, {}) end
  return found
end

local includes = {}
for _, path in ipairs(files.find "%.[ch]$") do
  local unit = path:match "^(engine/.*)%.[ch]$"
  local list = unit and (includes[unit] or {})
  for _, line in ipairs(unit and files.lines(path) or {}) do
    local inner = line:match '^%s*#%s*include%s+"([^"]+)%.h"'
    local is_own = inner and "engine/" .. inner == unit and path:match "%.c$"
    list[#list + 1] = not is_own and inner and "engine/" .. inner or nil
  end
  if unit then includes[unit] = list end
end
files.verdict("layers: no unit of engine/ includes itself", circles_of(includes))

-- The checks must detect violations.
local seen = circles_of { a = { "b" }, b = { "c", "d" }, c = { "b" }, d = {} }
files.verdict("layers: a circle of includes is detected",
  #seen == 1 and seen[1] == "b → c → b" and {} or { "saw " .. table.concat(seen, ", ") })

-- Reports of `check` for a file of this path and these lines.
local function reports(check, path, ...)
  local out = {}
  check(path, { ... }, function(text) out[#out + 1] = text end)
  return out
end

local function detects(name, expected, got)
  local text = table.concat(got, " | ")
  local is_seen = #got == 1 and text:find(expected, 1, true)
  files.verdict("layers: " .. name .. " is detected", is_seen and {} or { "saw '" .. text .. "'" })
end

detects("a higher layer", "kernel may not use tensor",
  reports(faults_of, "engine/kernel/norm/x.c", '#include "tensor/tensor.h"'))
detects("a sibling", "data may not use diffusion",
  reports(faults_of, "engine/data/x.c", '#include "diffusion/process.h"'))
detects("a header without its folder", "x.h is not named by its folder",
  reports(faults_of, "engine/data/x.c", '#include "x.h"'))
detects("a circle of rooms", "kernel/matmul may not use kernel/attention",
  reports(faults_of, "engine/kernel/matmul/x.c", '#include "kernel/attention/attention_body.h"'))
detects("a room of the same layer", "kernel/norm may not use kernel/conv",
  reports(faults_of, "engine/kernel/norm/x_body.h", '#include "kernel/conv/conv.h"'))
detects("an unknown room", "kernel/attic is not a known room",
  reports(faults_of, "engine/kernel/attic/x.c", '#include "kernel/common/cache.h"'))
for header in pairs(entries) do
  local name = header:gsub("%%", ""):gsub("[%^%$]", "")
  detects("a second includer of " .. name, "may only be included from its entry",
    reports(faults_of, "engine/model/x.c", "#include <" .. name .. ">"))
end
for _, call in ipairs { "open(x)", "openat(at, x)", "fopen(x, y)", "statx(at, x)" } do
  detects("the call " .. call, call:match "%w+" .. "() is engine/io's",
    reports(paths_of, "engine/data/x.c", "  return " .. call .. ";"))
end
detects("scratch without the carver", "through kernel/common/carve.h",
  reports(scratch_of, "engine/kernel/norm/x.c", "  float *x = an_scratch_take(8);"))

local planted, doubles = {}, {}
typedefs_of("engine/a.h", { "typedef enum { A,", "B } an_twice;", "typedef int (*an_once)(int x);" }, planted)
typedefs_of("engine/b.c", { "/* typedef int an_once; */ typedef struct { int an_once; } an_twice;" }, planted)
doubles_of(planted, function(text) doubles[#doubles + 1] = text end)
detects("two types of one name", "an_twice: engine/a.h:1, engine/b.c:1", doubles)
files.finish()
