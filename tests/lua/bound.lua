-- Which functions of the engine the Lua tests reach. bound.record() observes every function of
-- aniso.core and every method of its classes; bound.names() lists them, "ops.relu" or
-- "Tensor:close". A function with two names counts once, under its name in aniso.core.
-- tests/lua/run.lua appends what a suite reached to the file that ANISO_BOUND names, and
-- tests/lint/bound.lua compares that file with the list.
local core = require "aniso.core"

local bound = {}
local reached = {} -- function → true

-- A table: class name without the prefix → its metatable.
local function classes()
  local found = {}
  for name, meta in pairs(debug.getregistry()) do
    local class = type(name) == "string" and name:match "^aniso%.(%w+)$"
    if class and type(meta) == "table" and meta.methods then found[class] = meta end
  end
  return found
end

-- A table: function → its name.
local function function_names()
  local names = {}
  for class, meta in pairs(classes()) do
    for name, method in pairs(meta.methods) do names[method] = class .. ":" .. name end
  end
  for part, functions in pairs(core) do
    for name, value in pairs(functions) do
      if type(value) == "function" then names[value] = part .. "." .. name end
    end
  end
  return names
end

local function sorted(names)
  table.sort(names)
  return names
end

function bound.names()
  local names = {}
  for _, name in pairs(function_names()) do names[#names + 1] = name end
  return sorted(names)
end

-- A proxy of `functions` that records which of them are read.
local function recording_proxy(functions)
  return setmetatable({}, {
    __index = function(_, name)
      local value = functions[name]
      if type(value) == "function" then reached[value] = true end
      return value
    end,
    __newindex = functions,
    __pairs = function() return next, functions end,
  })
end

-- A class without fields has its table of methods as __index, and keeps a table.
local function record_class(meta)
  local index, methods = meta.__index, meta.methods
  if type(index) == "table" then
    meta.__index = recording_proxy(index)
    return
  end
  meta.__index = function(self, name)
    local method = methods[name]
    if method then reached[method] = true end
    return index(self, name)
  end
end

-- Must be called before any other module of aniso is loaded, since modules keep references to the tables.
function bound.record()
  bound.all = function_names()
  for _, meta in pairs(classes()) do record_class(meta) end
  for part, functions in pairs(core) do core[part] = recording_proxy(functions) end
end

-- Appends the names of the functions reached so far.
function bound.append(path)
  local file = assert(io.open(path, "a"))
  for method in pairs(reached) do
    if bound.all[method] then file:write(bound.all[method], "\n") end
  end
  file:close()
end

return bound
