-- Registers what the store takes from higher layers: how a database and a comparison print at the prompt, and
-- the values of options. The code is loaded on first use. → the store
local keys = require "aniso.store.keys"
local store = require "aniso.store"

keys.register_choices(function(option) return require("aniso.method.config").choices(option) end)

require("aniso.store.printing").register(
  function(db) return require "aniso.prompt.explore.runs"(db) end,
  function(result)
    return (require("aniso.show.compare_text").text(result, "table"):gsub("\n$", ""))
  end)

return store
