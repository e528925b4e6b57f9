-- How a run database and a comparison print at the prompt. The code is loaded when it is first used.
local store = require "aniso.store"

-- See show/pretty.lua.
store.methods.__pretty = function(db) return require "aniso.prompt.explore.runs"(db) end

store.Comparison.__tostring = function(result)
  return (require("aniso.show.compare_text").text(result, "table"):gsub("\n$", ""))
end

return store
