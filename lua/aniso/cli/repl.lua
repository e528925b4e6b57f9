-- aniso repl: the prompt, with the library as `aniso`.
local cli = require "aniso.cli"

local repl = { summary = "explore at a prompt" }

function repl.run()
  return require("aniso.repl").run() and cli.DONE or cli.FAILED
end

return repl
