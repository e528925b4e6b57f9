-- folder: a sub-folder per class, or nested folders; train, val and test above them if the data come in
-- parts.
local fields = require "aniso.method.data.fields"
local labels = require "aniso.method.data.labels"
local options = require "aniso.recipe.options"
local parts = require "aniso.method.data.parts"
local tree = require "aniso.method.data.tree"
local unread = require "aniso.method.data.unread"
local warnings = require "aniso.method.data.warnings"

local folder = { kind = "folder" }

local function check_nested(value, where)
  local depth = math.tointeger(value)
  if type(value) == "boolean" or depth and depth >= 1 and depth <= 16 then return depth or value end
  error(("option %s must be true, false or a depth from 1 to 16, got %s"):format(where, tostring(value)), 0)
end

folder.options = labels.options(fields.files {
  nested = options.optional(options.custom(check_nested)),
  class_from = options.optional(options.one_of { "last", "path" }),
})

-- Notes where the classes and the parts were found.
local function note_layout(report, given, facts)
  if report.wrapped then facts.notes[#facts.notes + 1] = "read from the folder " .. report.wrapped end
  if report.part_names then facts.notes[#facts.notes + 1] = parts.note(report.part_names, given) end
end

local function check_classes(rows, report)
  for _, class in ipairs(rows.class) do
    if class ~= rows.class[1] then return end
  end
  if rows.class[1] then unread.refuse_single(report, rows.class[1]) end
end

function folder.open(given, facts, fits)
  local root = fields.need(given, "root", "the folder that holds a folder per class")
  local set = fits(root)
  if set then
    warnings.add(facts.warnings, '%s looks like a published set, which data = { "%s", root = … } reads', root,
      set)
  end
  local how = { nested = given.nested or false, class_from = given.class_from or "last",
    leave_out = labels.left_out(given) }
  local rows, report = tree.read(root, how)
  unread.warn(report, facts)
  note_layout(report, given, facts)
  check_classes(rows, report)
  return { origin = root, root = root, rows = rows, name = fields.last_part(root),
    split_name = rows.part and "folders" or nil }
end

return folder
