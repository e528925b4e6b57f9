-- hyper_kvasir: the labelled images of Hyper-Kvasir as published (Borgli et al. 2020,
-- doi:10.1038/s41597-020-00622-y): 23 classes in nested folders, with official folds in tables.
local columns = require "aniso.method.data.columns"
local core = require "aniso.core"
local fields = require "aniso.method.data.fields"
local options = require "aniso.recipe.options"
local published = require "aniso.method.data.published"
local fault = require "aniso.method.data.fault"
local tables = require "aniso.method.data.table"
local tree = require "aniso.method.data.tree"
local unread = require "aniso.method.data.unread"

local kvasir = {
  kind = "hyper_kvasir", title = "Hyper-Kvasir",
  expects = "labeled-images/ with lower-gi-tract/ and upper-gi-tract/",
  counts = { { "bbps-2-3", 1148 }, { "polyps", 1028 }, { "cecum", 1009 }, { "dyed-lifted-polyps", 1002 },
    { "pylorus", 999 }, { "dyed-resection-margins", 989 }, { "z-line", 932 }, { "retroflex-stomach", 764 },
    { "bbps-0-1", 646 }, { "ulcerative-colitis-grade-2", 443 }, { "esophagitis-a", 403 },
    { "retroflex-rectum", 391 }, { "esophagitis-b-d", 260 }, { "ulcerative-colitis-grade-1", 201 },
    { "ulcerative-colitis-grade-3", 133 }, { "impacted-stool", 131 }, { "barretts-short-segment", 53 },
    { "barretts", 41 }, { "ulcerative-colitis-grade-0-1", 35 }, { "ulcerative-colitis-grade-2-3", 28 },
    { "ulcerative-colitis-grade-1-2", 11 }, { "ileum", 9 }, { "hemorrhoids", 6 } },
}

kvasir.options = fields.files { official_folds = options.one_of { 5, 2, false } }

-- The tables of the official folds spell some classes differently from the folders.
local FOLDER_NAME = {
  polyp = "polyps", hemorroids = "hemorrhoids", ["short-segment-barretts"] = "barretts-short-segment",
}

-- The class as the published folders spell it.
function kvasir.class(name)
  name = name:gsub("^normal%-", ""):gsub("^oesophagitis", "esophagitis")
  return FOLDER_NAME[name] or name
end

function kvasir.find(root)
  for _, below in ipairs { "labeled-images", "labelled-images", "." } do
    local base = fields.join(root, below)
    for _, tract in ipairs { "lower-gi-tract", "upper-gi-tract" } do
      if core.sys.exists(base .. "/" .. tract) == "directory" then return base end
    end
  end
  return nil
end

-- The fold of each image from N_fold_split.csv.
local function official_folds(path, rows)
  local t <close> = tables.read(path)
  local files, classes, cells = t:column "file-name", t:column "class-name", t:column "split-index"
  local row_of, folds = {}, {}
  for row, name in ipairs(files) do
    if row_of[name] then
      fault.raise("EFORMAT", "%s line %d: %s is listed twice, first in line %d", path, t.lines[row], name,
        t.lines[row_of[name]])
    end
    row_of[name] = row
  end
  for i, key in ipairs(rows.key) do
    local row = row_of[fields.last_part(key)]
    if not row then
      fault.raise("EFORMAT", "%s: has no row for %s; official_folds = false does without the folds", path,
        key)
    elseif kvasir.class(classes[row]) ~= rows.class[i] then
      fault.raise("EFORMAT", "%s line %d: %s is of class %s here, but its folder is %s", path, t.lines[row],
        files[row], classes[row], rows.class[i])
    end
    folds[i] = cells[row]
  end
  return columns.number_folds(folds, function(i) return path .. ": " .. rows.key[i] end)
end

local function find_folds(root, base, count)
  local name = ("%d_fold_split.csv"):format(count)
  local wanted = { "file-name", "class-name", "split-index" }
  return tables.find(root, { name, "official_splits/" .. name }, wanted)
    or tables.find(base .. "/..", { name, "official_splits/" .. name }, wanted)
end

function kvasir.open(given, facts, fits)
  local root = fields.need(given, "root", "the folder that holds labeled-images")
  local base = kvasir.find(root) or published.wrong_pick(kvasir, root, fits)
  local rows, report = tree.read(base, { nested = true, class_from = "last" })
  unread.warn(report, facts)
  for i, name in ipairs(rows.class) do rows.class[i] = kvasir.class(name) end
  published.check(kvasir, rows.class, facts.warnings)
  local path = given.official_folds and find_folds(root, base, given.official_folds)
  if path then
    rows.fold = official_folds(path, rows)
  elseif given.official_folds then
    local other = given.official_folds == 5 and 2 or 5
    facts.notes[#facts.notes + 1] = ("%d_fold_split.csv is not there: no official folds%s"):format(
      given.official_folds, find_folds(root, base, other)
        and (" (official_folds = %d has a table)"):format(other) or "")
  end
  return { origin = base, root = root, rows = rows, classes = published.present(kvasir, rows.class) }
end

return kvasir
