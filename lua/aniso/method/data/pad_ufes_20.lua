-- pad_ufes_20: PAD-UFES-20 as published (Pacheco et al. 2020, doi:10.17632/zr7vgbcyr2.1): smartphone
-- images of six skin lesions, grouped by patient.
local columns = require "aniso.method.data.columns"
local fields = require "aniso.method.data.fields"
local published = require "aniso.method.data.published"
local tables = require "aniso.method.data.table"

local pad = {
  kind = "pad_ufes_20", title = "PAD-UFES-20",
  expects = "metadata.csv with the columns patient_id, diagnostic and img_id",
  counts = { { "BCC", 845 }, { "ACK", 730 }, { "NEV", 244 }, { "SEK", 235 }, { "SCC", 192 }, { "MEL", 52 } },
  options = fields.files {}, image_folder = "^imgs_part_%d$",
}

-- The archives unpack to imgs_part_N or, in another folder of that name, to imgs_part_N/imgs_part_N; they
-- are published in a folder named `images`.
local FOLDERS = { ".", "images", "imgs" }
for part = 1, 3 do
  FOLDERS[#FOLDERS + 1] = ("imgs_part_%d"):format(part)
  FOLDERS[#FOLDERS + 1] = ("imgs_part_%d/imgs_part_%d"):format(part, part)
  FOLDERS[#FOLDERS + 1] = ("images/imgs_part_%d"):format(part)
  FOLDERS[#FOLDERS + 1] = ("images/imgs_part_%d/imgs_part_%d"):format(part, part)
end

function pad.find(root)
  return tables.find(root, { "metadata.csv" }, { "patient_id", "diagnostic", "img_id" })
end

function pad.open(given, facts, fits)
  local root = fields.need(given, "root", "the folder that holds metadata.csv")
  local path = pad.find(root) or published.wrong_pick(pad, root, fits)
  local t <close> = tables.read(path)
  local rows = columns.rows(t, { image = "img_id", label = "diagnostic", group = "patient_id" })
  published.check(pad, rows.class, facts.warnings)
  published.check_groups(rows.group, "patient_id", path, facts.warnings)
  return { origin = path, root = root, rows = rows, folders = fields.folders(root, FOLDERS),
    classes = published.present(pad, rows.class) }
end

function pad.columns()
  return { "img_id", "diagnostic" }
end

return pad
