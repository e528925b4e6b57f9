-- Image files of a data set: damaged and broken ones, JPEGs turned upright, runs of an earlier decoder.
local lu = require "luaunit"
local core = require "aniso.core"
local data = require "aniso.method.data"
local final_evaluation = require "aniso.train.final_evaluation"
local provenance = require "aniso.train.provenance"
local warnings = require "aniso.method.data.warnings"
local fixture = dofile "tests/lua/data_fixture.lua"

local T = {}
local layout

-- The JPEG of the tests in C: 20 × 12 pixels, of which row i, column j, channel c is 40 + 10i + 2j + 30c.
local function sample_jpeg()
  local bytes = {}
  for line in io.lines "tests/c/sample_jpeg.h" do
    for byte in line:gmatch "0x(%x%x)" do bytes[#bytes + 1] = string.char(tonumber(byte, 16)) end
  end
  return table.concat(bytes)
end

-- The same with an EXIF segment, little-endian, of this orientation.
local function turned_jpeg(orientation)
  local tiff = string.pack("<c4I4I2I2I2I4I2I2I4", "II*\0", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
  local segment = "Exif\0\0" .. tiff
  local jpeg = sample_jpeg()
  return jpeg:sub(1, 2) .. "\xFF\xE1" .. string.pack(">I2", #segment + 2) .. segment .. jpeg:sub(3)
end

-- Seconds of processor time in which a folder that has `n` files gets 200 pictures.
local function seconds_in_folder_of(n)
  local folder, picture = assert(core.sys.mkdtemp()), core.tensor.zeros { 1, 1, 3 }
  assert(os.execute(("cd '%s' && seq %d | xargs touch"):format(folder, n)))
  local start = os.clock()
  for i = 1, 200 do assert(core.data.write_png(("%s/%d.png"):format(folder, i), picture)) end
  local seconds = os.clock() - start
  assert(os.execute(("rm -r '%s'"):format(folder)))
  return seconds
end

-- A set of 100,000 images would list its folder 100,000 times.
function T:test_a_picture_costs_the_same_in_a_folder_of_many_files()
  lu.assertTrue(seconds_in_folder_of(20000) < 8 * seconds_in_folder_of(1) + 0.1)
end

function T:setUp()
  layout = fixture.new()
  for _, class in ipairs { "a", "b" } do
    for i = 1, 5 do layout:image(("%s/%d.bmp"):format(class, i)) end
  end
  warnings.forget()
  warnings.stream = { write = function() end }
end

function T:tearDown()
  warnings.stream = nil
  layout:remove()
end

local function open(more)
  local given = { "folder", root = layout.root, size = { 20, 12 }, cache = false, val = 0 }
  for key, value in pairs(more or {}) do given[key] = value end
  return data.open(given)
end

function T.test_damage_is_refused_or_counted()
  local jpeg = sample_jpeg()
  layout:write("a/cut.jpg", jpeg:sub(1, #jpeg - 20) .. "\xFF\xD9")
  local ds, message, code = open()
  lu.assertNil(ds)
  lu.assertEquals(code, "EFORMAT")
  lu.assertStrContains(message, 'cut.jpg: damaged JPEG: its scan ends early; fetch the file again, or accept '
    .. 'such images with data.damaged = "accept"')
  ds = assert(open { damaged = "accept" })
  lu.assertEquals(ds.damaged, 1)
  lu.assertStrContains(ds:info(), "damaged  1 images, accepted")
  lu.assertStrContains(ds.facts.warnings[1], "1 damaged images are accepted (data.damaged)")
  os.remove(layout:path "a/cut.jpg")
  ds = assert(open { damaged = "accept" })
  lu.assertEquals(ds.damaged, 0)
  lu.assertNil(ds:info():find("damaged", 1, true))
  lu.assertErrorMsgContains("data.damaged", data.check, { "folder", root = "x", damaged = "skip" })
end

-- One failure has the number of all; each is a line on stderr, up to a limit.
function T.test_all_broken_files_are_listed()
  for i = 1, 25 do layout:write(("a/x%02d.png"):format(i), "GIF89a") end
  local script, errors = layout:path "open.lua", layout:path "errors.txt"
  layout:write("open.lua", ("print(select(2, aniso.data.open { 'folder', root = %q, cache = false }))")
    :format(layout.root))
  local aniso = os.getenv "ANISO" or "./aniso"
  local pipe = assert(io.popen(("%s exec '%s' 2>'%s'"):format(aniso, script, errors)))
  local printed = pipe:read "a"
  pipe:close()
  lu.assertStrContains(printed, "x01.png: a GIF image")
  lu.assertStrContains(printed, "the first of 25 files of 35 that cannot be used")
  local file <close> = assert(io.open(errors))
  local text = file:read "a"
  local _, listed = text:gsub("x%d%d%.png: a GIF image, not a JPEG, PNG or BMP image, despite its name", "")
  lu.assertEquals(listed, 20)
  lu.assertStrContains(text, "and 5 more")
end

-- Files that cannot be read and files that cannot be decoded are found in different passes.
function T.test_files_that_are_broken_in_different_ways_are_listed_together()
  layout:write("a/empty.png", "")
  layout:write("b/text.png", "no image")
  assert(os.execute(("ln -s nothing '%s' && mkfifo '%s'"):format(layout:path "a/dangling.png",
    layout:path "b/pipe.png")))
  local _, message = data.open { "folder", root = layout.root, cache = false }
  lu.assertStrContains(message, "the first of 4 files of 14 that cannot be used")
  layout:write("b/short.jpg", sample_jpeg():sub(1, -40))
  _, message = data.open { "folder", root = layout.root, cache = false }
  lu.assertStrContains(message, "the first of 5 files of 15 that cannot be used")
  _, message = data.open { "folder", root = layout.root, cache = false, damaged = "accept" }
  lu.assertStrContains(message, "the first of 4 files of 15 that cannot be used")
end

-- The way out depends on what the file is.
function T.test_files_of_another_kind_have_their_way_out()
  for content, way in pairs { ["<!DOCTYPE html>"] = "a web page, .*; fetch the image again",
    ["version https://git-lfs"] = "a Git LFS pointer .*; git lfs pull fetches it",
    ["II*\0"] = "a TIFF image, .*; convert it" } do
    layout:write("a/other.png", content)
    local _, message = data.open { "folder", root = layout.root, cache = false }
    lu.assertStrMatches(message, ".*other.png: " .. way)
  end
end

-- Orientation 6: the column 0 from below is the upper row.
function T.test_pixels_and_survey_are_upright()
  layout:write("a/turned.jpg", turned_jpeg(6))
  local ds = assert(open())
  local at, of
  for _, part in ipairs { "train", "test" } do
    for i, key in ipairs(ds:keys(part)) do
      if key:find "turned" then at, of = i - 1, part end
    end
  end
  local red = ds:batch(of, at, 1):reshape(20 * 12 * 3):list()
  local function value(y, x)
    return (red[(y * 12 + x) * 3 + 1] * ds.std[1] + ds.mean[1]) * 255
  end
  for y = 0, 19, 5 do
    for x = 0, 11, 4 do lu.assertAlmostEquals(value(y, x), 40 + 10 * (11 - x) + 2 * y, 12) end
  end
  lu.assertEquals(core.data.survey(ds).size[1]["12x20"], 1)
end

-- A run on JPEGs that an earlier version decoded is refused in one line with the reason.
function T.test_runs_of_an_earlier_decoder()
  layout:write("a/new.jpg", sample_jpeg())
  local ds = assert(open())
  local session = { dataset = ds, config = { data = { aspect = "stretch" } } }
  local function check(stored)
    local db = { split_of = function() return { sha256 = stored } end }
    return pcall(final_evaluation.same_data, session, db, { name = "r1" })
  end
  local _, now = provenance.identity(session)
  local _, before = provenance.identity(session, nil, ds.earlier_sha256)
  lu.assertTrue(check(now))
  lu.assertNotEquals(now, before)
  local ok, message = check(before)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "run r1 was made on the same files as an earlier version decoded them")
  ok, message = check(("0"):rep(64))
  lu.assertFalse(ok)
  lu.assertStrContains(message, "other images or another split")
end

-- Without a JPEG nothing changed, and neither does the identity.
function T.test_other_formats_keep_their_identity()
  local ds = assert(open())
  lu.assertEquals(ds.sha256, ds.earlier_sha256)
end

return { DataImages = T }
