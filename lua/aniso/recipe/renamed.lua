-- Options, curves, arguments and columns with other names in earlier versions: old name → new
-- name. An old name is an error that gives the new one; stored configurations are renamed by
-- store/old_options.sql, and tests/lua/test_renamed.lua compares the two lists.
local paths = require "aniso.recipe.paths"

local renamed = {}

-- Stored with each run: options by dotted path, and one curve.
renamed.options = {
  ["data.shot"] = "data.groups",
  ["loss.epsilon"] = "loss.denoising",
  ["prior.crop"] = "prior.crop_size",
  ["prior.top"] = "prior.top_percent",
  ["schedule.beta"] = "schedule.base",
  ["schedule.bound"] = "schedule.bound_constants",
  ["train.decay"] = "train.weight_decay",
  ["train.ema"] = "train.ema_decay",
  ["train.predict"] = "train.prediction",
  ["train.rate"] = "train.lr_schedule",
  ["train.sampler"] = "train.sampling",
}
renamed.curves = { loss_epsilon = "loss_denoising" }

-- Arguments of functions, "function.argument".
renamed.arguments = {
  ["optim.adamw.decay"] = "optim.adamw.weight_decay",
  ["optim.sgd.decay"] = "optim.sgd.weight_decay",
  ["sampler.run.parameterisation"] = "sampler.run.prediction",
}

-- Columns of printed tables.
renamed.columns = { predicts = "by" }

-- Names from other programs and papers, which options never had: errors suggest the option.
renamed.synonyms = {
  ["train.parameterisation"] = "train.prediction", ["train.parametrisation"] = "train.prediction",
  ["train.parameterization"] = "train.prediction", ["train.learning_rate"] = "train.lr",
  ["train.optimizer"] = "train.optimiser", ["train.lr_scheduler"] = "train.lr_schedule",
  ["schedule.timesteps"] = "schedule.T",
}

-- Raises if `name` is an old name.
function renamed.check(name)
  local column = renamed.columns[name]
  if column then error(("column %s is now %s"):format(name, column), 0) end
  local new = renamed.options[name] or renamed.curves[name] or renamed.arguments[name]
  if new then error(("option %s is now %s"):format(name, new), 0) end
end

-- ── recipes of earlier versions ─────────────────────────────────────────────────────────
-- The old names of options for which has(name) is true, sorted.
local function old_names(has)
  local found = {}
  for name in pairs(renamed.options) do
    if has(name) then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

-- Options whose value changed too: the new form.
local FORMS = { ["data.shot"] = ' = {"counts", many = …, few = …}' }

-- "train.ema is now train.ema_decay, train.rate is now …" for a list of old names.
function renamed.describe(names)
  local out = {}
  for i, name in ipairs(names) do
    out[i] = ("%s is now %s%s"):format(name, renamed.options[name], FORMS[name] or "")
  end
  return table.concat(out, ", ")
end

-- The old names that a list of configurations, complete or not, contains.
function renamed.in_configs(configs)
  return old_names(function(name)
    for _, one in ipairs(configs) do
      if type(one) == "table" and paths.get(one, name) ~= nil then return true end
    end
    return false
  end)
end

-- Replaces the old names in a configuration by the new ones, in place.
function renamed.update(config)
  for _, name in ipairs(renamed.in_configs { config }) do
    local section, key = name:match "^(.*)%.(.*)$"
    local value = paths.get(config, name)
    if FORMS[name] and type(value) == "table" then
      value = paths.copy(value)
      value[1] = value[1] or "counts"
    end
    paths.set(config, renamed.options[name], value)
    paths.get(config, section)[key] = nil
  end
end

-- Whether a text contains `key =` in a table that is given to `section`.
local function is_in_section(text, section, key)
  for inside in text:gmatch("%f[%w_]" .. section .. "%s*=%s*(%b{})") do
    if inside:find("%f[%w_]" .. key .. "%s*=[^=]") then return true end
  end
  return false
end

-- The old names that the text of a recipe appears to contain. The recipe is not executed, so a name that
-- the recipe computes is not found.
function renamed.in_text(text)
  return old_names(function(name)
    local section, key = name:match "^(.*)%.(.*)$"
    return text:find("%f[%w_]" .. name:gsub("%.", "%%.") .. "%f[^%w_]") ~= nil
      or is_in_section(text, section, key)
  end)
end

-- An argument of --set, "train.ema=0.5" or "vary.train.ema={…}", with the option's new name.
function renamed.setting(text)
  local path, value = text:match "^([^=]*)(=.*)$"
  if not path then return text end
  local axis = path:match "^vary%." or ""
  local new = renamed.options[path:sub(#axis + 1)]
  return new and axis .. new .. value or text
end

-- Raises if a table of arguments contains an old name; `where` is the function's name.
function renamed.check_arguments(given, where)
  for key in pairs(given) do renamed.check(("%s.%s"):format(where, tostring(key))) end
end

return renamed
