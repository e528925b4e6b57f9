-- aniso note RUN TEXT: a remark, kept with its time; aniso show prints a run's notes.
local common = require "aniso.cli.common"
local console = require "aniso.show.console"

local note = { summary = "add a remark to a run" }

function note.arguments(parser)
  parser:argument("run", "the run")
  parser:argument("text", "the remark"):args "+"
  common.db(parser)
end

function note.run(args)
  local db <close> = common.open_to_annotate(args)
  local run = common.find(db, args.run)
  common.call(db, "note", run, table.concat(args.text, " "))
  for _, one in ipairs(common.call(db, "notes", run)) do
    console.print(one.at:sub(1, 16) .. "  " .. one.text)
  end
end

return note
