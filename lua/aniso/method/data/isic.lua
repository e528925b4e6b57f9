-- isic2018 and isic2019: the training images of the ISIC challenges of 2018 (task 3, which is HAM10000)
-- and 2019, with one-hot ground truth; grouped by lesion if the table of lesions is present. The
-- challenge of 2018 has published its validation and test images too.
local columns = require "aniso.method.data.columns"
local fields = require "aniso.method.data.fields"
local published = require "aniso.method.data.published"
local fault = require "aniso.method.data.fault"
local tables = require "aniso.method.data.table"
local warnings = require "aniso.method.data.warnings"

local function names_of(counts)
  local names = {}
  for i, one in ipairs(counts) do names[i] = one[1] end
  return names
end

-- The path of a table, which may be in a folder of the same name.
local function either(name)
  return { name .. ".csv", name .. "/" .. name .. ".csv" }
end

-- The images of one ground truth; `unused`: columns of classes without images.
local function read_truth(path, classes, unused)
  local t <close> = tables.read(path)
  local one_hot = table.move(classes, 1, #classes, 1, {})
  for _, name in ipairs(unused or {}) do
    if t:has(name) then one_hot[#one_hot + 1] = name end
  end
  return columns.rows(t, { image = "image", one_hot = one_hot })
end

-- set: { kind =, title =, truth =, counts =, unused = [classes without images], lesions = {{names of the
-- table, column with the image}, …}, folders =, official [opt] = {part = {truth =, n =, folders =}} }
local function challenge(set)
  local classes = names_of(set.counts)
  set.expects = ("%s.csv with the columns image, %s"):format(set.truth, table.concat(classes, ", "))
  set.options = fields.files(set.official and { official_parts = false } or {})

  function set.find(root)
    return tables.find(root, either(set.truth), { "image", table.unpack(classes) })
  end

  -- The lesion of each image, "" if unknown; nil if no table lists it.
  local function lesions(root, images)
    for _, one in ipairs(set.lesions) do
      local path = tables.find(root, one[1], { one[2], "lesion_id" })
      if path then
        local from <close>, lesion_of, out = tables.read(path), {}, {}
        local ids = from:column "lesion_id"
        for row, image in ipairs(from:column(one[2])) do lesion_of[image] = ids[row] end
        for row, image in ipairs(images) do out[row] = lesion_of[image] or "" end
        return out
      end
    end
    return nil
  end

  -- Adds the images of the other parts to the training images `rows`; their line numbers are unknown.
  local function add_official(rows, root, facts)
    rows.part, rows.line, rows.group = {}, nil, rows.group or {}
    for i = 1, #rows.key do rows.part[i], rows.group[i] = "train", rows.group[i] or "" end
    for part, one in pairs(set.official) do
      local path = tables.find(root, either(one.truth), { "image", table.unpack(classes) })
      if not path then
        fault.raise("ENOTFOUND", "%s: no %s.csv, which official_parts = true needs", root, one.truth)
      end
      local more, n = read_truth(path, classes), #rows.key
      for i, key in ipairs(more.key) do
        rows.key[n + i], rows.class[n + i], rows.part[n + i], rows.group[n + i] = key, more.class[i], part, ""
      end
      if #more.key ~= one.n then
        warnings.add(facts.warnings, "%s has %d %s images as published, %d are here", set.title, one.n, part,
          #more.key)
      end
    end
  end

  function set.open(given, facts, fits)
    local root = fields.need(given, "root", ("the folder that holds %s.csv"):format(set.truth))
    local path = set.find(root) or published.wrong_pick(set, root, fits)
    local rows = read_truth(path, classes, set.unused)
    local folders = fields.folders(root, set.folders)
    rows.group = lesions(root, rows.key)
    if not rows.group then
      facts.notes[#facts.notes + 1] = "no table of lesions: images of one lesion may be in several parts"
    end
    published.check(set, rows.class, facts.warnings)
    if given.official_parts then
      add_official(rows, root, facts)
      for _, one in pairs(set.official) do
        table.move(fields.join_all(root, one.folders), 1, #one.folders, #folders + 1, folders)
      end
    end
    return { origin = path, root = root, rows = rows, extension = ".jpg", folders = folders,
      classes = published.present(set, rows.class), split_name = rows.part and "official" or nil }
  end

  function set.columns()
    return { "image", "label" }
  end

  return set
end

return {
  isic2018 = challenge {
    kind = "isic2018", title = "ISIC 2018 task 3", truth = "ISIC2018_Task3_Training_GroundTruth",
    image_folder = "^ISIC2018_Task3_%a+_Input$",
    counts = { { "MEL", 1113 }, { "NV", 6705 }, { "BCC", 514 }, { "AKIEC", 327 }, { "BKL", 1099 },
      { "DF", 115 }, { "VASC", 142 } },
    lesions = { { either "ISIC2018_Task3_Training_LesionGroupings", "image" },
      { { "HAM10000_metadata.csv" }, "image_id" } },
    folders = { "ISIC2018_Task3_Training_Input", "images", ".",
      "ISIC2018_Task3_Training_Input/ISIC2018_Task3_Training_Input" },
    official = {
      val = { truth = "ISIC2018_Task3_Validation_GroundTruth", n = 193,
        folders = { "ISIC2018_Task3_Validation_Input" } },
      test = { truth = "ISIC2018_Task3_Test_GroundTruth", n = 1512,
        folders = { "ISIC2018_Task3_Test_Input" } },
    },
  },
  isic2019 = challenge {
    kind = "isic2019", title = "ISIC 2019", truth = "ISIC_2019_Training_GroundTruth",
    image_folder = "^ISIC_2019_%a+_Input$",
    counts = { { "MEL", 4522 }, { "NV", 12875 }, { "BCC", 3323 }, { "AK", 867 }, { "BKL", 2624 },
      { "DF", 239 }, { "VASC", 253 }, { "SCC", 628 } },
    unused = { "UNK" },
    lesions = { { either "ISIC_2019_Training_Metadata", "image" } },
    folders = { "ISIC_2019_Training_Input", "images", ".",
      "ISIC_2019_Training_Input/ISIC_2019_Training_Input" },
  },
}
