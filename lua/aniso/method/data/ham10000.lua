-- ham10000: HAM10000 as published (Tschandl et al. 2018, doi:10.7910/DVN/DBW86T), grouped by lesion.
local columns = require "aniso.method.data.columns"
local fields = require "aniso.method.data.fields"
local published = require "aniso.method.data.published"
local tables = require "aniso.method.data.table"

local ham = {
  kind = "ham10000", title = "HAM10000",
  expects = "HAM10000_metadata.csv with the columns lesion_id, image_id and dx",
  counts = { { "nv", 6705 }, { "mel", 1113 }, { "bkl", 1099 }, { "bcc", 514 }, { "akiec", 327 },
    { "vasc", 142 }, { "df", 115 } },
  options = fields.files {}, image_folder = "^HAM10000_images_part_%d$",
}

-- Dataverse names the table without an extension, or .tab if it converted it.
function ham.find(root)
  return tables.find(root, { "HAM10000_metadata.csv", "HAM10000_metadata", "HAM10000_metadata.tab" },
    { "lesion_id", "image_id", "dx" })
end

function ham.open(given, facts, fits)
  local root = fields.need(given, "root", "the folder that holds HAM10000_metadata.csv")
  local path = ham.find(root) or published.wrong_pick(ham, root, fits)
  local t <close> = tables.read(path)
  local rows = columns.rows(t, { image = "image_id", label = "dx", group = "lesion_id" })
  published.check(ham, rows.class, facts.warnings)
  published.check_groups(rows.group, "lesion_id", path, facts.warnings)
  local classes = {}
  for k, one in ipairs(ham.counts) do classes[k] = one[1] end
  return { origin = path, root = root, rows = rows, extension = ".jpg", classes = classes,
    folders = fields.folders(root, { "images", ".", "HAM10000_images_part_1", "HAM10000_images_part_2" }) }
end

function ham.columns()
  return { "image_id", "dx" }
end

return ham
