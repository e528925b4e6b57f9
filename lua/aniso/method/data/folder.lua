-- folder: a sub-folder per class, or nested folders; train, val and test above them where the parts
-- came with the data.
local fields = require "aniso.method.data.fields"
local options = require "aniso.recipe.options"
local tree = require "aniso.method.data.tree"
local warnings = require "aniso.method.data.warnings"

local folder = { kind = "folder" }

local function check_nested(value, where)
  local depth = math.tointeger(value)
  if type(value) == "boolean" or depth and depth >= 1 and depth <= 16 then return depth or value end
  error(("option %s must be true, false or a depth from 1 to 16, got %s"):format(where, tostring(value)), 0)
end

folder.options = fields.files {
  nested = options.optional(options.custom(check_nested)),
  class_from = options.optional(options.one_of { "last", "path" }),
}

-- A warning about each kind of file that was not read; facts keeps the counts for `aniso data info`.
function folder.report(report, facts)
  local example
  facts.other_files, facts.strays = report.other, report.strays
  for _, one in pairs(report.other) do
    one.example = one.example:sub(#report.root + 2)
    example = (not example or one.example < example) and one.example or example
  end
  if example then
    warnings.add(facts.warnings, "%s: %s not read, only JPEG, PNG and BMP are (such as %s)", report.root,
      tree.describe_other(report.other), example)
  end
  if report.strays > 0 then
    warnings.add(facts.warnings, "%s: %d images outside the class folders are not read (such as %s); "
      .. "nested = 1 reads sub-folders of a class", report.root, report.strays, report.example)
  end
end

function folder.open(given, facts, fits)
  local root = fields.need(given, "root", "the folder that holds a folder per class")
  local set = fits(root)
  if set then
    warnings.add(facts.warnings, '%s looks like a published set, which data = { "%s", root = … } reads', root,
      set)
  end
  local how = { nested = given.nested or false, class_from = given.class_from or "last" }
  local rows, report = tree.read(root, how)
  folder.report(report, facts)
  return { origin = root, root = root, rows = rows, name = fields.last_part(root),
    split_name = rows.part and "folders" or nil }
end

return folder
