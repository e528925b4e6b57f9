-- The metric that an option names.
local catalog = require "aniso.stats.metric.catalog"
local derived = require "aniso.stats.derived"
local nearest = require "aniso.recipe.nearest"

local metric_name = {}

-- {name, higher} of a stored or a derived metric; nil if there is no such metric.
local function found(name)
  name = catalog.aliases[name] or name
  for _, entry in ipairs(catalog.metrics) do
    if entry.name == name then return entry end
  end
  return derived.parse(name)
end

-- entry("tail", "prune.metric") → {name = "few", higher = true}, for names of the literature and derived ones
-- such as tail@head=0.9 too. Raises with the option `where` and the nearest name for any other value.
function metric_name.entry(value, where)
  local ok, entry = pcall(found, type(value) == "string" and value or "")
  if not ok then error(("option %s: %s"):format(where, entry), 0) end
  if entry then return entry end
  local names = {}
  for i, one in ipairs(catalog.metrics) do names[i] = one.name end
  for alias in pairs(catalog.aliases) do names[#names + 1] = alias end
  table.sort(names)
  local meant = type(value) == "string" and nearest(value, names)
  error(("option %s: there is no metric %s (%s)"):format(where, tostring(value),
    meant and ("did you mean %s?"):format(meant) or "known: " .. table.concat(names, ", ")), 0)
end

return metric_name
