-- The library as a user sees it: aniso.schedule{…}, aniso.study{…}, aniso.store.open(…).
-- A field is loaded when it is first used. An unknown field is an error that names the nearest one.
-- `faces` is the whole public list; `aniso` at the prompt prints it.
local core = require "aniso.core"
require "aniso.prompt.explore.schedule"

-- name, the module or module:function behind it, what it is. with: a module of a higher layer that
-- registers what the face shows or draws.
local faces = {
  { "study", "recipe.study:new", "a study from data, a base configuration, what varies and seeds" },
  { "grid", "recipe.study:grid", "every combination of option values" },
  { "variants", "recipe.study:variants", "named variants of a configuration" },
  { "ablation", "recipe.ablation:new", "the method without, with and by its named parts" },
  { "power", "recipe.study:power", "λ policies n_j^(−γ) for a list of γ" },
  { "tensor", "core:tensor", "arrays of float32 or int64 with gradients" },
  { "schedule", "method.schedule", "noise levels over time and over classes" },
  { "compare_schedules", "prompt.explore.compare_schedules", "one class under several schedules, drawn" },
  { "sampler", "method.sampler", "reverse chains from noise to class probabilities" },
  { "prior", "method.networks:prior", "the forward process's prior networks" },
  { "denoiser", "method.networks:denoiser", "the reverse process's network" },
  { "mmd", "method.mmd", "the maximum mean discrepancy loss" },
  { "resnet", "method.networks:resnet", "backbones" },
  { "data", "method.data", "image sets: folders, tables, the built-in lesions" },
  { "model", "method.model", "prior, denoiser and objective in one" },
  { "optim", "method.optim", "optimisers and learning rates" },
  { "metric", "stats.metric", "metrics of a confusion matrix and of probabilities" },
  { "tilt", "stats.tilt", "class probabilities under other class shares" },
  { "trainer", "train.run", "trains and evaluates one configuration",
    with = "show.progress.default_board" },
  { "evaluate", "method.predict", "evaluates a stored run" },
  { "load", "inference.predictor:load", "a trained model from a file, for new images" },
  { "config", "method.config", "the complete default configuration" },
  { "store", "store", "the run database", with = "prompt.explore.database" },
  { "options", "recipe.options", "option tables in which a mistake is an error" },
  { "progress", "show.progress", "bars on a terminal, lines elsewhere" },
  { "plot", "show.plot", "lines with error bars, on the terminal or as SVG" },
  { "pretty", "show.pretty", "any value as text" },
  { "table", "show.table", "rows as a table, CSV or JSON" },
}

-- A module with a constructor is called like one: aniso.schedule{…} is schedule.new{…}.
local function callable(module)
  if type(module) == "table" and not getmetatable(module) and module.new then
    setmetatable(module, { __call = function(_, ...) return module.new(...) end })
  end
  return module
end

local function load_face(face)
  local module, field = face[2]:match "^([^:]*):?(.*)$"
  local loaded = require("aniso." .. module)
  if face.with then require("aniso." .. face.with) end
  return field == "" and callable(loaded) or loaded[field]
end

local aniso = { version = core.sys.version, core = core }

local function names()
  local list = {}
  for i, face in ipairs(faces) do list[i] = face[1] end
  return list
end

return setmetatable(aniso, {
  __name = "aniso",
  __tostring = function()
    local lines = { "aniso " .. aniso.version }
    for i, face in ipairs(faces) do lines[i + 1] = ("  aniso.%-17s %s"):format(face[1], face[2]) end
    return table.concat(lines, "\n")
  end,
  __dir = names,
  __index = function(self, name)
    for _, face in ipairs(faces) do
      if face[1] == name then
        local value = load_face(face)
        rawset(self, name, value)
        return value
      end
    end
    local meant = type(name) == "string" and require "aniso.recipe.nearest" (name, names())
    local hint = meant and (" (did you mean %s?)"):format(meant) or ""
    error(("aniso has no %s%s"):format(tostring(name), hint), 2)
  end,
})
