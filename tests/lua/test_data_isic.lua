-- The ISIC challenges in small: one-hot labels, lesions, the official parts.
local lu = require "luaunit"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

local open = fixture.open_quietly

local function warns(...) fixture.warns(lu, ...) end

local C2018 = { "MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC" }
local C2019 = { "MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK" }

function T:test_isic2018_reads_one_hot_labels_and_lesions()
  local name = "ISIC2018_Task3_Training_GroundTruth"
  local root, lesions = layout:isic(name, name .. "/", "ISIC2018_Task3_Training_Input", C2018, 70)
  local ds = open { "isic2018", root = root }
  lu.assertEquals(ds.classes, C2018)
  lu.assertEquals(ds.split.name, "stratified 70/10/20")
  lu.assertStrContains(ds:info(), "no table of lesions")
  layout:lines("isic/ISIC2018_Task3_Training_LesionGroupings.csv", lesions)
  local grouped = open { "isic2018", root = root }
  lu.assertEquals(grouped.split.name, "grouped 70/10/20")
  lu.assertEquals(grouped.split.group_leaks, 0)
  lu.assertEquals(grouped.sha256, ds.sha256)
  warns(grouped, "ISIC 2018 task 3 has 10015 images as published, 70 are here", "NV 6705/")
end

function T:test_isic2018_has_official_parts()
  local root = layout:isic("ISIC2018_Task3_Training_GroundTruth", "", "ISIC2018_Task3_Training_Input", C2018,
    70)
  local _, message = open { "isic2018", root = root, official_parts = true }
  lu.assertStrContains(message, "_GroundTruth.csv, which official_parts = true needs")
  for part, range in pairs { Validation = { 101, 107 }, Test = { 201, 214 } } do
    local rows = { "image," .. table.concat(C2018, ",") }
    for i = range[1], range[2] do
      local cells = {}
      for k = 1, 7 do cells[k] = k == i % 7 + 1 and "1.0" or "0.0" end
      rows[#rows + 1] = ("ISIC_%07d,%s"):format(i, table.concat(cells, ","))
      layout:image(("isic/ISIC2018_Task3_%s_Input/ISIC_%07d.jpg"):format(part, i))
    end
    layout:lines(("isic/ISIC2018_Task3_%s_GroundTruth.csv"):format(part), rows)
  end
  local ds = open { "isic2018", root = root, official_parts = true }
  lu.assertEquals({ ds:n "train", ds:n "val", ds:n "test", ds.split.name }, { 70, 7, 14, "official" })
  lu.assertEquals({ ds:keys("val")[1], ds:keys("test")[1] }, { "ISIC_0000101", "ISIC_0000201" })
  warns(ds, "has 193 val images as published, 7 are here", "has 1512 test images as published, 14 are here")
  lu.assertEquals(open({ "isic2018", root = root }):n "train" < 70, true)
end

function T:test_isic2019_leaves_an_empty_class_out()
  local C8 = table.move(C2019, 1, 8, 1, {})
  local root = layout:isic("ISIC_2019_Training_GroundTruth", "", "images", C8, 80)
  local path = root .. "/ISIC_2019_Training_GroundTruth.csv"
  local text = io.open(path):read "a":gsub("SCC\n", "SCC,UNK\n"):gsub("%.0\n", ".0,0.0\n")
  layout:write("isic/ISIC_2019_Training_GroundTruth.csv", text)
  lu.assertEquals(open({ "isic2019", root = root }).classes, C8)
end

return { DataIsic = T }
