-- The options, curves, arguments and columns that earlier versions called otherwise: old name → new
-- name. An old name is an error that gives the new one; stored configurations are renamed by
-- store/old_options.sql, and tests/lua/test_renamed.lua compares the two lists.
local renamed = {}

-- Stored with each run: options by their dotted path, and one curve.
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

-- Raises where `name` is an old name.
function renamed.refuse(name)
  local column = renamed.columns[name]
  if column then error(("column %s is now %s"):format(name, column), 0) end
  local new = renamed.options[name] or renamed.curves[name] or renamed.arguments[name]
  if new then error(("option %s is now %s"):format(name, new), 0) end
end

-- An argument of --set, "train.ema=0.5" or "vary.train.ema={…}", with the option's new name.
function renamed.setting(text)
  local path, value = text:match "^([^=]*)(=.*)$"
  if not path then return text end
  local axis = path:match "^vary%." or ""
  local new = renamed.options[path:sub(#axis + 1)]
  return new and axis .. new .. value or text
end

-- Raises where a table of arguments has an old name; `where` is the function's name.
function renamed.refuse_arguments(given, where)
  for key in pairs(given) do renamed.refuse(("%s.%s"):format(where, tostring(key))) end
end

return renamed
