-- Dotted names into nested tables: "schedule.lambda", "prior.crops", "data.1" (the first
-- element). Used by option checks, --set, studies, and the listing of a configuration.
local paths = {}

function paths.join(where, key)
  if where == nil or where == "" then return tostring(key) end
  return where .. "." .. tostring(key)
end

-- Marks `value` as a table that contains the one read next; raises if it is already marked.
function paths.enter(value, where, above)
  if above[value] then error(("option %s: the table contains itself"):format(where or "?"), 0) end
  above[value] = true
end

-- A value; raises for a text that a stored configuration, being JSON, cannot hold.
function paths.storable(value, where)
  if type(value) == "string" and value:find("\0", 1, true) then
    error(("option %s is a text with a zero byte"):format(where or "?"), 0)
  end
  return value
end

local function copy(value, where, above)
  if type(value) ~= "table" or getmetatable(value) then return paths.storable(value, where) end
  paths.enter(value, where, above)
  local out = {}
  for k, v in pairs(value) do
    out[paths.storable(k, where)] = copy(v, paths.join(where, k), above)
  end
  above[value] = nil
  return out
end

-- A copy of a value and the tables in it; tables with a metatable are shared. where [opt]: the option's name,
-- for the error if a table contains itself.
function paths.copy(value, where)
  return copy(value, where, {})
end

local function parts(path)
  local list = {}
  for part in path:gmatch "[^.]+" do list[#list + 1] = math.tointeger(tonumber(part)) or part end
  if #list == 0 or path:match "^%." or path:match "%.$" or path:match "%.%." then
    error(("%q is not an option name (train.epochs is one)"):format(path), 0)
  end
  return list
end

function paths.get(config, path)
  for _, part in ipairs(parts(path)) do
    if type(config) ~= "table" then return nil end
    config = config[part]
  end
  return config
end

-- Creates the tables on the path; a string on the path, "power", becomes {"power"}, and a function f {f}.
function paths.set(config, path, value)
  local list = parts(path)
  for i = 1, #list - 1 do
    local inner = config[list[i]]
    if type(inner) == "string" or type(inner) == "function" then inner = { inner } end
    if type(inner) ~= "table" then inner = {} end
    config[list[i]] = inner
    config = inner
  end
  config[list[#list]] = value
end

local function before(a, b)
  if type(a) == type(b) then return a < b end
  return type(a) == "number"
end

-- The leaves as a sorted list of {key =, value =}; an empty table is a leaf.
function paths.flatten(config, where, out)
  out = out or {}
  local keys = {}
  for key in pairs(config) do keys[#keys + 1] = key end
  table.sort(keys, before)
  for _, key in ipairs(keys) do
    local value, here = config[key], paths.join(where, key)
    if type(value) == "table" and next(value) ~= nil then
      paths.flatten(value, here, out)
    else
      out[#out + 1] = { key = here, value = value }
    end
  end
  return out
end

return paths
