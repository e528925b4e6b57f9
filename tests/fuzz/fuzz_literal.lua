-- Any bytes as lines KEY=VALUE of --set: each value is read and set in one table.
-- Covers: lua/aniso/recipe/literal.lua lua/aniso/recipe/paths.lua
local literal = require "aniso.recipe.literal"
local options = require "aniso.recipe.options"

return function(text)
  local given = {}
  for line in text:gmatch "[^\n]+" do
    local key, value = line:match "^([^=]+)=(.*)$"
    if key then options.set(given, key, value) else literal.describe(literal.read(line)) end
  end
end
