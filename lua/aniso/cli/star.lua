-- aniso star RUN… and aniso star --where FILTER: the tag `star`, for the runs that matter: aniso ls tag:star.
local filtered_runs = require "aniso.cli.filtered_runs"
local common = require "aniso.cli.common"

local star = { summary = "mark runs with the tag star" }

function star.arguments(parser)
  parser:argument("runs", "the runs"):args "*"
  filtered_runs.where(parser)
  parser:flag("-d --delete", "take the star away")
  common.db(parser)
end

function star.run(args)
  local db <close> = common.open_to_annotate(args)
  require("aniso.cli.tag").change(db, args, filtered_runs.of(db, args, args.runs), { "star" })
end

return star
