-- Files whose names the user gives. Without `force` only a free name, an empty file or an earlier output of
-- the same kind is written: a database, an image, a link's target, a pipe and a device are left alone.
local core = require "aniso.core"
local sys = core.sys

local output_file = {}

local SEARCHED = 262144 -- bytes searched for the mark of a kind

-- The kinds, by a text that occurs in every file of the kind.
local marks = {
  report = '<meta name="generator" content="aniso"/>',
  ["SVG figure"] = ".an-paper{fill:",
  model = [[\"aniso_model\":]],
  ["features file"] = '"aniso_features":',
  ["table of features"] = "id,label,split,features_group",
}
output_file.marks = marks

local function has_mark(path, mark)
  local start = sys.read(path, SEARCHED, true)
  return start and (start == "" or start:find(mark, 1, true) ~= nil)
end

-- Whether the name ends as its kind does, by a pattern such as "%.svg$". Pipes and devices are exempt, and so
-- is /dev/stdout, which may be any file.
function output_file.is_named(path, pattern)
  return path:lower():find(pattern) ~= nil or sys.exists(path) == "other" or path:find "^/dev/" ~= nil
end

-- Why the file must not be written; nil if it may.
local function objection(path, kind)
  local what = sys.exists(path)
  if what == "other" then return "it is a pipe or a device" end
  if sys.is_link(path) then return "it is a link" end
  if what == "file" and not has_mark(path, marks[kind]) then
    return ("it exists and is not an earlier %s of aniso"):format(kind)
  end
end

-- Whether the user's file may be written → true | nil, message, code.
function output_file.may_write(path, kind, force)
  local why = not force and objection(path, kind)
  if not why then return true end
  return nil, ("%s is not replaced: %s; name another file or repeat with --force (force = true)")
    :format(path, why), "EIO"
end

-- write(path, "report" or "SVG figure", text, force) → true | nil, message, code. A link is followed with
-- `force`. A folder is never replaced.
function output_file.write(path, kind, text, force)
  local allowed, why, code = output_file.may_write(path, kind, force)
  if not allowed then return nil, why, code end
  -- With `force` the user means the link's target; files written for other reasons never follow a link.
  -- A pipe is opened by the name given, because /dev/stdout may have no other.
  local is_followed = sys.is_link(path) and sys.exists(path) ~= "other"
  return sys.write_atomic(is_followed and sys.realpath(path) or path, text)
end

return output_file
