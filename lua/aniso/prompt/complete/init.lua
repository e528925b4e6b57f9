-- Completion at the prompt: complete(before, env) completes the name that ends at the cursor,
-- aniso.sch, s:sig or runs.x[1].la, and returns the text to insert (the longest common
-- continuation), or nil and a text that shows the candidates. In a function's table argument, option names
-- and values are also completed (complete/options.lua). Calls no functions; a metatable's __dir may list the
-- fields of a value that loads them lazily.
local sys = require("aniso.core").sys
local options = require "aniso.prompt.complete.options"
local scan = require "aniso.prompt.complete.scan"

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]):gmatch "%a+" do keywords[#keywords + 1] = word end

-- Adds the documented fields of a userdata's class, whose C code finds them by name.
local function add_documented(class, add)
  local annotations = require "aniso.prompt.help.annotations"
  for _, member in ipairs(annotations.list(annotations.load(), class)) do
    if member.kind == "field" then add(member.name) end
  end
end

-- The names of a value's fields and methods; methods: only those to be called with a colon.
local function names_of(value, methods)
  local names, seen, meta = {}, {}, getmetatable(value)
  local function add(name, is)
    local fits = type(name) == "string" and name:match "^[%a][%w_]*$" and not seen[name]
    if fits and (not methods or type(is) == "function") then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  if type(value) == "table" then
    for name, is in next, value do add(name, is) end
  end
  if type(meta) == "table" then
    local dir = rawget(meta, "__dir")
    for _, name in ipairs(dir and dir(value) or {}) do add(name) end
    for _, field in ipairs { "__index", "methods" } do
      if type(rawget(meta, field)) == "table" then
        for name, is in next, rawget(meta, field) do add(name, is) end
      end
    end
    if type(value) == "userdata" and rawget(meta, "__name") then
      add_documented(rawget(meta, "__name"), add)
    end
  elseif type(value) == "string" then
    for name, is in next, string do add(name, is) end
  end
  return names
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

-- Names in columns, as a shell shows them.
local function in_columns(names)
  local widest = 0
  for _, name in ipairs(names) do widest = math.max(widest, #name + 2) end
  local across = math.max(1, ((sys.width() or 80) - 1) // widest)
  local down, lines = -(-#names // across), {}
  for row = 1, down do
    local line = {}
    for i = row, #names, down do line[#line + 1] = names[i] .. (" "):rep(widest - #names[i]) end
    lines[row] = table.concat(line):gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

-- The candidates for the name that starts after `rest`, and what follows the name if there is only one.
local function candidates(rest, env)
  if rest:find "[.:]$" and not rest:find "%.%.$" then
    local keys = scan.chain(rest:sub(1, -2))
    local holder = keys and scan.walk(env, keys)
    return holder ~= nil and names_of(holder, rest:sub(-1) == ":") or {}, ""
  end
  local names = options.names(rest, env)
  if names then return names, " = " end
  names = names_of(env)
  for _, list in ipairs { names_of(_G), keywords } do table.move(list, 1, #list, #names + 1, names) end
  return names, ""
end

return function(before, env)
  local rest, quote, start = before:match "^(.-)([\"'])([%w_@ .-]*)$"
  local names, ending
  if rest and not scan.in_text(rest) and scan.in_text(before) then
    names, ending = options.values(rest, env) or {}, quote
  elseif scan.in_text(before) then
    return nil
  else
    rest, start = before:match "^(.-)([%w_]*)$"
    names, ending = candidates(rest, env)
  end
  local fitting, seen = {}, {}
  for _, name in ipairs(names) do
    if name:sub(1, #start) == start and not seen[name] then
      seen[name] = true
      fitting[#fitting + 1] = name
    end
  end
  if #fitting == 0 then return nil end
  if #fitting == 1 then return fitting[1]:sub(#start + 1) .. ending end
  table.sort(fitting)
  local insert = common_start(fitting):sub(#start + 1)
  return insert ~= "" and insert or nil, in_columns(fitting)
end
