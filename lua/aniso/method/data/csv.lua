-- csv: a row per image in a table, or in two joined ones.
local columns = require "aniso.method.data.columns"
local fields = require "aniso.method.data.fields"
local options = require "aniso.recipe.options"
local tables = require "aniso.method.data.table"

local csv = { kind = "csv" }

local join_options = { table = options.optional "string", on = options.optional "string" }

local function check_join(value, where)
  local out = options.check(value, join_options, where)
  for _, key in ipairs { "table", "on" } do
    if not out[key] then error(("option %s.%s is needed"):format(where, key), 0) end
  end
  return out
end

csv.options = fields.files {
  table = options.optional "string", image = "image", label = "label",
  one_hot = options.optional(options.list "string"),
  group = options.optional "string", fold = options.optional "string",
  join = options.optional(options.custom(check_join)),
  extension = "", images = options.any,
}

-- The table of the options, joined with the one of `join`.
local function read(root, given)
  local left = tables.read(fields.join(root, fields.need(given, "table", "the CSV file's name")))
  if not given.join then return left end
  return tables.join(left, tables.read(fields.join(root, given.join.table)), given.join.on)
end

function csv.open(given, facts)
  local root = fields.need(given, "root", "the folder that holds the table and the images")
  local images = given.images or "images"
  local t <close> = read(root, given)
  local rows = columns.rows(t, given)
  if given.fold then rows.fold = columns.folds(t, given.fold) end
  local split = given.split
  if split and t:has(split) then
    rows.part = columns.parts(t, split)
  elseif not split and t:has "split" then
    facts.notes[#facts.notes + 1] = 'the table has a column split, which split = "split" uses'
  end
  return {
    origin = t.path, root = root, rows = rows, name = fields.last_part(root),
    extension = given.extension,
    folders = fields.join_all(root, type(images) == "string" and { images } or images),
    split_name = rows.part and "column " .. split or nil,
  }
end

function csv.columns(given)
  return { given.image, given.label }
end

return csv
