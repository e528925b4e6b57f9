-- aniso tag RUN NAME…: words by which a run is found again: aniso ls tag:NAME.
local common = require "aniso.cli.common"
local console = require "aniso.show.console"

local tag = { summary = "give a run tags, or take them away" }

function tag.arguments(parser)
  parser:argument("run", "the run")
  parser:argument("name", "single words"):args "+"
  parser:flag("-d --delete", "take the tags away")
  common.db(parser)
end

-- Adds or takes away, and prints the tags that the run then has.
function tag.change(args, names)
  local db <close> = common.open_to_annotate(args)
  local run = common.find(db, args.run)
  common.call(db, args.delete and "untag" or "tag", run, names)
  local tags = common.call(db, "tags")[run.run_id] or {}
  console.print(("%s: %s"):format(run.uid, #tags > 0 and table.concat(tags, " ") or "no tags"))
end

function tag.run(args)
  tag.change(args, args.name)
end

return tag
