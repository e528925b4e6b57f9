-- aniso star RUN… and aniso star --where FILTER: the tag `star`, for the runs that matter: aniso ls tag:star.
local chosen_runs = require "aniso.cli.chosen_runs"
local common = require "aniso.cli.common"

local star = { summary = "mark runs with the tag star" }

function star.arguments(parser)
  parser:argument("runs", "the runs"):args "*"
  chosen_runs.where(parser)
  parser:flag("-d --delete", "take the star away")
  common.db(parser)
end

function star.run(args)
  local db <close> = common.open_to_annotate(args)
  require("aniso.cli.tag").change(db, args, chosen_runs.of(db, args, args.runs), { "star" })
end

return star
