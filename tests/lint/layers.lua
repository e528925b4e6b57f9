-- Permitted includes: a file may include headers of its own folder and of lower layers, not of a higher
-- layer or a sibling folder, and no circle of files includes one another. The rooms of engine/kernel/ are
-- layers too. Each system library has one entry.
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
  ["^jpeglib%.h$"] = "^engine/data/decode_jpeg%.c$", ["^jerror%.h$"] = "^engine/data/decode_jpeg%.c$",
  ["^png%.h$"] = "^engine/data/%l+code_png%.c$",
  ["^histedit%.h$"] = "^engine/bind/editor%.c$",
  ["^csv%.h$"] = "^engine/data/",
  ["cJSON%.h$"] = "^engine/io/",
  ["^nettle/"] = "^engine/io/",
  ["^zlib%.h$"] = "^engine/io/unpack%.c$",
  ["^mpi%.h$"] = "^engine/base/ranks/ranks%.c$",
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
  if path:match "^engine/kernel/[^/]+$" then report(path .. " is in no room of engine/kernel/") end
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
      local runs_lua = path == "engine/main.c" or path == "lua/embed.c"
      local through = path:match(entry) or runs_lua and header:match "^%^l"
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

-- An unused exception would hide a later fault. Returns the exceptions that are not in `seen`.
local function unused(seen)
  local out = {}
  for _, list in ipairs { siblings, entries } do
    for name in pairs(list) do if not seen[name] then out[#out + 1] = name end end
  end
  return out
end
files.verdict("layers: each exception is used", unused(used))

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

local typedef_faults, typedefs = {}, {}
for _, path in ipairs(files.find "%.[ch]$") do
  if path:match "^engine/" or path:match "^store/" then
    typedefs_of(path, files.lines(path), typedefs)
  end
end
doubles_of(typedefs, function(text) typedef_faults[#typedef_faults + 1] = text end)
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

for _, exception in ipairs { "store io", "^zlib%.h$" } do
  local seen_but_one = setmetatable({ [exception] = false }, { __index = function() return true end })
  detects("an unused exception, " .. exception .. ",", exception, unused(seen_but_one))
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
detects("a file in no room", "is in no room of engine/kernel/",
  reports(faults_of, "engine/kernel/x.c", "int a;"))

local planted, doubles = {}, {}
typedefs_of("engine/a.h", { "typedef enum { A,", "B } an_twice;", "typedef int (*an_once)(int x);" }, planted)
typedefs_of("engine/b.c", { "/* typedef int an_once; */ typedef struct { int an_once; } an_twice;" }, planted)
doubles_of(planted, function(text) doubles[#doubles + 1] = text end)
detects("two types of one name", "an_twice: engine/a.h:1, engine/b.c:1", doubles)
files.finish()
