-- A recipe's own part for an option that otherwise names one of the program's: a λ policy, a
-- sampler, a prior loss or a class weight. It is given as
--   f        { f, gamma = 0.5, name = "mine" }        { module = "mypolicy", gamma = 0.5 }
-- and becomes plain data, a reference, which configurations, databases and labels store:
--   { "own:mine", sha256 = of the function, gamma = 0.5 }
--   { "own:mypolicy", module = "mypolicy", sha256 = of its file, gamma = 0.5 }
-- Its function is looked up among those of the recipes loaded by this process, or by the module's
-- name (part_modules.lua). Code is never read from a database.
local errors = require "aniso.recipe.errors"
local function_identity = require "aniso.recipe.function_identity"
local part_modules = require "aniso.recipe.part_modules"
local literal = require "aniso.recipe.literal"
local paths = require "aniso.recipe.paths"

local own_part = {}

local SHOWN = 6 -- digits of a sha256 shown in a label

-- sha256 → {f =, place =, code =}: the functions of the recipes loaded so far.
local known = {}

function own_part.is_reference(value)
  return type(value) == "table" and type(value[1]) == "string" and value[1]:match "^own:" ~= nil
    and type(value.sha256) == "string"
end

function own_part.is(value)
  return type(value) == "function" or type(value) == "table"
    and (type(value[1]) == "function" or value.module ~= nil or own_part.is_reference(value))
end

local function raise(where, text)
  error(("option %s: %s"):format(where, text), 0)
end

-- ── references ──────────────────────────────────────────────────────────────────────────
-- Registers a function → its sha256. Two functions on one line can have the same text; the second
-- is an error.
local function register(f, where)
  local ok, sha256, place = pcall(function_identity, f)
  if not ok then raise(where, sha256) end
  local before, code = known[sha256], string.dump(f, true)
  if before and before.place == place and before.code ~= code then
    raise(where, place .. ": two functions begin and end on the same line: move one to another line")
  end
  known[sha256] = { f = f, place = place, code = code }
  return sha256
end

local function check_name(name, where)
  if type(name) ~= "string" or not name:match "^[%w_.%-]+$" then
    raise(where, ("a part's name has letters, digits, _, - and dots, got %s"):format(tostring(name)))
  end
  return name
end

-- A copy of a part's option: numbers, texts, booleans and tables of them.
local function plain(value, where, above)
  local kind = type(value)
  if kind == "table" and not getmetatable(value) then
    local out = {}
    paths.enter(value, where, above)
    for key, inner in pairs(value) do out[key] = plain(inner, paths.join(where, key), above) end
    above[value] = nil
    return out
  elseif kind == "number" and (value ~= value or math.abs(value) == math.huge)
    or kind ~= "number" and kind ~= "string" and kind ~= "boolean" then
    raise(where, ("an own part's option is a finite number, a string, a boolean or a table of these, got %s")
      :format(kind == "number" and tostring(value) or "a " .. kind))
  end
  return value
end

local RESERVED = { [1] = true, name = true, module = true, sha256 = true }

local function with_options(given, reference, where)
  for key, value in pairs(given) do
    if not RESERVED[key] then
      if type(key) ~= "string" then raise(where, ("options have names, got [%s]"):format(tostring(key))) end
      reference[key] = plain(value, paths.join(where, key), { [given] = true })
    end
  end
  return reference
end

local function of_module(given, where)
  local name, sha256 = given.module, given.sha256
  if not part_modules.is_name(name) then
    raise(where, ("module = %s: a module's name has letters, digits, _ and single dots")
      :format(tostring(name)))
  end
  if not sha256 then
    local path, found = part_modules.find(name)
    if not path then raise(where, ("there is no module %s in %s"):format(name, found)) end
    sha256 = found
  end
  return with_options(given, { "own:" .. check_name(given.name or name, where), module = name,
    sha256 = sha256 }, where)
end

-- The reference for any value that is() accepts; a reference returns itself. Raises with the option's name.
function own_part.reference(given, where)
  if own_part.is_reference(given) then
    return with_options(given, { given[1], module = given.module, sha256 = given.sha256 }, where)
  end
  if type(given) == "function" then given = { given } end
  if type(given[1]) ~= "function" then return of_module(given, where) end
  if given.module then raise(where, "a function or a module, not both") end
  local sha256 = register(given[1], where)
  local name = given.name and check_name(given.name, where) or sha256:sub(1, SHOWN)
  return with_options(given, { "own:" .. name, sha256 = sha256 }, where)
end

-- The value as shown in a label, {"mine", gamma = 0.5}; without a name {"own:1a2b3c"}.
function own_part.labelled(given, where)
  local out, name = {}, type(given) == "table" and (given.name or given.module)
  if type(given) == "table" then
    for key, value in pairs(given) do out[key] = not RESERVED[key] and value or nil end
  end
  out[1] = name or own_part.reference(type(given) == "table" and given[1] or given, where)[1]
  return out
end

-- The options passed to the part: a copy, which it may change.
function own_part.options(reference)
  local out = {}
  for key, value in pairs(reference) do
    if not RESERVED[key] then out[key] = paths.copy(value) end
  end
  return out
end

-- ── finding and calling ─────────────────────────────────────────────────────────────────
-- → {f =, place =} | nil, why
function own_part.find(reference)
  local found = known[reference.sha256]
  if found or not reference.module then
    return found, not found and "no recipe that was loaded has this function" or nil
  end
  local path, searched, other = part_modules.find(reference.module, reference.sha256)
  if not path then
    return nil, other and other .. " has changed since" or ("there is no module %s in %s")
      :format(reference.module, searched)
  end
  known[reference.sha256] = { f = part_modules.load(path), place = path }
  return known[reference.sha256]
end

-- "own:mine (function, sha256 1a2b3c…)"
function own_part.describe(reference)
  local short = reference.sha256:sub(1, 12)
  return reference.module and ("%s (module %s, sha256 %s…)"):format(reference[1], reference.module, short)
    or ("%s (a recipe's function, sha256 %s…)"):format(reference[1], short)
end

-- f with errors that name the option and the line of the recipe.
local function guarded(f, place, where)
  return function(...)
    local results = table.pack(pcall(f, ...))
    if results[1] then return table.unpack(results, 2, results.n) end
    local problem = results[2]
    errors.pass_interrupts(problem)
    if type(problem) ~= "string" then
      raise(where, ("%s: raised a %s as an error, expected a text"):format(place, type(problem)))
    end
    raise(where, problem:match "^[^\n]+:%d+: " and problem or ("%s: %s"):format(place, problem))
  end
end

-- The part, guarded, and fail(text), which raises what is wrong with its result. Raises if the part cannot
-- be found.
function own_part.need(reference, where)
  local found, why = own_part.find(reference)
  if not found then
    raise(where, ("%s cannot be found: %s"):format(own_part.describe(reference), why))
  end
  return guarded(found.f, found.place, where), function(text)
    raise(where, ("%s: %s"):format(found.place, text))
  end
end

-- A function made by the part, guarded in the same way.
function own_part.guard(f, reference, where)
  return guarded(f, own_part.find(reference).place, where)
end

-- Calls a part with the training images per class, its options, and any further arguments; the result must
-- be K finite numbers above 0, one per class. → list
function own_part.numbers(reference, where, K, counts, ...)
  local call, fail = own_part.need(reference, where)
  local list = call(paths.copy(counts), own_part.options(reference), ...)
  if type(list) ~= "table" then fail("expected a list of numbers, one per class, got a " .. type(list)) end
  if #list ~= K then fail(("%d numbers for %d classes"):format(#list, K)) end
  local out = {}
  for j = 1, K do
    local value = list[j]
    if type(value) ~= "number" or not (value > 0 and value < math.huge) then
      fail(("class %d gets %s: expected a finite number above 0"):format(j,
        value ~= value and "nan" or literal.describe(value)))
    end
    out[j] = value
  end
  return out
end

-- Registers every function in a configuration as a recipe gives it. Modules are found by name.
function own_part.register_all(config, where)
  for key, value in pairs(config) do
    local here = paths.join(where, key)
    if type(value) == "function" then
      register(value, here)
    elseif type(value) == "table" and not getmetatable(value) then
      own_part.register_all(value, here)
    end
  end
end

return own_part
