-- The options, curves and columns that earlier versions called otherwise: old name → new name. An
-- old name is an error that gives the new one; stored configurations are renamed by
-- store/old_names.sql, and tests/lua/test_renamed.lua compares the two lists.
local renamed = {}

-- Stored with each run: options by their dotted path, and one curve.
renamed.options = {
  ["loss.epsilon"] = "loss.denoising",
  ["prior.crop"] = "prior.crop_size",
  ["prior.top"] = "prior.top_percent",
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

-- The new name of `name`, or nil where it was never renamed.
function renamed.of(name)
  return renamed.options[name] or renamed.curves[name] or renamed.arguments[name]
end

-- Raises for an argument table that still has an old name; `where` is the function's name.
function renamed.refuse(given, where)
  for key in pairs(given) do
    local old = ("%s.%s"):format(where, tostring(key))
    if renamed.arguments[old] then
      error(("option %s is now %s"):format(old, renamed.arguments[old]), 0)
    end
  end
end

return renamed
