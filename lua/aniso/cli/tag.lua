-- aniso tag RUN NAME… and aniso tag --where FILTER NAME…: words by which aniso ls tag:NAME finds runs.
local filtered_runs = require "aniso.cli.filtered_runs"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"

local tag = { summary = "add tags to runs, or remove them" }

function tag.arguments(parser)
  parser:argument("words", "a run (not with --where), then the tags, each a single word"):args "+"
    :argname { "RUN", "NAME" }
  filtered_runs.where(parser)
  parser:flag("-d --delete", "remove the tags instead")
  common.db(parser)
end

-- Adds or removes the tags of all runs at once, and prints the resulting tags of each.
function tag.change(db, args, runs, names)
  common.call(db, args.delete and "untag" or "tag", runs, names)
  local tags = common.call(db, "tags")
  for _, run in ipairs(runs) do
    console.print(("%s: %s"):format(run.uid, table.concat(tags[run.run_id] or { "no tags" }, " ")))
  end
end

function tag.run(args)
  local db <close> = common.open_to_annotate(args)
  local runs, names = filtered_runs.first_word(db, args, args.words, "tags")
  tag.change(db, args, runs, names)
end

return tag
