-- Which functions of the engine the Lua tests call. bound.record() observes every function of
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

-- function → the function that records a call and calls it; the same for each of its names, so that comparing
-- two names gives what it gives without a record. Without debug information: the engine's errors do not
-- name its line.
local function recorders()
  local make = load(string.dump(load [[
    local record, f = ...
    return function(...)
      record[f] = true
      return f(...)
    end]], true))
  return setmetatable({}, { __index = function(self, f)
    local recorder = make(reached, f)
    rawset(self, f, recorder)
    return recorder
  end })
end

-- Must be called before any other module of aniso is loaded, since modules keep references to functions.
function bound.record()
  bound.all = function_names()
  local recorder_of = recorders()
  local function replace(functions)
    for name, f in pairs(functions) do
      if bound.all[f] then functions[name] = recorder_of[f] end
    end
  end
  for _, meta in pairs(classes()) do
    replace(meta.methods)
    replace(meta)
  end
  for _, functions in pairs(core) do replace(functions) end
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
