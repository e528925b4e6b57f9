-- Folders that are nearly a published set: what is missing is named, and no folder of images becomes a class.
local lu = require "luaunit"
local data = require "aniso.method.data"
local fixture = dofile "tests/lua/data_fixture.lua"
local warnings = require "aniso.method.data.warnings"
local remove = dofile "tests/lua/remove_tree.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

local PAD = { { "BCC", 12 }, { "ACK", 12 }, { "MEL", 6 } }

-- Opening fails with a message that has all the texts.
local function refuses(given, ...)
  local ds, message = data.open(given)
  lu.assertNil(ds)
  for _, text in ipairs { ... } do lu.assertStrContains(message, text) end
  lu.assertNil(message:find "\n")
end

-- The text of a file of the layout, and a function that replaces it.
local function edit(name, change)
  local file <close> = assert(io.open(layout:path(name)))
  layout:write(name, change(file:read "a"))
end

function T.test_pad_ufes_20_without_a_column()
  local root = layout:pad(PAD, { "imgs_part_1", "imgs_part_2" })
  edit("pad/metadata.csv", function(text) return (text:gsub("patient_id", "patient", 1)) end)
  lu.assertNil(data.recognise(root))
  refuses({ "folder", root = root }, "pad: the folder imgs_part_1 has images of PAD-UFES-20 and is no class",
    "(metadata.csv has no column patient_id)")
  refuses({ "pad_ufes_20", root = root }, "not PAD-UFES-20", "(metadata.csv has no column patient_id)")
  layout:write("pad/metadata.csv", "")
  refuses({ "folder", root = root }, "metadata.csv: empty")
  os.remove(layout:path "pad/metadata.csv")
  refuses({ "folder", root = root }, "expected metadata.csv with the columns patient_id, diagnostic and "
    .. "img_id, found imgs_part_1/, imgs_part_2/")
  lu.assertNotNil(fixture.open_quietly { "folder", root = root, nested = 1 }) -- meant so
end

function T.test_ham10000_without_its_table()
  layout:images_of("ham/HAM10000_images_part_1", 6)
  layout:images_of("ham/HAM10000_images_part_2", 6)
  local root = layout:path "ham"
  refuses({ "folder", root = root }, "has images of HAM10000 and is no class")
  layout:lines("ham/HAM10000_metadata.csv", { "image_id,dx", "01,nv" })
  refuses({ "folder", root = root }, "(HAM10000_metadata.csv has no column lesion_id)")
end

function T.test_isic_with_a_misspelt_class()
  local root = layout:isic("ISIC2018_Task3_Training_GroundTruth", "", "ISIC2018_Task3_Training_Input",
    { "MEL", "NV", "BCC", "AKEC", "BKL", "DF", "VASC" }, 14)
  refuses({ "folder", root = root }, "ISIC2018_Task3_Training_GroundTruth.csv has no column AKIEC")
end

function T.test_scin_without_its_labels()
  local labels = {}
  for k = 1, 8 do labels[k] = "{'Eczema': 1.0}" end
  local root = layout:scin(labels)
  os.remove(layout:path "scin/dataset/scin_labels.csv")
  refuses({ "folder", root = root .. "/dataset" }, "has images of SCIN", "(there is no scin_labels.csv)")
  remove(layout:path "scin/dataset")
  layout:images_of("scin/images", 6) -- other sets have folders of this name
  layout:images_of("scin/others", 6)
  lu.assertNotNil(fixture.open_quietly { "folder", root = root })
end

function T.test_cifar_that_is_incomplete_or_for_python()
  layout:write("python/data_batch_1", "")
  lu.assertEquals(data.recognise(layout:path "python"), "cifar10")
  refuses({ "cifar10", root = layout:path "python" }, "but the version for Python; fetch the binary version")
  layout:write("unpacked/cifar-100-python/train", "")
  lu.assertEquals(data.recognise(layout:path "unpacked"), "cifar100")
  layout:write("c100/train.bin", ("\0"):rep(3074))
  lu.assertEquals(data.recognise(layout:path "c100"), "cifar100")
  refuses({ "cifar100", root = layout:path "c100" }, "fine_label_names.txt")
end

function T.test_what_a_message_offers_is_there()
  local root = layout:pad(PAD, { "imgs_part_1" })
  edit("pad/metadata.csv", function(text) return (text:gsub("BCC", "", 1)) end)
  local _, message = fixture.open_quietly { "pad_ufes_20", root = root }
  lu.assertStrContains(message, "line 2: the diagnostic is empty; fill it in, or remove such rows")
  local own = { "csv", root = root, table = "metadata.csv", image = "img_id", label = "diagnostic",
    images = "imgs_part_1" }
  _, message = fixture.open_quietly(own)
  lu.assertStrContains(message, 'leave_out = { "" } leaves such rows out')
  own.leave_out = { "" }
  lu.assertNotNil(fixture.open_quietly(own))
end

function T.test_absent_images_are_in_none_of_the_folders_that_are_there()
  local root = layout:pad(PAD, { "imgs_part_2" })
  os.remove(layout:path "pad/imgs_part_2/PAT_1000_501_1.png")
  local _, message = fixture.open_quietly { "pad_ufes_20", root = root }
  lu.assertStrContains(message, ("is not in %s, %s/imgs_part_2; add the file"):format(root, root))
  edit("pad/metadata.csv", function(text) return text:gsub("PAT_1000_501_1", "PAT_1001_502_2") end)
  _, message = fixture.open_quietly { "pad_ufes_20", root = root }
  lu.assertStrContains(message, "is listed twice, lines 2 and 3; remove one of them")
end

function T.test_rows_without_a_patient_are_counted()
  local root = layout:pad(PAD, { "imgs_part_1" })
  local function warned()
    return table.concat(assert(fixture.open_quietly { "pad_ufes_20", root = root }).facts.warnings, "\n")
  end
  lu.assertNotStrContains(warned(), "patient_id")
  edit("pad/metadata.csv", function(text) return (text:gsub("PAT_1000,", ",", 1)) end)
  lu.assertStrContains(warned(), "metadata.csv: 1 of 30 rows have no patient_id: each is taken as a group")
end

-- A command opens a set once per variant and fold.
function T.test_a_leak_is_one_warning()
  layout:images_of("leak/train/a", 4)
  layout:images_of("leak/train/b", 4)
  layout:write("leak/test/a/copy.bmp", fixture.bmp(4, 4, 1, 0, 7))
  layout:image "leak/test/b/new.bmp"
  warnings.forget()
  local lines = {}
  warnings.stream = { write = function(_, ...) lines[#lines + 1] = table.concat { ... } end }
  local given = { "folder", root = layout:path "leak", size = 4, cache = false, val = 0 }
  local first = data.open(given)
  data.open(given)
  warnings.stream = nil
  local leak = "folders: 1 validation or test images are byte for byte in training too"
  fixture.warns(lu, first, leak)
  local n = 0
  for _, line in ipairs(lines) do n = n + (line:find(leak, 1, true) and 1 or 0) end
  lu.assertEquals(n, 1)
end

return { DataNearSets = T }
