-- Permitted includes: a file may include headers of its own folder and of lower layers, not of a higher
-- layer or a sibling folder, and no circle of files includes one another. Each system library has one
-- entry.
local files = dofile "tests/lint/files.lua"

-- Lower number, lower layer. The five folders of layer 4 do not use one another, except
-- for the pairs in `siblings`, each with its reason.
local layer = {
  base = 0, kernel = 1, tensor = 2, grad = 3,
  model = 4, diffusion = 4, data = 4, io = 4, store = 4,
  bind = 5,
}

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

local function faults_of(path, report)
  local own = folder_of(path)
  for number, line in ipairs(files.lines(path)) do
    local place = path .. ":" .. number .. ": "
    local inner = line:match '^%s*#%s*include%s+"([^"]+)"'
    local outer = line:match "^%s*#%s*include%s+<([^>]+)>"
    local other = inner and inner:match "^(%w+)/"
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
  faults_of(path, function(text) faults[#faults + 1] = text end)
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
for name in ("open fopen creat opendir scandir mkdir mkdtemp mkstemp rename unlink rmdir stat lstat access "
  .. "realpath link symlink truncate chmod"):gmatch "%S+" do
  calls[#calls + 1] = "%f[%w_]" .. name .. "%("
end

local function paths_of(path, report)
  if path:match "^engine/io/path%.c$" or path:match "^engine/io/file" then return end
  for number, line in ipairs(files.lines(path)) do
    for _, call in ipairs(line:match "^%s*/?%*" and {} or calls) do
      local at = line:find(call)
      if at then report(path .. ":" .. number .. ": " .. line:match("[%w_]+", at) .. "() is engine/io's") end
    end
  end
end

faults = {}
for _, path in ipairs(files.find "%.c$") do
  if path:match "^engine/" or path:match "^store/" then
    paths_of(path, function(text) faults[#faults + 1] = text end)
  end
end
files.verdict("layers: only engine/io hands a path to the system", faults)

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
seen = {}
local temporary = assert(require("aniso.core").sys.mkdtemp())
local wrong = temporary .. "/wrong.c"
assert(require("aniso.core").sys.write_atomic(wrong, '#include <sqlite3.h>\n#include <lua.h>\nopen(x);\n'))
faults_of(wrong, function(text) seen[#seen + 1] = text end)
paths_of(wrong, function(text) seen[#seen + 1] = text end)
files.verdict("layers: a wrong include and a wrong call are seen",
  #seen == 3 and {} or { "saw " .. #seen .. " of 3" })
os.remove(wrong)
os.remove(temporary)
files.finish()
