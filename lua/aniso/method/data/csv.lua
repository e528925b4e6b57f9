-- csv: a row per image in a table, or in two joined tables.
local core = require "aniso.core"
local fault = require "aniso.method.data.fault"
local fields = require "aniso.method.data.fields"
local labelled_table = require "aniso.method.data.labelled_table"
local labels = require "aniso.method.data.labels"
local options = require "aniso.recipe.options"
local tree = require "aniso.method.data.tree"

local csv = { kind = "csv" }

csv.options = labels.options(fields.files(labelled_table.options {
  image = "image", extension = "", images = options.any, strip = options.optional "string",
}))

-- The folders to search. Without `images`: the folder images, root itself, the table's own folder.
local function folders_of(root, given)
  if given.images then
    return fields.join_all(root, type(given.images) == "string" and { given.images } or given.images)
  end
  local out = fields.join_all(root, { "images", "." })
  local own = fields.join(root, given.table):match "^(.*)/[^/]*$"
  if own and own ~= out[2] then out[3] = own end
  return out
end

-- Removes the text `front` and the separators after it from names that begin with it; / and \ are equal.
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

-- Notes images directly in the folders whose names, without their folders, occur in no row.
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
  local t <close> = labelled_table.read(root, given)
  local rows = labelled_table.rows(t, given, given.image, facts)
  if given.strip then rows.key = strip(rows.key, given.strip) end
  local folders = folders_of(root, given)
  note_unlisted(folders, rows.key, given.extension, facts)
  return {
    origin = t.path, root = root, rows = rows, name = fields.last_part(root),
    extension = given.extension, folders = folders,
    split_name = rows.part and "column " .. given.split or nil,
  }
end

function csv.columns(given)
  return { given.image, given.label }
end

return csv
