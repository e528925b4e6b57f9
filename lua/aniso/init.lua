-- The library as a user sees it: aniso.schedule{…}, aniso.study{…}, aniso.store.open(…).
-- A field is loaded when it is first used. A field nobody has is an error with the nearest
-- name. `faces` is the whole public list, in the order that help prints.
local core = require "aniso.core"

local faces = {
  { "study", "a study from data, a base configuration, what varies and seeds" },
  { "grid", "every combination of option values" },
  { "variants", "named variants of a configuration" },
  { "power", "λ policies n_j^(−γ) for a list of γ" },
  { "tensor", "arrays of float32 or int64 with gradients" },
  { "schedule", "noise levels over time and over classes" },
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
  { "progress", "a bar on a terminal, lines elsewhere" },
  { "pretty", "any value as text" },
  { "table", "rows as a table, CSV or JSON" },
}

local from_study = { grid = true, variants = true, power = true }

local function load_face(name)
  if name == "study" then return require("aniso.study").new end
  if from_study[name] then return require("aniso.study")[name] end
  if rawget(core, name) and not package.loaded["aniso." .. name] then
    local found, face = pcall(require, "aniso." .. name)
    if found then return face end
    if not face:find("module 'aniso." .. name .. "' not found", 1, true) then error(face, 0) end
    return core[name]
  end
  return require("aniso." .. name)
end

local aniso = { version = core.sys.version, core = core }

-- The public names and a line on each: a list of {name, text}.
function aniso.faces()
  return faces
end

return setmetatable(aniso, {
  __name = "aniso",
  __tostring = function() return "aniso " .. aniso.version end,
  __index = function(self, name)
    local names = {}
    for i, face in ipairs(faces) do
      names[i] = face[1]
      if face[1] == name then
        local value = load_face(name)
        rawset(self, name, value)
        return value
      end
    end
    local meant = type(name) == "string" and require "aniso.nearest" (name, names)
    error(("aniso has no %s%s"):format(tostring(name), meant and (" (did you mean %s?)"):format(meant) or ""), 2)
  end,
})
