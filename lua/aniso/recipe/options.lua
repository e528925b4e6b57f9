-- Option tables in which a mistake is an error: check(given, defaults, where) returns a
-- complete copy of the defaults with what was given, or raises with the dotted name, the
-- value and the nearest name. A default is a value (its type is then required), a table of
-- defaults, or a rule made by any, optional, one_of, number, integer, list, kinds below.
-- A table whose first element is a string names a kind, {"resnet", depth = 8}; the bare string
-- "resnet" is the same as {"resnet"}.
local literal = require "aniso.recipe.literal"
local nearest = require "aniso.recipe.nearest"
local own_part = require "aniso.recipe.own_part"
local paths = require "aniso.recipe.paths"
local renamed = require "aniso.recipe.renamed"

local options = { get = paths.get, flatten = paths.flatten, copy = paths.copy }

local Rule = { __name = "aniso.Rule" }

local function rule(fields)
  return setmetatable(fields, Rule)
end

local function raise(where, expected, value)
  local name = where == "" and "the options" or "option " .. where
  error(("%s must be %s, got %s"):format(name, expected, literal.describe(value)), 0)
end

local function sorted_names(set)
  local names = {}
  for name in pairs(set) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function unknown(where, key, known)
  local path = paths.join(where, key)
  renamed.check(path)
  local names = sorted_names(known)
  local near = nearest(tostring(key), names)
  local meant = renamed.synonyms[path] or near and paths.join(where, near)
  error(("unknown option %s (%s)"):format(path, meant and "did you mean " .. meant .. "?"
    or #names > 0 and "known here: " .. table.concat(names, ", ")
    or "there are no options here"), 0)
end

local function check_type(value, expected, where)
  if type(value) ~= expected then
    raise(where, expected == "table" and "a table" or "a " .. expected, value)
  end
  if value ~= value then raise(where, "a number", value) end
  return paths.storable(value, where)
end

local resolve

local function resolve_table(given, defaults, where)
  if given == nil then given = {} end
  if type(given) == "string" and type(defaults[1]) == "string" then given = { given } end
  if type(given) ~= "table" then raise(where, "a table", given) end
  local out = {}
  for key in pairs(given) do
    if defaults[key] == nil then unknown(where, key, defaults) end
  end
  for key, default in pairs(defaults) do
    out[key] = resolve(given[key], default, paths.join(where, key))
  end
  return out
end

function resolve(given, default, where)
  if getmetatable(default) == Rule then
    if given == nil then given = default.default end
    if given == nil then return nil end
    return default.check(given, where)
  elseif type(default) == "table" then
    return resolve_table(given, default, where)
  elseif given == nil then
    return default
  end
  return check_type(given, type(default), where)
end

local function resolve_own(value, own, where)
  local out = own_part.reference(value, where)
  for key, default in pairs(own.fields) do
    out[key] = resolve(out[key], default, paths.join(where, key))
  end
  return out
end

-- A deep copy of `given` completed from `defaults`. `where` is the dotted name of the
-- table for messages; "" or nil at the top level.
function options.check(given, defaults, where)
  return resolve(given, defaults, where or "")
end

-- ── rules ───────────────────────────────────────────────────────────────────────────────
-- Each rule carries `about`, a description of what it accepts, as options.about() returns it.
options.any = rule { about = { type = "any" }, check = paths.copy }

-- May be absent. `what` is a type name, another rule, or a table of defaults.
function options.optional(what)
  local is_rule, is_table = getmetatable(what) == Rule, type(what) == "table"
  local about = is_table and options.about(what) or { type = what }
  about.optional = true
  if is_rule then return rule { about = about, check = what.check } end
  return rule { about = about, check = function(value, where)
    if is_table then return resolve_table(value, what, where) end
    return paths.copy(check_type(value, what, where), where)
  end }
end

-- A custom rule: check(value, where) returns the value to use, or raises. `like` is the
-- rule that describes it.
function options.custom(check, default, like)
  return rule { check = check, default = default, about = like and like.about or { type = "any" } }
end

-- One of the listed values; the default is the first, or `default`.
function options.one_of(choices)
  local function check(value, where)
    for _, choice in ipairs(choices) do
      if value == choice then return value end
    end
    local names = {}
    for i, choice in ipairs(choices) do names[i] = tostring(choice) end
    raise(where, "one of " .. table.concat(names, ", "), value)
  end
  return rule { default = choices.default or choices[1], check = check,
    about = { choices = choices, text = choices.text } }
end

-- number{default =, min =, max =, above =, below =, integer = true, text = what it is}
function options.number(limits)
  local about = paths.copy(limits)
  about.type = limits.integer and "integer" or "number"
  return rule { default = limits.default, about = about, check = function(value, where)
    check_type(value, "number", where)
    if limits.integer and not math.tointeger(value) then raise(where, "a whole number", value) end
    if limits.min and value < limits.min then raise(where, "at least " .. limits.min, value) end
    if limits.max and value > limits.max then raise(where, "at most " .. limits.max, value) end
    if limits.above and value <= limits.above then raise(where, "above " .. limits.above, value) end
    if limits.below and value >= limits.below then raise(where, "below " .. limits.below, value) end
    return limits.integer and math.tointeger(value) or value
  end }
end

function options.integer(limits)
  local with = paths.copy(limits)
  with.integer = true
  return options.number(with)
end

-- A list of values of one type or rule; the default is an empty list, or `default`.
function options.list(item, default, text)
  return rule { default = default or {}, about = { type = "list", item = item, text = text },
    check = function(value, where)
    check_type(value, "table", where)
    local out = {}
    for key in pairs(value) do
      if not (math.type(key) == "integer" and key >= 1 and key <= #value) then
        unknown(where, key, {})
      end
    end
    for i, one in ipairs(value) do
      local here = paths.join(where, i)
      out[i] = getmetatable(item) == Rule and item.check(one, here) or check_type(one, item, here)
    end
    return out
  end }
end

-- kinds{ cosine = {T = 1000}, linear = {…}, default = "cosine" }: each kind has its own
-- defaults. Accepts "cosine" or {"cosine", T = 500}; returns {"cosine", T = 500}. own [opt]: {fields =
-- defaults} if a recipe may bring its own part (own_part.lua). The part takes these fields and any
-- other options; the result is its reference.
function options.kinds(kinds, own)
  local defaults = {}
  for name, fields in pairs(kinds) do
    if name ~= "default" then defaults[name] = fields end
  end
  local about = { kinds = defaults, own = own }
  return rule { default = kinds.default, about = about, check = function(value, where)
    if own and own_part.is(value) then return resolve_own(value, own, where) end
    if type(value) == "string" then value = { value } end
    check_type(value, "table", where)
    local name = value[1] or kinds.default
    if defaults[name] == nil then
      local names = sorted_names(defaults)
      local meant = type(name) == "string" and nearest(name, names)
      raise(where, meant and ("a known kind (did you mean %s?)"):format(meant)
        or "one of " .. table.concat(names, ", "), name)
    end
    local fields = paths.copy(value)
    fields[1] = nil
    local out = resolve_table(fields, defaults[name], where)
    out[1] = name
    return out
  end }
end

-- kinds() of a registry, { name = {text =, options =, …} … }: each entry takes its own options and
-- the `common` ones, and so does a recipe's own part. inner [opt]: {class =, text =}, the annotation's name
-- and the help of a registry that is an option of another registry's entries; it has no own parts.
function options.registry(entries, default, common, inner)
  local kinds = { default = default }
  for name, entry in pairs(entries) do
    kinds[name] = {}
    for _, side in ipairs { common, entry.options or {} } do
      for key, rule_of in pairs(side) do kinds[name][key] = rule_of end
    end
  end
  local made = options.kinds(kinds, not inner and { fields = common } or nil)
  if inner then made.about.class, made.about.text = inner.class, inner.text end
  return made
end

-- ── describing ──────────────────────────────────────────────────────────────────────────
-- What a default or a rule accepts: {type =, default =, optional =, min =, max =, above =, below =,
-- choices = {…}, item = what, kinds = {name = defaults}, fields = defaults}, as far as they apply.
function options.about(default)
  local about = {}
  if getmetatable(default) == Rule then
    for key, value in pairs(default.about) do about[key] = value end
    about.default = default.default
  elseif type(default) == "table" then
    about.fields = default
  else
    about.type, about.default = type(default), default
  end
  return about
end

-- ── paths ───────────────────────────────────────────────────────────────────────────────
-- set(config, "train.epochs", "3"): implements --set. Changes config in place.
function options.set(config, path, text)
  paths.set(config, path, literal.read(text))
end

-- A copy of config with overrides by dotted name, {["schedule.lambda"] = "isotropic"}.
function options.apply(config, overrides)
  local out = paths.copy(config)
  for _, path in ipairs(sorted_names(overrides)) do
    paths.set(out, path, paths.copy(overrides[path], path))
  end
  return out
end

return options
