-- Reads the annotations in lua/aniso/types, which editors read too:
--   annotations.load() → { classes = {name = class}, aliases = {name = {type, …}}, order = {class, …} }
-- class = {name, text, parents, members (a list, and by name), operators, overloads}; member =
-- {name, kind = "field", type, optional, text} or {name, kind = "function" or "method", arguments,
-- params, returns, text}.
local core = require "aniso.core"

local annotations = { START = "---@meta" } -- the beginning of every file

local FOLDER = "lua/aniso/types/"
local MOST = 1 << 20 -- bytes of a file

-- name → text of each file: those of ANISO_LUA if it has the folder, otherwise the program's, and the one
-- generated from the registries.
function annotations.sources()
  local out, folder = {}, core.sys.variable "ANISO_LUA"
  local own = folder and core.sys.list(folder .. "/aniso/types")
  for _, name in ipairs(own or {}) do
    if name:match "%.lua$" then out[name] = core.sys.read(folder .. "/aniso/types/" .. name, MOST) end
  end
  for _, name in ipairs(own and {} or core.embedded.names(FOLDER)) do
    out[name:sub(#FOLDER + 1)] = core.embedded.text(name)
  end
  out["options_registries.lua"] = require "aniso.prompt.help.registry_types"()
  return out
end

-- "fun(a: b): c  text" → "fun(a: b): c", "text": a type ends at a space outside brackets, unless the
-- character before or after it continues the type.
function annotations.split_type(text)
  local depth, quoted = 0, false
  for at = 1, #text do
    local c = text:sub(at, at)
    if c == '"' then quoted = not quoted end
    if not quoted and c:find "[({%[<]" then depth = depth + 1 end
    if not quoted and c:find "[)}%]>]" then depth = depth - 1 end
    if c:find "%s" and depth == 0 and not quoted and not text:sub(1, at):find "[|:,]%s+$"
      and not text:sub(at):find "^%s+|" then
      return text:sub(1, at - 1), text:match("^%s*(.-)%s*$", at)
    end
  end
  return text, ""
end

-- Raises an error that the current line does not have the expected form.
local function refuse(state, expected)
  error(("%s line %d: expected %s"):format(state.file, state.number, expected), 0)
end

local function current_class(state)
  return state.class or refuse(state, "---@class before it")
end

local function joined(lines, more)
  local out = { table.unpack(lines) }
  if more and more ~= "" then out[#out + 1] = more end
  return table.concat(out, " ")
end

local function add_member(class, member)
  class.members[#class.members + 1] = member
  if type(member.name) == "string" then class.members[member.name] = member end
end

local function fresh(state)
  state.text, state.params, state.returns, state.type = {}, {}, {}, nil
end

local function class_of(state, name)
  local all = state.all
  if not all.classes[name] then
    local class = { name = name, text = "", parents = {}, members = {}, operators = {}, overloads = {} }
    all.classes[name], all.order[#all.order + 1] = class, class
  end
  return all.classes[name]
end

-- How each ---@tag reads the rest of its line.
local tags = {}

function tags.class(state, rest)
  local name, parents = rest:match "^([%w_.]+)%s*:?%s*(.*)$"
  if not name then refuse(state, "---@class NAME") end
  state.class = class_of(state, name)
  state.class.text = joined(state.text)
  for parent in parents:gmatch "[%w_.]+" do table.insert(state.class.parents, parent) end
  fresh(state)
end

function tags.field(state, rest)
  local key, optional, more = rest:match "^(%S-)(%??)%s+(.*)$"
  if not key then refuse(state, "---@field NAME TYPE") end
  local name = key:match '^%["(.*)"%]$' or math.tointeger(tonumber(key:match "^%[(.*)%]$")) or key
  local type, text = annotations.split_type(more)
  add_member(current_class(state), { name = name, kind = "field", type = type,
    text = joined(state.text, text), optional = optional == "?" })
  fresh(state)
end

function tags.operator(state, rest)
  local name = rest:match "^%a+" or refuse(state, "---@operator NAME")
  current_class(state).operators[name] = rest
end

function tags.overload(state, rest)
  table.insert(current_class(state).overloads, rest)
end

function tags.param(state, rest)
  local name, optional, more = rest:match "^(%S-)(%??)%s+(.*)$"
  if not name then refuse(state, "---@param NAME TYPE") end
  local type, text = annotations.split_type(more)
  table.insert(state.params, { name = name, type = type, text = text, optional = optional == "?" })
end

tags["return"] = function(state, rest)
  local type, text = annotations.split_type(rest)
  table.insert(state.returns, { type = type, text = text })
end

function tags.type(state, rest)
  state.type = annotations.split_type(rest)
end

function tags.alias(state, rest)
  local name, more = rest:match "^([%w_.]+)%s*(.*)$"
  if not name then refuse(state, "---@alias NAME") end
  state.alias = {}
  state.all.aliases[name] = state.alias
  if more ~= "" then state.alias[1] = (annotations.split_type(more)) end
  fresh(state)
end

local function read_function(state, line)
  local holder, mark, name, arguments = line:match "^function ([%w_]-)([.:]?)([%w_]+)%((.-)%)"
  if not name then return end
  local class = holder == "" and class_of(state, "global") or state.locals[holder]
    or refuse(state, ("local %s = {} after a ---@class before it"):format(holder))
  add_member(class, { name = name, kind = mark == ":" and "method" or "function",
    text = joined(state.text), arguments = arguments, params = state.params, returns = state.returns })
end

-- "name = …" under a ---@type is a global.
local function read_global(state, line)
  local name = state.type and line:match "^([%a_][%w_]*) = "
  if not name then return end
  add_member(class_of(state, "global"), { name = name, kind = "field", type = state.type,
    text = joined(state.text) })
end

local function read_line(state, line)
  local tag, rest = line:match "^%-%-%-@(%a+)%s*(.*)$"
  local more = line:match "^%-%-%-|%s*(.*)$"
  local text = line:match "^%-%-%-(.*)$"
  if tag then
    if tags[tag] then tags[tag](state, rest) end
  elseif more then
    table.insert(state.alias or refuse(state, "---@alias before it"), (annotations.split_type(more)))
  elseif text then
    table.insert(state.text, text)
  else
    local variable = line:match "^local ([%w_]+) = {}"
    if variable then state.locals[variable] = state.class end
    read_function(state, line)
    read_global(state, line)
    fresh(state)
  end
end

-- The classes and aliases of files given as name → text. An error names the file and the line.
function annotations.parse(sources)
  local all, names = { classes = {}, aliases = {}, order = {} }, {}
  for name in pairs(sources) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local state = { all = all, locals = {}, file = name, number = 0 }
    fresh(state)
    for line in sources[name]:gmatch "([^\n]*)\n" do
      state.number = state.number + 1
      read_line(state, line)
    end
  end
  return all
end

local loaded
function annotations.load()
  loaded = loaded or annotations.parse(annotations.sources())
  return loaded
end

-- All members of a class in order, its own before those of its parents.
function annotations.list(all, name)
  local out, listed, seen = {}, {}, {}
  local function add(class_name)
    local class = not seen[class_name] and all.classes[class_name]
    seen[class_name] = true -- a class may be named among its own ancestors
    if not class then return end
    for _, member in ipairs(class.members) do
      if not listed[member.name] then
        listed[member.name] = true
        out[#out + 1] = member
      end
    end
    for _, parent in ipairs(class.parents) do add(parent) end
  end
  add(name)
  return out
end

-- The same by name.
function annotations.members(all, name)
  local out = {}
  for _, member in ipairs(annotations.list(all, name)) do out[member.name] = member end
  return out
end

-- The parts of a type, aliases resolved: 'aniso.option.data|"x"' → {"aniso.option.data.csv", …, '"x"'}.
function annotations.parts(all, type)
  local out, resolved = {}, {}
  local function add(text)
    for part in text:gsub("%?$", ""):gmatch "[^|%s]+" do
      local alias = all.aliases[part]
      if alias and not resolved[part] then
        resolved[part] = true -- an alias may lead to itself
        for _, inner in ipairs(alias) do add(inner) end
      elseif not alias then
        out[#out + 1] = part
      end
    end
  end
  add(type)
  return out
end

return annotations
