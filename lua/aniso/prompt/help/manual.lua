-- The documentation of a name or a value, for help(x) at the prompt and `aniso help lua NAME`:
--   manual.find "schedule.lambda"    manual.find(s.noised)    → list of texts, empty if there is none
-- The texts are the annotations of lua/aniso/types. A name is a class (Schedule), a path from `aniso`
-- (schedule.new, core.step.adamw), a member (Schedule:noised), or an option (train.lr).
local annotations = require "aniso.prompt.help.annotations"
local nearest = require "aniso.recipe.nearest"
local text = require "aniso.prompt.help.manual_text"

local manual = {}

local function entry(class, member, path)
  return { class = class, member = member, path = path }
end

-- The parts of a type that are documented classes.
function manual.classes_of(all, type)
  local out = {}
  for _, part in ipairs(annotations.parts(all, type)) do out[#out + 1] = all.classes[part] end
  return out
end

-- Calls visit(class, member, value or nil, path) for everything reachable from `aniso`, and for the
-- methods of the userdata. Loads the whole library.
function manual.walk(visit)
  local all, seen = annotations.load(), {}
  local function inside(class, value, path)
    if seen[class] then return end
    seen[class] = true
    visit(class, nil, value, path)
    for _, member in ipairs(annotations.list(all, class.name)) do
      local found, inner = pcall(function() return value[member.name] end)
      inner = found and inner or nil
      local here = path .. "." .. member.name
      local inner_class = member.kind == "field" and manual.classes_of(all, member.type)[1]
      if inner_class and type(inner) == "table" then
        inside(inner_class, inner, here)
      else
        visit(class, member, inner, here)
      end
    end
  end
  for name, methods in pairs(manual.methods()) do
    if all.classes[name] then inside(all.classes[name], methods, name) end
  end
  inside(all.classes.aniso, require "aniso", "aniso")
end

-- Class name → table of its methods, as registered.
function manual.methods()
  local out = { ["aniso.RunDatabase"] = require("aniso.store").methods,
    ["aniso.Recorder"] = require("aniso.store.recorder").methods }
  for name, meta in pairs(debug.getregistry()) do
    local own = type(name) == "string" and name:match "^aniso%." and type(meta) == "table"
    local methods = own and rawget(meta, "methods")
    if type(methods) == "table" and next(methods) then out[name] = methods end
  end
  return out
end

local by_value
local function index()
  if by_value then return by_value end
  by_value = {}
  manual.walk(function(class, member, value, path)
    if type(value) == "function" or type(value) == "table" then
      by_value[value] = by_value[value] or entry(class, member, path)
    end
  end)
  return by_value
end

local function of_value(all, value)
  local meta = getmetatable(value)
  local class = type(meta) == "table" and all.classes[rawget(meta, "__name")]
  if class then return { entry(class, nil, class.name) } end
  return { index()[value] }
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
-- The classes of the first argument of a call, not counting a method's object.
function manual.first_argument(all, called)
  local found = index()[called]
  if not found then return {} end
  local member, types = found.member, {}
  if member and member.params[1] then types[1] = member.params[1].type end
  for _, overload in ipairs(not member and found.class.overloads or {}) do
    types[#types + 1] = overload:match "^fun%([%w_]+%??: *([^,)]+)"
  end
  local out = {}
  for _, type in ipairs(types) do
    for _, class in ipairs(manual.classes_of(all, type)) do out[#out + 1] = class end
  end
  return out
end

-- ── names ───────────────────────────────────────────────────────────────────────────────
-- Follows a.b.c through the types of documented members; every class of a union is followed.
local function follow(all, classes, path, name)
  local first, rest = name:match "^([^.]+)%.?(.*)$"
  local out = {}
  for _, class in ipairs(classes) do
    local member = annotations.members(all, class.name)[first]
    if member and rest == "" then
      out[#out + 1] = entry(class, member, path .. first)
    elseif member and member.kind == "field" then
      for _, found in ipairs(follow(all, manual.classes_of(all, member.type), path .. first .. ".", rest)) do
        out[#out + 1] = found
      end
    end
  end
  return out
end

-- The types that help prints: option.sampler and its kinds, option.sampler.ddim or sampler.ddim.
local function types_of_option(all, name)
  local out = {}
  for _, full in ipairs { "aniso." .. name, "aniso.option." .. name } do
    if all.aliases[full] or all.classes[full] then
      for i, class in ipairs(manual.classes_of(all, full)) do out[i] = entry(class, nil, class.name) end
    end
  end
  return out
end

-- An exact name, in every way to read it that matches.
local function of_name(all, name)
  name = name:gsub(":", "."):gsub("^aniso%.", "")
  local out, seen = {}, {}
  local function add(list)
    for _, found in ipairs(list) do
      local key = found.member or found.class
      if not seen[key] then
        seen[key] = true
        out[#out + 1] = found
      end
    end
  end
  if name == "aniso" then add { entry(all.classes.aniso, nil, "aniso") } end
  add(follow(all, { all.classes["aniso.Config"], all.classes["aniso.StudyOptions"] }, "", name))
  local class = all.classes["aniso." .. name]
  if class then add { entry(class, nil, class.name) } end
  for _, found in ipairs(follow(all, { all.classes.aniso, all.classes.global }, "", name)) do
    local module = found.member.kind == "field" and all.classes[found.member.type]
    if found.class == all.classes.global and name ~= "aniso" then add { found } end
    add { module and entry(module, nil, module.name) or found }
  end
  local holder, last = name:match "^(.*)%.([^.]+)$"
  class = holder and all.classes["aniso." .. holder]
  if class then add(follow(all, { class }, holder .. ".", last)) end
  if #out == 0 then add(types_of_option(all, name)) end
  return out
end

-- A member's bare name, in any class.
local function of_member(all, name)
  local out = {}
  for _, class in ipairs(all.order) do
    local member = class.members[name]
    if member then out[#out + 1] = entry(class, member, class.name:gsub("^aniso%.", "") .. "." .. name) end
  end
  return out
end

-- Every name that of_name() finds.
local function names(all)
  local out = {}
  for _, class in ipairs(all.order) do
    local short = class.name:gsub("^aniso%.", ""):gsub("^option%.", "")
    out[#out + 1] = short
    for _, member in ipairs(annotations.list(all, class.name)) do
      out[#out + 1] = short .. "." .. tostring(member.name)
      out[#out + 1] = tostring(member.name)
    end
  end
  return out
end

-- → list of texts
function manual.find(what)
  local all = annotations.load()
  local found = type(what) == "string" and of_name(all, what) or of_value(all, what)
  if #found == 0 and type(what) == "string" and not what:find "[.:]" then found = of_member(all, what) end
  local out = {}
  for i, one in ipairs(found) do out[i] = text.of(all, one) end
  return out
end

-- The text of a function or module of the library, which is more useful than its address; nil for any
-- other value, such as a table of options.
function manual.of_code(value)
  if type(value) ~= "function" and type(value) ~= "table" then return nil end
  local meta = getmetatable(value)
  local found = (not meta or not rawget(meta, "__tostring")) and index()[value]
  if not found or type(value) == "table" and found.member then return nil end
  return text.of(annotations.load(), found)
end

-- The name that was probably meant, or nil.
function manual.nearest(name)
  return nearest((name:gsub("^aniso%.", "")), names(annotations.load()))
end

-- Everything that is documented, one line each.
function manual.contents()
  return text.contents(annotations.load())
end

-- help(x) at the prompt; without an argument the contents.
function manual.help(...)
  if select("#", ...) == 0 then return print(manual.contents()) end
  local what = ...
  local texts = manual.find(what)
  if #texts > 0 then return print(table.concat(texts, "\n\n")) end
  local meant = type(what) == "string" and manual.nearest(what)
  local shown = tostring(what)
  if shown:find "\n" then shown = "this " .. type(what) end -- the value prints as a plot or a table
  print(meant and ("there is no documentation of %s; did you mean %s?"):format(what, meant)
    or ("there is no documentation of %s; help() lists what is documented"):format(shown))
end

return manual
