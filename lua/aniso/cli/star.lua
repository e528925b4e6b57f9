-- aniso star RUN… and aniso star --where FILTER: the tag `star`, for the runs that matter: aniso ls tag:star.
local filtered_runs = require "aniso.cli.filtered_runs"
local common = require "aniso.cli.common"

local star = { summary = "add the tag star to runs, or remove it" }

function star.arguments(parser)
  parser:argument("runs", common.TEXT.runs):args "*"
  filtered_runs.where(parser)
  parser:flag("-d --delete", "remove the star instead")
  common.db(parser)
end

function star.run(args)
  local db <close> = common.open_to_annotate(args)
  require("aniso.cli.tag").change(db, args, filtered_runs.of(db, args, args.runs), { "star" })
end

return star
