-- Completion at the prompt: complete(before, env) looks at the name that ends at the cursor,
-- aniso.sch or s:sig, and returns the text to insert (the longest common continuation), or
-- nil and a text that shows the candidates. Calls nothing; a metatable's __dir may list
-- the fields of a value that loads them late.
local function names_of(value)
  local names, seen, meta = {}, {}, getmetatable(value)
  local function add(name)
    if type(name) == "string" and name:match "^[%a][%w_]*$" and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  if type(value) == "table" then
    for name in next, value do add(name) end
  end
  if type(meta) == "table" then
    local dir = rawget(meta, "__dir")
    for _, name in ipairs(dir and dir(value) or {}) do add(name) end
    for _, field in ipairs { "__index", "methods" } do
      if type(rawget(meta, field)) == "table" then
        for name in next, rawget(meta, field) do add(name) end
      end
    end
  end
  return names
end

-- Follows a.b.c without raising; nil when the way ends.
local function walk(env, path)
  local value = env
  for name in path:gmatch "[%w_]+" do
    local found, inner = pcall(function() return value[name] end)
    if not found then return nil end
    value = inner
  end
  return value
end

local function common_start(list)
  local first = list[1]
  for length = #first, 1, -1 do
    local start, all = first:sub(1, length), true
    for _, name in ipairs(list) do all = all and name:sub(1, length) == start end
    if all then return start end
  end
  return ""
end

return function(before, env)
  local path, start = before:match "([%w_%.:]-)([%w_]*)$"
  local holder = path == "" and env or walk(env, path)
  if holder == nil then return nil end
  local names = names_of(holder)
  if path == "" then
    for _, name in ipairs(names_of(_G)) do names[#names + 1] = name end
  end
  local fitting, seen = {}, {}
  for _, name in ipairs(names) do
    if name:sub(1, #start) == start and not seen[name] then
      seen[name] = true
      fitting[#fitting + 1] = name
    end
  end
  if #fitting == 0 then return nil end
  table.sort(fitting)
  local insert = common_start(fitting):sub(#start + 1)
  return insert ~= "" and insert or nil, #fitting > 1 and table.concat(fitting, "  ") or nil
end
