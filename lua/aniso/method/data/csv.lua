-- csv: a row per image in a table, or in two joined ones.
local columns = require "aniso.method.data.columns"
local core = require "aniso.core"
local fault = require "aniso.method.data.fault"
local fields = require "aniso.method.data.fields"
local labels = require "aniso.method.data.labels"
local options = require "aniso.recipe.options"
local tables = require "aniso.method.data.table"
local tree = require "aniso.method.data.tree"
local warnings = require "aniso.method.data.warnings"

local csv = { kind = "csv" }

local join_options = { table = options.optional "string", on = options.optional "string" }

local function check_join(value, where)
  local out = options.check(value, join_options, where)
  for _, key in ipairs { "table", "on" } do
    if not out[key] then error(("option %s.%s is needed"):format(where, key), 0) end
  end
  return out
end

csv.options = labels.options(fields.files {
  table = options.optional "string", image = "image", label = "label",
  one_hot = options.optional(options.list "string"),
  group = options.optional "string", fold = options.optional "string",
  join = options.optional(options.custom(check_join)),
  extension = "", images = options.any, strip = options.optional "string",
  no_group = options.optional(options.list "string"),
})

-- The table of the options, joined with the one of `join`.
local function read(root, given)
  local left = tables.read(fields.join(root, fields.need(given, "table", "the CSV file's name")))
  if not given.join then return left end
  return tables.join(left, tables.read(fields.join(root, given.join.table)), given.join.on)
end

-- The folders that are searched. Without `images`: the folder images, root itself, the table's own folder.
local function folders_of(root, given)
  if given.images then
    return fields.join_all(root, type(given.images) == "string" and { given.images } or given.images)
  end
  local out = fields.join_all(root, { "images", "." })
  local own = fields.join(root, given.table):match "^(.*)/[^/]*$"
  if own and own ~= out[2] then out[3] = own end
  return out
end

-- Removes the text `front` and the separators after it from the names that begin with it; / and \ are equal.
local function strip(names, front)
  local plain = front:gsub("\\", "/"):gsub("/+$", "")
  local out = {}
  for row, name in ipairs(names) do
    local rest = name:sub(#plain + 1)
    local fits = name:sub(1, #plain):gsub("\\", "/") == plain
    out[row] = fits and rest:find "^[/\\]." and rest:gsub("^[/\\]+", "") or name
  end
  return out
end

-- The ids of groups; those that mean none become "", which is an image alone.
local function settle_groups(rows, given, t, facts)
  if not rows.group then return end
  local none, out = {}, {}
  for _, id in ipairs(given.no_group or {}) do none[id] = true end
  for row, id in ipairs(rows.group) do out[row] = none[id] and "" or id end
  rows.group = out
  labels.warn_of_groups(out, given.group, t.path, facts.warnings)
end

-- Notes the images directly in the folders that no row names, by the last part of their names.
local function note_unlisted(folders, names, extension, facts)
  local listed = {}
  for _, name in ipairs(names) do
    local last = name:match "[^/\\]*$"
    listed[last], listed[last .. extension] = true, true
  end
  for _, folder in ipairs(folders) do
    local n, example = 0, nil
    for _, name in ipairs(core.sys.exists(folder) == "directory" and core.sys.list(folder) or {}) do
      if tree.is_image(name) and not listed[name] then n, example = n + 1, example or name end
    end
    if n > 0 then
      facts.notes[#facts.notes + 1] = ("%d images in %s are in no row of the table (such as %s)"):format(n,
        folder,
        example)
    end
  end
end

function csv.open(given, facts)
  local root = fields.need(given, "root", "the folder that holds the table and the images")
  if core.sys.exists(root) == "file" then
    local folder, name = root:match "^(.*)/([^/]*)$"
    fault.raise("ENOTFOUND", '%s: a file; root = "%s", table = "%s" read it', root, folder or ".", name
      or root)
  end
  local t <close> = read(root, given)
  local rows = columns.rows(t, given, labels.left_out(given)[""])
  if given.strip then rows.key = strip(rows.key, given.strip) end
  settle_groups(rows, given, t, facts)
  local one_hot = not given.one_hot and columns.one_hot_option(t, given.label)
  if one_hot then
    warnings.add(facts.warnings, "%s: the label is 0 or 1, as in other columns; one_hot = %s makes each of "
      .. "them a class", t.path, one_hot)
  end
  if given.fold then rows.fold = columns.folds(t, given.fold) end
  local split = given.split
  if split and t:has(split) then
    rows.part = columns.parts(t, split)
  elseif not split and t:has "split" then
    facts.notes[#facts.notes + 1] = 'the table has a column split, which split = "split" uses'
  end
  local folders = folders_of(root, given)
  note_unlisted(folders, rows.key, given.extension, facts)
  return {
    origin = t.path, root = root, rows = rows, name = fields.last_part(root),
    extension = given.extension, folders = folders,
    split_name = rows.part and "column " .. split or nil,
  }
end

function csv.columns(given)
  return { given.image, given.label }
end

return csv
