-- The annotations of options that name an entry of a registry (λ policies, samplers, tilts, prior
-- losses, class weights, post_hoc), generated from the entries: help, completion and editors include a new
-- entry without further edits. registry_types() → the text of one file of annotations.
local class_weight = require "aniso.method.class_weight"
local lambda = require "aniso.method.lambda"
local noise_budget = require "aniso.method.noise_budget"
local options = require "aniso.recipe.options"
local post_hoc = require "aniso.method.post_hoc"
local prior_loss = require "aniso.method.prior_loss"
local sampler = require "aniso.method.sampler"
local tilt = require "aniso.method.tilt"

local REGISTRIES = {
  { class = "aniso.option.lambda", entries = lambda.policies, common = noise_budget.options,
    text = "What every policy takes: the noise budget is kept, then the levels are clipped." },
  { class = "aniso.option.sampler", entries = sampler.kinds, common = sampler.common,
    text = "What every sampler takes." },
  { class = "aniso.option.tilt", entries = tilt.kinds, no_own = true },
  { class = "aniso.option.loss.prior", entries = prior_loss.kinds },
  { class = "aniso.option.loss.class_weight", entries = class_weight.kinds,
    common = class_weight.common, text = "What every kind takes." },
  { class = "aniso.option.post_hoc", entries = post_hoc.kinds, no_own = true },
}

local OWN = [[

---A part of the recipe's own: a function or a module that returns one, and any options that it is
---called with.
---@class aniso.option.own
---@field [1]? function The part; the option's text lists its arguments.
---@field module? string Name of a Lua file next to the recipe, in ANISO_PARTS or ~/.local/share/aniso.
---@field name? string Its name in labels and tables; the first digits of its sha256 if left out.
]]

local function sorted(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function shown(value)
  if type(value) == "string" then return ("%q"):format(value) end
  return math.type(value) == "float" and ("%.10g"):format(value) or tostring(value)
end

local LIMITS = { { "above", "above" }, { "min", "at least" }, { "below", "below" }, { "max", "at most" } }

-- " (default 0.25, at least 0)"
local function range(about)
  local out, default = {}, about.default
  if default ~= nil and type(default) ~= "table" then out[1] = "default " .. shown(default) end
  for _, limit in ipairs(LIMITS) do
    if about[limit[1]] then out[#out + 1] = limit[2] .. " " .. shown(about[limit[1]]) end
  end
  return #out > 0 and (" (%s)"):format(table.concat(out, ", ")) or ""
end

local function type_of(about)
  if about.kinds then return about.class .. "|string" end
  if about.type == "list" then return about.item .. "[]" end
  if not about.choices then return about.type end
  local out = {}
  for i, choice in ipairs(about.choices) do out[i] = shown(choice) end
  return table.concat(out, "|")
end

local function add_fields(lines, fields)
  for _, name in ipairs(sorted(fields)) do
    local about = options.about(fields[name])
    lines[#lines + 1] = ("---@field %s? %s %s%s."):format(name, type_of(about), about.text, range(about))
  end
end

local function add_class(lines, name, text, parent)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "---" .. text
  lines[#lines + 1] = ("---@class %s%s"):format(name, parent and " : " .. parent or "")
end

local function add_registry(lines, registry)
  local class, names = registry.class, sorted(registry.entries)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "---@alias " .. class
  for _, name in ipairs(names) do lines[#lines + 1] = ("---| %s.%s"):format(class, name) end
  if not registry.no_own then lines[#lines + 1] = "---| aniso.option.own" end
  local any = registry.common and class .. ".any"
  if any then
    add_class(lines, any, registry.text)
    add_fields(lines, registry.common)
  end
  for _, name in ipairs(names) do
    local entry = registry.entries[name]
    add_class(lines, class .. "." .. name, entry.text, any)
    lines[#lines + 1] = ("---@field [1] %q"):format(name)
    add_fields(lines, entry.options or {})
  end
end

return function()
  local lines = { "---@meta _", "-- Written from the registries in lua/aniso/method." }
  for _, registry in ipairs(REGISTRIES) do add_registry(lines, registry) end
  return table.concat(lines, "\n") .. "\n" .. OWN
end
