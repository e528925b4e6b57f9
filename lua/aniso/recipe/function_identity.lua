-- Identifies a recipe's function across processes: the sha256 of its source text and of the values
-- that it captures (a constant above it in the recipe counts like its body). Its place in the file,
-- comments outside it, and the rest of the recipe do not count.
--   function_identity(f) → sha256, place "own_part.lua:12";  raises if f captures a value that has no text
local core = require "aniso.core"

local MOST = 4 << 20 -- bytes of a source, as for a recipe

local function read(path)
  return (core.sys.read(path, MOST))
end

-- Lines first … last of a text.
local function lines_of(text, first, last)
  local out, number = {}, 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    if number >= first and number <= last then out[#out + 1] = line end
  end
  return table.concat(out, "\n")
end

-- "(counts) … end" if a function that begins at `after` ends in the last line of `text`, else nil.
local function body(text, after)
  local rest = text:sub(after):gsub("^%s*[%w_.:]+", "") -- without its name
  for stop in rest:gmatch "%f[%w_]end%f[^%w_]()" do
    if load("return function" .. rest:sub(1, stop - 1)) then
      return not rest:find("\n", stop, true) and rest:sub(1, stop - 1) or nil
    end
  end
end

-- The function's own text in the lines that contain it. If several functions begin in the first line and end
-- in the last one, the whole lines.
local function own_text(lines)
  local found, first_line = {}, (lines:find("\n", 1, true) or #lines) + 1
  for from, after in lines:gmatch "()%f[%w_]function%f[^%w_]()" do
    if from >= first_line then break end
    found[#found + 1] = body(lines, after)
  end
  return #found == 1 and found[1] or lines
end

local function text_of(f, info)
  local path = info.source:match "^@(.*)"
  local text = path and read(path) or not path and info.source:sub(1, 1) ~= "=" and info.source
  return text and own_text(lines_of(text, info.linedefined, info.lastlinedefined))
    or string.dump(f, true) -- typed at a prompt: it has no file
end

local describe

-- "name=value" for everything that f captures, one per line.
local function captured(f, seen)
  local out = {}
  for i = 1, math.huge do
    local name, value = debug.getupvalue(f, i)
    if not name then break end
    if name ~= "_ENV" then out[#out + 1] = ("%s=%s"):format(name, describe(value, name, seen)) end
  end
  return table.concat(out, "\n")
end

-- Lua's own libraries and the program's modules are identified by name, not by content; a user's module is
-- a table like any other.
local LIBRARIES = { "_G", "string", "table", "math", "utf8", "os", "io", "coroutine", "debug", "package" }

local function module_name(value)
  for _, name in ipairs(LIBRARIES) do
    if rawequal(package.loaded[name], value) then return name end
  end
  for name, module in pairs(package.loaded) do
    if rawequal(module, value) and name:match "^aniso%f[.%z]" then return name end
  end
end

-- The first field of a table, by name, whose value is `value`.
local function field_of(module, value)
  local found
  for key, one in pairs(type(module) == "table" and module or {}) do
    if rawequal(one, value) and type(key) == "string" and (not found or key < found) then found = key end
  end
  return found
end

local function sorted_names(map)
  local names = {}
  for name in pairs(map) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- "math.sqrt" if one of the libraries, tables of functions by name, contains the function; else nil.
local function library_name(value, names, libraries, prefix)
  for _, name in ipairs(names) do
    local field = field_of(libraries[name], value)
    if field then return ("function %s%s.%s"):format(prefix, name, field) end
  end
end

-- A function of Lua's libraries or of the engine is identified by its name.
local function named_function(value)
  return library_name(value, LIBRARIES, package.loaded, "")
    or library_name(value, sorted_names(core), core, "core.")
end

-- So is a C function of a loaded module.
local function c_function(value, name)
  local found = library_name(value, sorted_names(package.loaded), package.loaded, "")
  if found then return found end
  error(("it captures %s, a C function that no library has under a name: call it by its library's name")
    :format(name), 0)
end

local function describe_table(value, name, seen)
  local module = module_name(value)
  if module then return "module " .. module end
  local keys = {}
  for key in next, value do
    if type(key) == "table" or type(key) == "function" then
      error(("it captures %s, a table with a key that is a %s: use names or numbers")
        :format(name, type(key)), 0)
    end
    keys[#keys + 1] = { text = describe(key, name, seen), key = key }
  end
  table.sort(keys, function(a, b) return a.text < b.text end)
  for i, one in ipairs(keys) do
    keys[i] = one.text .. "=" .. describe(rawget(value, one.key), name, seen)
  end
  local meta = debug.getmetatable(value)
  return "{" .. table.concat(keys, ",") .. "}" .. (meta and " with " .. describe(meta, name, seen) or "")
end

-- The program's own functions are identified by file and name: their text may change with the version.
local function program_function(value, info)
  local file = info.source:match "(aniso/[%w_/]+)%.lua$"
  local module = file and file:gsub("/init$", ""):gsub("/", ".")
  if not module or package.loaded[module] == nil then return nil end
  return ("function of %s %s"):format(module, field_of(package.loaded[module], value) or info.linedefined)
end

local function describe_function(value, name, seen)
  local info = debug.getinfo(value, "S")
  local named = named_function(value)
  if named then return named end
  if info.what == "C" then return c_function(value, name) end
  return program_function(value, info) or text_of(value, info) .. "\n" .. captured(value, seen)
end

-- A captured value as text. `seen` numbers tables and functions: a repeated one becomes its number, which
-- also ends cycles.
function describe(value, name, seen)
  local kind = type(value)
  if math.type(value) == "integer" then return tostring(value) end
  if kind == "number" then return ("%a"):format(value) end
  if kind == "string" then return ("%q"):format(value) end
  if kind == "boolean" or kind == "nil" then return tostring(value) end
  if kind == "userdata" or kind == "thread" then
    error(("it captures %s, a %s: make it inside the function, or pass numbers"):format(name, kind), 0)
  end
  if seen[value] then return "above " .. seen[value] end
  seen.count = seen.count + 1
  seen[value] = seen.count
  if kind == "table" then return describe_table(value, name, seen) end
  return describe_function(value, name, seen)
end

return function(f)
  local info = debug.getinfo(f, "S")
  local place = ("%s:%d"):format(info.short_src, info.linedefined)
  if info.what == "C" then error("it is a function of the program itself: wrap it in function … end", 0) end
  local ok, values = pcall(captured, f, { [f] = 0, count = 0 })
  if not ok then error(("%s: %s"):format(place, values), 0) end
  return core.sha256.text(text_of(f, info) .. "\n" .. values), place
end
