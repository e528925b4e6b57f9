-- aniso rename STUDY NEW and aniso rename STUDY:LABEL NEW: renames a study, or a variant in all of its runs.
-- Recipes keep their own names: aniso run gives stored runs the labels of its recipe, and a recipe whose
-- study has the old name begins a study of that name.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local contents = require "aniso.store.contents"
local hint = require "aniso.store.hint"
local labels = require "aniso.store.labels"

local rename = { summary = "rename a study or a variant" }

function rename.arguments(parser)
  parser:argument("name", "a study, or STUDY:LABEL for a variant")
  parser:argument("new", "new name of the study, or new label of the variant")
  common.db(parser)
end

-- "a:b:c" → the study and the label in it; the study is the longest prefix that names one.
local function parts_of(db, name)
  if common.guarded(contents.has_study, db, name) then return name end
  for at = #name, 1, -1 do
    local study = name:sub(at, at) == ":" and name:sub(1, at - 1)
    if study and common.guarded(contents.has_study, db, study) then return study, name:sub(at + 1) end
  end
  cli.fail(cli.NO_MATCH, ("there is no study %s in %s (%s lists the runs of all)"):format(name, db.path,
    hint.command(db, "ls")))
end

function rename.run(args)
  local db <close> = common.open_to_annotate(args)
  local study, label = parts_of(db, args.name)
  local n = common.checked(label and labels.rename or labels.rename_study, db, study, label or args.new,
    label and args.new)
  console.print(("%d run%s of %s: %s is now %s"):format(n, n == 1 and "" or "s", study,
    label and "the label " .. label or "the study", args.new))
end

return rename
