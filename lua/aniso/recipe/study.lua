-- A study is a plain table: data, a base configuration, what varies, and seeds. expand()
-- makes the ordered list of runs from it. A variation is a list of {label =, ["a.b"] = v};
-- grid, variants and power write such lists. The baseline is the label of a variant, or one
-- more variant. Runs are ordered seed by seed: each variant has its first result early.
local literal = require "aniso.recipe.literal"
local options = require "aniso.recipe.options"
local own_part = require "aniso.recipe.own_part"
local paths = require "aniso.recipe.paths"

local study = {}

study.options = {
  name = options.optional "string",
  description = options.optional "string",
  data = options.any,
  base = options.any,
  vary = options.any,
  variants = options.any,
  seeds = options.any,
  baseline = options.any,
  one_by_one = false,
}

-- aniso.study{…}: checks the names and returns the table, marked as a study.
function study.new(given)
  local out = options.check(given, study.options, "")
  for _, field in ipairs { "name", "data", "base" } do
    if out[field] == nil then error("a study needs " .. field, 0) end
  end
  out.is_study = true
  return out
end

-- "schedule.lambda" = {"power", gamma = 0.5}  →  "lambda=power(gamma=0.5)"
local function short(path, value)
  local text
  if own_part.is(value) then value = own_part.labelled(value, path) end
  if type(value) == "table" then
    local parts = {}
    for _, leaf in ipairs(paths.flatten(value)) do
      parts[#parts + 1] = type(leaf.key) == "string" and not leaf.key:match "^%d+$"
        and leaf.key .. "=" .. tostring(leaf.value) or tostring(leaf.value)
    end
    local kind = type(value[1]) == "string" and table.remove(parts, 1) or ""
    text = kind .. (#parts > 0 and "(" .. table.concat(parts, ",") .. ")" or "")
  else
    text = type(value) == "number" and literal.number(value) or tostring(value)
  end
  return path:match "[^.]+$" .. "=" .. text
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    if key ~= "label" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  return keys
end

local function label_of(variation)
  if variation.label then return variation.label end
  local parts = {}
  for i, path in ipairs(sorted_keys(variation)) do parts[i] = short(path, variation[path]) end
  return table.concat(parts, " ")
end

local function merged(a, b)
  local out = {}
  for _, side in ipairs { a, b } do
    for key, value in pairs(side) do out[key] = value end
  end
  local left, right = a.label or "", label_of(b)
  out.label = left ~= "" and right ~= "" and left .. " " .. right or left .. right
  return out
end

local function product(left, right)
  local out = {}
  for _, a in ipairs(left) do
    for _, b in ipairs(right) do out[#out + 1] = merged(a, b) end
  end
  return out
end

-- aniso.grid{ ["schedule.lambda"] = {…}, ["loss.mmd"] = {0, 0.5} }: every combination.
function study.grid(axes)
  local out = { {} }
  for _, path in ipairs(sorted_keys(axes)) do
    local values = {}
    for i, value in ipairs(axes[path]) do values[i] = { [path] = value } end
    if #values == 0 then error(("grid: %s needs a list of values"):format(path), 0) end
    out = product(out, values)
  end
  return out
end

-- aniso.variants{ {label = "ddpm", ["schedule.lambda"] = "isotropic"}, … }
function study.variants(list)
  return list
end

-- aniso.power{-0.25, 0, 0.5}: λ policies for a grid.
function study.power(gammas)
  local out = {}
  for i, gamma in ipairs(gammas) do out[i] = { "power", gamma = gamma } end
  return out
end

-- 3 → {0, 1, 2};  {4, 7} → itself;  "0..4", "3" or "1,5" as typed → the seeds named.
function study.seeds(given)
  if given == nil then return { 0 } end
  local out = {}
  if math.type(given) == "integer" then
    for seed = 0, given - 1 do out[#out + 1] = seed end
  elseif type(given) == "table" then
    out = given
  elseif type(given) == "string" then
    for part in given:gmatch "[^,]+" do
      local first, last = part:match "^(%d+)%.%.(%d+)$"
      first = math.tointeger(tonumber(first or part))
      last = math.tointeger(tonumber(last)) or first
      if not first or first < 0 then out = {} break end
      for seed = first, last do out[#out + 1] = seed end
    end
  end
  if #out == 0 then
    error(("seeds must be a number of seeds or a list such as 0..4 or 1,5, got %s")
      :format(literal.describe(given)), 0)
  end
  return out
end

-- The label of the baseline; nil where the recipe names none.
function study.baseline_label(of)
  local given = of.baseline
  if type(given) == "table" then return given.label or "baseline" end
  return given
end

local function variations(of)
  local out = { {} }
  if of.variants then out = product(out, of.variants) end
  for _, axis in ipairs(of.vary or {}) do out = product(out, axis) end
  if type(of.baseline) == "table" then
    local baseline = paths.copy(of.baseline)
    baseline.label = study.baseline_label(of)
    table.insert(out, 1, baseline)
  end
  return out
end

local function overlaps(a, b)
  return a == b or a:sub(1, #b + 1) == b .. "." or b:sub(1, #a + 1) == a .. "."
end

-- Sets one axis of a list of axes: in the place of those that vary the same, or behind all.
local function set_axis(axes, path, values)
  local kept, place = {}, nil
  for _, axis in ipairs(axes) do
    local same = false
    for _, variation in ipairs(axis) do
      for key in pairs(variation) do same = same or key ~= "label" and overlaps(key, path) end
    end
    if same then place = place or #kept + 1 else kept[#kept + 1] = axis end
  end
  table.insert(kept, place or #kept + 1, study.grid { [path] = values })
  return kept
end

-- --set vary.PATH={…} sets the values of an axis; → the study so changed, other overrides.
local function revary(of, overrides)
  local changed, rest = {}, {}
  for key, value in pairs(of) do changed[key] = value end
  for _, override in ipairs(overrides or {}) do
    local path = override[1]:match "^vary%.(.+)$"
    local values = path and literal.read(override[2])
    if not path then
      rest[#rest + 1] = override
    elseif type(values) ~= "table" or #values == 0 then
      error(("--set vary.%s needs a list of values such as {0, 0.5}, got %s"):format(path,
        override[2]), 0)
    else
      changed.vary = set_axis(changed.vary or {}, path, values)
    end
  end
  return changed, rest
end

-- The runs of a study: {label =, config =, seed =}. `overrides` is a list of {path, text}
-- as --set gives it, `seeds` replaces the study's own; both may be nil.
function study.expand(given, overrides, seeds)
  local out = {}
  local of, rest = revary(given, overrides)
  local varied = variations(of)
  for _, seed in ipairs(study.seeds(seeds or of.seeds)) do
    for _, variation in ipairs(varied) do
      local config = paths.copy(of.base)
      config.data = paths.copy(of.data)
      for _, path in ipairs(sorted_keys(variation)) do
        paths.set(config, path, paths.copy(variation[path], path))
      end
      for _, override in ipairs(rest) do
        for _, path in ipairs(sorted_keys(variation)) do
          if #varied > 1 and overlaps(path, override[1]) then
            error(("the study varies %s: --set %s would make its variants equal")
              :format(path, override[1]), 0)
          end
        end
        options.set(config, override[1], override[2])
      end
      out[#out + 1] = { label = label_of(variation), config = config, seed = seed }
      if out[#out].label == "" then out[#out].label = of.name end
    end
  end
  return out
end

return study
