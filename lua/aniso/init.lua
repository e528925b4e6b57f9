-- The library as a user sees it: aniso.schedule{…}, aniso.study{…}, aniso.store.open(…).
-- A field is loaded when it is first used. A field nobody has is an error with the nearest
-- name. `faces` is the whole public list; `aniso` at the prompt prints it.
local core = require "aniso.core"

local faces = {
  { "study", "a study from data, a base configuration, what varies and seeds" },
  { "grid", "every combination of option values" },
  { "variants", "named variants of a configuration" },
  { "power", "λ policies n_j^(−γ) for a list of γ" },
  { "tensor", "arrays of float32 or int64 with gradients" },
  { "schedule", "noise levels over time and over classes" },
  { "compare_schedules", "one class under several schedules, drawn" },
  { "sampler", "reverse chains from noise to class probabilities" },
  { "prior", "the forward process's prior networks" },
  { "denoiser", "the reverse process's network" },
  { "mmd", "the maximum mean discrepancy loss" },
  { "resnet", "backbones" },
  { "data", "image sets: folders, tables, the built-in lesions" },
  { "model", "prior, denoiser and objective in one" },
  { "optim", "optimisers and learning rates" },
  { "metric", "what a confusion matrix and probabilities say" },
  { "trainer", "trains and evaluates one configuration" },
  { "evaluate", "evaluates a stored run" },
  { "config", "the complete default configuration" },
  { "store", "the run database" },
  { "options", "option tables in which a mistake is an error" },
  { "progress", "bars on a terminal, lines elsewhere" },
  { "plot", "lines with error bars, on the terminal or as SVG" },
  { "pretty", "any value as text" },
  { "table", "rows as a table, CSV or JSON" },
}

local from_study = { grid = true, variants = true, power = true }

-- A module with a constructor is called like one: aniso.schedule{…} is schedule.new{…}.
local function callable(module)
  if type(module) == "table" and not getmetatable(module) and module.new then
    setmetatable(module, { __call = function(_, ...) return module.new(...) end })
  end
  return module
end

local function load_face(name)
  local study = require "aniso.study"
  if name == "study" then return study.new end
  if from_study[name] then return study[name] end
  local path = "aniso." .. name
  local in_lua = type(package.searchers[2](path)) == "function"
  return in_lua and callable(require(path)) or core[name] or require(path)
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
        local value = load_face(name)
        rawset(self, name, value)
        return value
      end
    end
    local meant = type(name) == "string" and require "aniso.nearest" (name, names())
    local hint = meant and (" (did you mean %s?)"):format(meant) or ""
    error(("aniso has no %s%s"):format(tostring(name), hint), 2)
  end,
})
