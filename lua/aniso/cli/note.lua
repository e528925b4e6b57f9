-- aniso note RUN TEXT and aniso note --where FILTER TEXT: stores a remark with its time; aniso show prints a
-- run's notes.
local filtered_runs = require "aniso.cli.filtered_runs"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"

local note = { summary = "add a note to runs" }

function note.arguments(parser)
  parser:argument("words", "a run (not with --where), then the text"):args "+":argname { "RUN", "TEXT" }
  filtered_runs.where(parser)
  common.db(parser)
end

function note.run(args)
  local db <close> = common.open_to_annotate(args)
  local runs, words = filtered_runs.first_word(db, args, args.words, "a remark")
  for _, run in ipairs(runs) do
    common.call(db, "note", run, table.concat(words, " "))
    if #runs > 1 then console.print(run.uid) end
    for _, one in ipairs(common.call(db, "notes", run)) do
      console.print(one.at:sub(1, 16) .. "  " .. one.text)
    end
  end
end

return note
