-- Published data sets: each layout in small, its classes, groups, folds, warnings and wrong picks.
local lu = require "luaunit"
local data = require "aniso.method.data"
local registry = require "aniso.method.data.registry"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

local open = fixture.open_quietly

local function totals(ds)
  local out = {}
  for k, class in ipairs(ds.classes) do
    out[class] = ds.split.n_train[k] + ds.split.n_val[k] + ds.split.n_test[k]
  end
  return out
end

-- name → part, of all images.
local function part_of(ds)
  local out = {}
  for _, part in ipairs { "train", "val", "test" } do
    for _, key in ipairs(ds:keys(part)) do out[key] = part end
  end
  return out
end

local function warns(...) fixture.warns(lu, ...) end

local PAD = { { "BCC", 12 }, { "ACK", 12 }, { "MEL", 6 } }
local C2018 = { "MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC" }
local PARTS = { "imgs_part_1", "imgs_part_2/imgs_part_2", "imgs_part_3" }

-- ── PAD-UFES-20 ─────────────────────────────────────────────────────────────────────────
function T:test_pad_ufes_20_in_three_folders_or_one()
  local root = layout:pad(PAD, PARTS)
  local ds = open { "pad_ufes_20", root = root }
  lu.assertEquals(ds.name, "pad_ufes_20")
  lu.assertEquals(ds.classes, { "BCC", "ACK", "MEL" })
  lu.assertEquals(totals(ds), { BCC = 12, ACK = 12, MEL = 6 })
  lu.assertEquals(ds.split.name, "grouped 70/10/20")
  lu.assertEquals(ds.split.group_leaks, 0)
  local of, patients = part_of(ds), {}
  for key, part in pairs(of) do
    local patient = key:match "^PAT_%d+"
    patients[patient] = patients[patient] or part
    lu.assertEquals(patients[patient], part, patient)
  end
  warns(ds, "PAD-UFES-20 has 2298 images as published, 30 are here", "BCC 845/12", "NEV 244/0")
  for _, folders in ipairs { { "images" }, { "images/imgs_part_1", "images/imgs_part_3/imgs_part_3" } } do
    layout:remove()
    layout = fixture.new()
    local other = open { "pad_ufes_20", root = layout:pad(PAD, folders) }
    lu.assertEquals(other.sha256, ds.sha256)
    lu.assertEquals(other.split.sha256, ds.split.sha256)
  end
end

function T:test_counts_as_published_are_no_warning()
  local set = registry.of.pad_ufes_20
  local published = set.counts
  set.counts = PAD
  local ds = open { "pad_ufes_20", root = layout:pad(PAD, PARTS) }
  set.counts = published
  lu.assertEquals(ds.facts.warnings, {})
  lu.assertEquals(ds.facts.title, "PAD-UFES-20")
end

-- ── SCIN ────────────────────────────────────────────────────────────────────────────────
local function scin_labels()
  local labels = {}
  for k = 1, 24 do
    labels[k] = k <= 10 and "{'Eczema': 0.67, 'Urticaria': 0.33}" or k <= 18 and "{'Urticaria': 1.0}"
      or k <= 20 and "{'Acne': 1.0}" or k <= 22 and "{'Eczema': 0.4, 'Acne': 0.3}" or ""
  end
  return labels
end

function T:test_scin_joins_two_tables_and_groups_by_case()
  local root = layout:scin(scin_labels())
  local ds = open { "scin", root = root, min_images = 10 }
  lu.assertEquals(totals(ds), { Eczema = 20, Urticaria = 16 })
  lu.assertEquals(ds.split.group_leaks, 0)
  local of = part_of(ds)
  for key, part in pairs(of) do lu.assertEquals(of[key:gsub("_%d%.", "_0.")], part) end
  lu.assertStrContains(ds:info(), "24 cases: 2 without a label, 2 without one condition of at least 0.5, "
    .. "1 classes of fewer than 10 images left out")
  warns(ds, "SCIN has 5033 cases as published, 24 are here")
  lu.assertEquals(open({ "scin", root = root .. "/dataset", min_images = 10 }).sha256, ds.sha256)
  lu.assertEquals(totals(open { "scin", root = root, min_images = 1, threshold = 0.4 }).Eczema, 24)
  lu.assertEquals(totals(open { "scin", root = root, classes = { "Urticaria", "Eczema" } }).Urticaria, 16)
end

function T:test_scin_images_that_are_not_there_or_listed_again()
  local root = layout:scin(scin_labels())
  os.remove(root .. "/dataset/images/-9001_1.png")
  local cases = io.open(root .. "/dataset/scin_cases.csv"):read "a"
  layout:write("scin/dataset/scin_cases.csv", (cases:gsub("(%-9002_1.png),",
    "%1,dataset/images/-9005_0.png", 1)))
  local ds = open { "scin", root = root, min_images = 10 }
  lu.assertEquals(ds.missing, 1)
  lu.assertEquals(totals(ds).Eczema, 19)
  lu.assertStrContains(ds:info(), "1 images are listed again by another case")
  local of = part_of(ds)
  lu.assertEquals(of["-9002_0.png"], of["-9005_1.png"])
  warns(ds, "1 images are not there, and left out")
  layout:write("scin/dataset/scin_labels.csv", "case_id,weighted_skin_condition_label\n-9001,Eczema\n")
  local _, message, code = open { "scin", root = root }
  lu.assertStrContains(message, "'Eczema' in weighted_skin_condition_label is not a list of weighted")
  lu.assertEquals(code, "EFORMAT")
end

function T:test_scin_without_a_condition_that_is_frequent_enough()
  local _, message = open { "scin", root = layout:scin(scin_labels()) }
  lu.assertStrContains(message, "no condition with a weight of at least 0.5 has 30 images; lower data.min")
end

-- ── Hyper-Kvasir ────────────────────────────────────────────────────────────────────────
local KVASIR = { { "lower-gi-tract/anatomical-landmarks/cecum", "normal-cecum", 10 },
  { "lower-gi-tract/pathological-findings/polyps", "polyp", 10 },
  { "lower-gi-tract/pathological-findings/hemorrhoids", "hemorroids", 5 },
  { "upper-gi-tract/pathological-findings/esophagitis-a", "oesophagitis-a", 10 } }

function T:test_hyper_kvasir_has_official_folds()
  local root = layout:kvasir(KVASIR, 5)
  local ds = open { "hyper_kvasir", root = root }
  lu.assertEquals(ds.classes, { "polyps", "cecum", "esophagitis-a", "hemorrhoids" })
  lu.assertEquals(totals(ds), { polyps = 10, cecum = 10, ["esophagitis-a"] = 10, hemorrhoids = 5 })
  local sizes = {}
  for _, fold in ipairs(ds.folds) do sizes[fold] = (sizes[fold] or 0) + 1 end
  lu.assertEquals(sizes, { [0] = 7, 7, 7, 7, 7 })
  lu.assertEquals(#ds.folds, 35)
  lu.assertEquals({ table.unpack(ds.folds, 1, 7) }, { 0, 1, 2, 3, 4, 0, 1 })
  lu.assertStrContains(ds:info(), "folds    5, as published")
  warns(ds, "Hyper-Kvasir has 10662 images as published, 35 are here", "hemorrhoids 6/5")
  lu.assertNil(open({ "hyper_kvasir", root = root, official_folds = false }).folds)
  local two = open { "hyper_kvasir", root = root .. "/labeled-images", official_folds = 2 }
  lu.assertNil(two.folds)
  lu.assertStrContains(two:info(), "2_fold_split.csv is not there")
  lu.assertEquals(two.sha256, ds.sha256)
end

-- A study with folds = "official" tests on them: image by image, the test part of fold f is fold f.
function T:test_official_folds_are_the_test_parts()
  local given = { "hyper_kvasir", root = layout:kvasir(KVASIR, 5), val = 0.2, cache = false }
  local whole, fold_of = open(given), {}
  for _, part in ipairs { "train", "val", "test" } do
    for _, key in ipairs(whole:keys(part)) do fold_of[key] = false end
  end
  local keys = {}
  for key in pairs(fold_of) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do fold_of[key] = whole.folds[i] end
  local official = require "aniso.method.official_folds"
  lu.assertEquals(official { folds = "official", data = given }, 5)
  lu.assertErrorMsgContains("has no official folds; folds = 5 cuts five", official,
    { folds = "official", data = { "lesions", n = 70, size = 4 } })
  for fold = 0, 4 do
    local ds = data(given, { folds = 5, fold = fold, official = true })
    lu.assertEquals(ds.split.name, ("official fold %d of 5"):format(fold))
    lu.assertEquals(ds:n "test", 7)
    for _, key in ipairs(ds:keys "test") do lu.assertEquals(fold_of[key], fold, key) end
  end
  lu.assertErrorMsgContains("has 5 official folds, not 4", data.open, given,
    { folds = 4, fold = 0, official = true })
end

function T:test_hyper_kvasir_folds_that_disagree()
  local root = layout:kvasir(KVASIR, 5)
  layout:image "kvasir/labeled-images/lower-gi-tract/anatomical-landmarks/cecum/new.jpg"
  local _, message = open { "hyper_kvasir", root = root }
  lu.assertStrContains(message, "5_fold_split.csv: has no row for lower-gi-tract/anatomical-landmarks/")
  os.remove(root .. "/labeled-images/lower-gi-tract/anatomical-landmarks/cecum/new.jpg")
  layout:write("kvasir/5_fold_split.csv", "file-name;class-name;split-index\n00000001-aaaa.jpg;polyp;0\n")
  _, message = open { "hyper_kvasir", root = root }
  lu.assertStrContains(message, "line 2: 00000001-aaaa.jpg is of class polyp here, but its folder is cecum")
end

-- ── a wrong pick ────────────────────────────────────────────────────────────────────────
local function refused(given, ...)
  local ds, message, code = open(given)
  lu.assertNil(ds)
  lu.assertEquals(code, message:find "no such folder" and "ENOTFOUND" or "EFORMAT")
  lu.assertNil(message:find "\n")
  for _, part in ipairs { ... } do lu.assertStrContains(message, part) end
end

function T:test_a_wrong_pick_names_what_was_expected_and_found_and_what_fits()
  local pad, case = layout:pad(PAD, PARTS), layout:scin(scin_labels())
  refused({ "pad_ufes_20", root = case }, case .. ": not PAD-UFES-20: expected metadata.csv with the columns "
    .. 'patient_id, diagnostic and img_id, found dataset/ (it looks like "scin")')
  refused({ "ham10000", root = pad }, "not HAM10000: expected HAM10000_metadata.csv with the columns",
    'found imgs_part_1/, imgs_part_2/, imgs_part_3/, metadata.csv (it looks like "pad_ufes_20")')
  refused({ "hyper_kvasir", root = pad }, "not Hyper-Kvasir: expected labeled-images/")
  refused({ "isic2019", root = pad }, "expected ISIC_2019_Training_GroundTruth.csv with the columns image")
  refused({ "scin", root = pad .. "/none" }, "/none: no such folder; `root` must be the folder of SCIN")
  layout:write("pad/metadata.csv", "image,label\n")
  refused({ "pad_ufes_20", root = pad }, "not PAD-UFES-20")
end

function T:test_a_published_set_read_as_a_folder_is_a_warning()
  local ds = open { "folder", root = layout:pad(PAD, PARTS), nested = 1 }
  warns(ds, 'looks like a published set, which data = { "pad_ufes_20", root = … } reads')
end

function T:test_each_layout_is_recognised()
  local name = "ISIC2018_Task3_Training_GroundTruth"
  lu.assertEquals(data.recognise(layout:pad(PAD, PARTS)), "pad_ufes_20")
  lu.assertEquals(data.recognise(layout:scin(scin_labels())), "scin")
  lu.assertEquals(data.recognise(layout:kvasir(KVASIR, 5)), "hyper_kvasir")
  lu.assertEquals(data.recognise((layout:isic(name, "", "images", C2018, 14))), "isic2018")
  lu.assertNil(data.recognise(layout.root))
end

return { DataSets = T }
