-- Baselines in one word, `method = "card"`: each is a preset of options (METHOD §8). The word is an option
-- like any other and is stored with the configuration, next to the options that it set.
--   baseline.set(config, name)     for the word in a variant or --set: it replaces earlier options
--   baseline.fill(config)          → a copy in which the preset of config.method sets the options not given
--   baseline.describe(complete)    → the preset's options, as one line of text
local options = require "aniso.recipe.options"
local paths = require "aniso.recipe.paths"

local baseline = {}

-- What each word sets: {path, value}. For an option with kinds, a value is a kind's name.
baseline.presets = {
  -- A linear classifier on the globally pooled features of the backbone; nothing is diffused.
  softmax = {
    { "denoiser", "none" }, { "prior.mode", "global" }, { "prior.top_percent", 100 },
    { "train.mode", "staged" }, { "select.of", "prior" },
  },
  -- 2206.07275: diffusion towards the predictions of a previously trained classifier.
  card = {
    { "denoiser", "film" }, { "prior.mode", "global" }, { "prior.top_percent", 100 },
    { "schedule.lambda", "isotropic" }, { "loss.mmd", 0 }, { "train.prediction", "epsilon" },
    { "train.mode", "staged" },
  },
  -- 2303.10610: two granularities, an MMD for each.
  diffmic = {
    { "denoiser", "film" }, { "prior.mode", "both" }, { "schedule.lambda", "isotropic" },
    { "loss.mmd", 0.5 }, { "loss.mmd_of", "granularities" }, { "train.prediction", "epsilon" },
  },
  ddpm = {
    { "denoiser", "cross_attention" }, { "prior.mode", "both" }, { "schedule.lambda", "isotropic" },
    { "loss.mmd", 0.5 },
  },
  adpm = {
    { "denoiser", "cross_attention" }, { "prior.mode", "both" }, { "schedule.lambda", "bound" },
    { "loss.mmd", 0.5 },
  },
}

baseline.names = { "softmax", "card", "diffmic", "ddpm", "adpm" }

-- The rule for the option `method`.
baseline.option = options.optional(options.one_of(baseline.names))

-- Whether a table of options names no kind, such as {dim = 64}, so that the preset's kind applies to it.
local function lacks_kind(value)
  return type(value) == "table" and value[1] == nil and value.module == nil
end

local DEFAULT_KIND = { denoiser = "cross_attention" }

-- `kind` with the options that remain from those given before: all if the kind is the same; a denoiser's
-- width if it differs, so that methods are compared at one width.
function baseline.with_kind(path, given, kind)
  if type(given) ~= "table" or given.module then return kind end
  if (given[1] or DEFAULT_KIND[path]) == kind then
    given[1] = kind
    return given
  end
  return kind == "film" and { kind, dim = given.dim } or kind
end

-- Applies `name` where it is set separately (a variant, --set): it replaces what was given before, except
-- what with_kind() keeps. A name that is not a method changes nothing: the check of the options reports it.
function baseline.set(config, name)
  for _, entry in ipairs(baseline.presets[name] or {}) do
    local path, value = entry[1], entry[2]
    paths.set(config, path, baseline.with_kind(path, paths.get(config, path), value))
  end
end

-- Without a method, returns the configuration itself.
function baseline.fill(config)
  local preset = type(config) == "table" and baseline.presets[config.method]
  if not preset then return config end
  local out = paths.copy(config)
  for _, entry in ipairs(preset) do
    local path, value = entry[1], entry[2]
    local now = paths.get(out, path)
    if now == nil then
      paths.set(out, path, value)
    elseif lacks_kind(now) then
      now[1] = value
    end
  end
  return out
end

-- The options of the preset with the values of a complete configuration, "denoiser film, prior.mode both";
-- nil without a method.
function baseline.describe(complete)
  local parts = {}
  for i, entry in ipairs(baseline.presets[complete.method] or {}) do
    local value = paths.get(complete, entry[1])
    parts[i] = ("%s %s"):format(entry[1], tostring(type(value) == "table" and value[1] or value))
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

return baseline
