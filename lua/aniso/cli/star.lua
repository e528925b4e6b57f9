-- aniso star RUN: the tag `star`, for the runs that matter: aniso ls tag:star.
local common = require "aniso.cli.common"

local star = { summary = "mark a run with the tag star" }

function star.arguments(parser)
  parser:argument("run", "the run")
  parser:flag("-d --delete", "take the star away")
  common.db(parser)
end

function star.run(args)
  require("aniso.cli.tag").change(args, { "star" })
end

return star
