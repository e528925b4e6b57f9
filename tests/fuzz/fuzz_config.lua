-- Any bytes as lines KEY=VALUE that change the configuration of a stored run: it is completed or refused, and
-- a complete one is the same after it was stored as JSON. A line without `=` is a configuration in JSON.
-- Covers: lua/aniso/method/config.lua lua/aniso/recipe/options.lua lua/aniso/recipe/baseline.lua
--   lua/aniso/method/limits.lua
local config = require "aniso.method.config"
local json = require("aniso.core").json
local options = require "aniso.recipe.options"

return function(text)
  local given = {}
  for line in text:gmatch "[^\n]+" do
    local key, value = line:match "^([^={]+)=(.*)$"
    local stored = not key and json.decode(line)
    if key then options.set(given, key, value) elseif type(stored) == "table" then given = stored end
  end
  local complete = config.complete(given)
  config.conflicts(complete)
  local stored = json.encode(complete)
  if json.encode(config.complete(json.decode(stored))) ~= stored then
    return "a configuration that changes when it is stored: " .. stored
  end
end
