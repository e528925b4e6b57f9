-- A study is a plain table: data, a base configuration, what varies, seeds, and folds. expand()
-- turns it into the ordered list of runs. What varies are lists of variations (variations.lua). The
-- baseline is the label of a variant, or one more variant. Runs are ordered by seed, then by fold, so that
-- each variant has its first result early.
local ablation = require "aniso.recipe.ablation"
local folds = require "aniso.recipe.folds"
local literal = require "aniso.recipe.literal"
local options = require "aniso.recipe.options"
local paths = require "aniso.recipe.paths"
local preset = require "aniso.recipe.baseline"
local prune = require "aniso.recipe.prune"
local variations = require "aniso.recipe.variations"

local study = { grid = variations.grid, variants = variations.variants, power = variations.power }

study.options = {
  name = options.optional "string",
  description = options.optional "string",
  data = options.any,
  base = options.any,
  vary = options.any,
  variants = options.any,
  seeds = options.any,
  folds = options.any,
  baseline = options.any,
  one_by_one = false,
  prune = prune.option,
}

-- aniso.study{…}: checks the names and returns the table marked as a study.
function study.new(given)
  local out = options.check(given, study.options, "")
  for _, field in ipairs { "name", "data", "base" } do
    if out[field] == nil then error("a study needs " .. field, 0) end
  end
  if out.variants ~= nil then variations.check(out.variants, "variants") end
  for i, axis in ipairs(variations.axes(out.vary)) do variations.check(axis, ("vary[%d]"):format(i)) end
  local baseline = out.baseline
  if baseline ~= nil and type(baseline) ~= "string" and type(baseline) ~= "table" then
    error(("baseline must be the label of a variant, or one more variant such as { label = \"ddpm\", "
      .. "[\"schedule.lambda\"] = \"isotropic\" }, got %s"):format(literal.describe(baseline)), 0)
  end
  if type(baseline) == "table" then variations.check({ baseline }, "baseline") end
  prune.check(out)
  out.is_study = true
  return out
end

local MOST_SEEDS = 10000

local function wrong_seeds(given)
  error(("seeds must be a number of seeds or a list such as 0..4 or 1,5, at most %d of them, got %s")
    :format(MOST_SEEDS, literal.describe(given)), 0)
end

-- first, last of "0..4" or "3"; nil for any other text.
local function range_of(text)
  local first, last = text:match "^(%d+)%.%.(%d+)$"
  first = math.tointeger(tonumber(first or text))
  return first, math.tointeger(tonumber(last)) or first
end

-- 3 → {0, 1, 2};  {4, 7} → its values;  "0..4", "3" or "1,5" as typed → those seeds; each once.
function study.seeds(given)
  if given == nil then return { 0 } end
  local out, known = {}, {}
  local function add(first, last)
    if math.type(first) ~= "integer" or first < 0 or last - first >= MOST_SEEDS then wrong_seeds(given) end
    for seed = first, last do
      if not known[seed] then known[seed], out[#out + 1] = true, seed end
    end
  end
  if math.type(given) == "integer" then
    add(0, given - 1)
  elseif type(given) == "table" then
    for _, seed in ipairs(given) do add(seed, seed) end
  elseif type(given) == "string" then
    for part in given:gmatch "[^,]+" do add(range_of(part)) end
  end
  if #out == 0 or #out > MOST_SEEDS then wrong_seeds(given) end
  return out
end

-- The label of the baseline; nil if the recipe names none.
function study.baseline_label(of)
  local given = of.baseline
  if type(given) == "table" then return given.label or "baseline" end
  return given
end

local function variations_of(of)
  local out = { {} }
  if of.variants then out = variations.product(out, of.variants) end
  for _, axis in ipairs(of.vary or {}) do out = variations.product(out, axis) end
  if type(of.baseline) == "table" then
    local baseline = paths.copy(of.baseline)
    baseline.label = study.baseline_label(of)
    table.insert(out, 1, baseline)
  end
  return out
end

-- --set vary.PATH={…} sets the values of an axis; → the changed study, the other overrides.
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
      changed.vary = variations.set_axis(changed.vary or {}, path, values)
    end
  end
  return changed, rest
end

-- Raises for an option that the study varies: it cannot be set for all variants. name [opt]: that of the
-- --set whose preset sets the option.
local function check_override(variation, path, name)
  for _, varied in ipairs(variations.keys(variation)) do
    if variations.overlaps(varied, path) then
      error(("the study varies %s: --set %s would make its variants equal"):format(varied, name or path), 0)
    end
  end
end

local function has_denoiser(config)
  local given = config.denoiser
  return given ~= "none" and not (type(given) == "table" and given[1] == "none")
end

local function is_of_denoiser(override)
  return override[1]:match "^denoiser%." ~= nil
end

-- Whether an override sets an option of the denoiser in a configuration without one, a classifier's.
local function is_idle(override, config)
  return is_of_denoiser(override) and not has_denoiser(config)
end

-- Applies --set, the presets of a method first, so that the other overrides replace their options. Options
-- of the denoiser apply to the variants that have one.
local function override_all(config, overrides, variation, varies)
  for _, override in ipairs(overrides) do
    local path, word = override[1], literal.read(override[2])
    if varies and not is_idle(override, config) then check_override(variation, path) end
    for _, entry in ipairs(path == "method" and varies and preset.presets[word] or {}) do
      check_override(variation, entry[1], path)
    end
    if path == "method" then preset.set(config, word) end
  end
  for _, override in ipairs(overrides) do
    if not is_idle(override, config) then options.set(config, override[1], override[2]) end
  end
end

-- Raises if an override is an option of the denoiser and none of the jobs has one.
function study.check_overrides(jobs, overrides)
  local there = false
  for _, job in ipairs(jobs) do there = there or has_denoiser(job.config) end
  for _, override in ipairs(there and {} or overrides or {}) do
    if is_of_denoiser(override) then
      error(("--set %s: no variant has a denoiser (denoiser = none, as with method = softmax)")
        :format(override[1]), 0)
    end
  end
end

-- The configuration of one variation. An ablation comes last: it removes its parts from the result of the
-- base, the variation and --set.
local function config_of(of, variation, overrides, varies)
  local config = paths.copy(of.base)
  config.data = paths.copy(of.data)
  preset.set(config, variation.method) -- first: the options next to it replace those of its preset
  for _, path in ipairs(variations.keys(variation)) do
    paths.set(config, path, paths.copy(variation[path], path))
  end
  override_all(config, overrides, variation, varies)
  if variation.without then ablation.apply(config, variation.without) end
  return config
end

-- The seeds and folds of a study, each pair for all of its variants: {{seed, cross or false}, …}.
local function repetitions(of, seeds, only_folds, official_count)
  local out, crosses = {}, folds.of(of.folds, only_folds, official_count)
  for _, seed in ipairs(study.seeds(seeds or of.seeds)) do
    for _, cross in ipairs(crosses) do out[#out + 1] = { seed = seed, cross = cross or nil } end
  end
  return out
end

-- The runs of a study: {label =, config =, seed =, cross = (recipe/folds.lua) or nil}. All arguments but the
-- first may be nil: `overrides`, a list of {path, text} as in --set; `seeds`, instead of the study's own;
-- `only_folds`, as in --fold; `official_count`, of the folds that come with the data.
function study.expand(given, overrides, seeds, only_folds, official_count)
  local out = {}
  local of, rest = revary(given, overrides)
  local varied = variations_of(of)
  for _, repetition in ipairs(repetitions(of, seeds, only_folds, official_count)) do
    for _, variation in ipairs(varied) do
      local label, config = variations.label(variation), config_of(of, variation, rest, #varied > 1)
      if label == "" then label = type(config.method) == "string" and config.method or of.name end
      out[#out + 1] = { label = label, seed = repetition.seed, cross = repetition.cross, config = config }
    end
  end
  return out
end

return study
