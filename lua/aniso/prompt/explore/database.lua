-- What a run database gets from rooms that store/ does not know: how it and a comparison print at the
-- prompt, and the values of options. The code is loaded when it is first used.
local keys = require "aniso.store.keys"
local store = require "aniso.store"

function keys.choices_of(option) return require("aniso.method.config").choices(option) end

-- See show/pretty.lua.
store.methods.__pretty = function(db) return require "aniso.prompt.explore.runs"(db) end

store.Comparison.__tostring = function(result)
  return (require("aniso.show.compare_text").text(result, "table"):gsub("\n$", ""))
end

return store
