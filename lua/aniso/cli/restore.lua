-- aniso restore RUN… and aniso restore --where FILTER: restores what aniso rm removed, as long as aniso gc
-- has not deleted it. aniso ls --removed lists them.
local console = require "aniso.show.console"
local rm = require "aniso.cli.rm"

local restore = { summary = "restore removed runs" }

restore.arguments = rm.arguments

function restore.run(args)
  local n = rm.change(args, "restore", true)
  console.note(("%d run%s restored"):format(n, n == 1 and "" or "s"))
end

return restore
