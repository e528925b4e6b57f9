-- aniso restore RUN… and aniso restore --where FILTER: brings back what aniso rm removed, until
-- aniso gc deletes it. aniso ls --removed lists them.
local rm = require "aniso.cli.rm"

local restore = { summary = "bring removed runs back" }

restore.arguments = rm.arguments

function restore.run(args)
  rm.change(args, "restore", true)
end

return restore
