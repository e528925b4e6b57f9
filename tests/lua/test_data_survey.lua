-- What `aniso data info` shows of files: classes that their files give away, copies, long tails.
local lu = require "luaunit"
local data = require "aniso.method.data"
local fixture = dofile "tests/lua/data_fixture.lua"
local survey = require "aniso.method.data.survey"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

-- A survey of three classes of ten images that differ in nothing.
local function plain(more)
  local s = { images = { 10, 10, 10 }, grey = { 0, 0, 0 }, larger = { 0, 0, 0 }, median = 1200,
    format = { { JPEG = 10 }, { JPEG = 10 }, { JPEG = 10 } },
    size = { { ["40x30"] = 10 }, { ["40x30"] = 10 }, { ["40x30"] = 10 } } }
  for key, value in pairs(more or {}) do s[key] = value end
  return s
end

local CLASSES = { "nv", "mel", "df" }

local function lines(more) return survey.giveaways(CLASSES, plain(more)) end

function T.test_equal_files_give_nothing_away()
  lu.assertEquals(lines(), {})
  local mixed = { { JPEG = 6, PNG = 4 }, { JPEG = 8, PNG = 2 }, { JPEG = 5, PNG = 5 } }
  lu.assertEquals(lines { format = mixed }, {})
end

function T.test_a_format_of_one_class()
  lu.assertEquals(lines { format = { { JPEG = 10 }, { JPEG = 10 }, { PNG = 10 } } },
    { "class df: 100 % PNG, every other class 0 %: the label can be read from the file format" })
  lu.assertEquals(lines { format = { { JPEG = 9, PNG = 1 }, { JPEG = 10 }, { PNG = 7, JPEG = 3 } } },
    { "class df: 70 % PNG, every other class at most 10 %: the label can be read from the file format" })
end

function T.test_a_format_that_one_class_lacks()
  local counts = { { JPEG = 4, PNG = 3, BMP = 3 }, { JPEG = 10 }, { JPEG = 10 } }
  lu.assertEquals(lines { format = counts },
    { "class nv: 40 % JPEG, every other class 100 %: the label can be read from the file format" })
end

function T.test_groups_of_classes()
  local s = plain { images = { 10, 10, 10, 10 }, grey = { 10, 9, 0, 1 }, larger = { 0, 0, 0, 0 } }
  s.format[4], s.size[4] = { JPEG = 10 }, { ["40x30"] = 10 }
  lu.assertEquals(survey.giveaways({ "a", "b", "c", "d" }, s),
    { "grey: at least 90 % of a, b, at most 10 % of c, d: a part of the label can be read from "
      .. "the greyness" })
end

function T.test_sizes()
  lu.assertEquals(lines { size = { { ["40x30"] = 10 }, { ["40x30"] = 10 }, { ["80x60"] = 6, ["40x30"] = 4 } },
    larger = { 0, 0, 6 } },
    { "class df: 60 % 80x60 pixels, every other class 0 %: the label can be read from the image size" })
  -- No two images of a size: the number of pixels decides.
  local sizes = { {}, {}, {} }
  for i = 1, 10 do
    for k = 1, 3 do sizes[k][("%dx%d"):format(100 * k + i, i)] = 1 end
  end
  lu.assertEquals(lines { size = sizes, larger = { 5, 4, 10 } },
    { "class df: 100 % of more than 1200 pixels, every other class at most 50 %: the label can be read from "
      .. "the image size" })
end

function T.test_info_shows_formats_sizes_and_files_that_are_not_read()
  for i = 1, 8 do
    layout:write(("x/a/%d.bmp"):format(i), fixture.bmp(4, 4, 20 * i, 99, 7))
    layout:write(("x/b/%d.bmp"):format(i), fixture.bmp(8, 6, 9 * i, 9 * i, 9 * i))
  end
  layout:write("x/b/z.webp", "x")
  layout:write("x/b/y.webp", "x")
  layout:write("x/b/z.tif", "x")
  local text = data { "folder", root = layout:path "x", size = 4, cache = false }:info()
  lu.assertStrMatches(text, ".*\nclass  format  size  grey   same  alike  not read\n"
    .. "a      BMP     4x4   0 %%    0     %-      %-\n"
    .. "b      BMP     8x6   100 %%  0     %-      1 %.tif, 2 %.webp\n.*")
  lu.assertStrContains(text, "\nwarning: class a: 100 % 4x4 pixels, every other class 0 %: ")
  lu.assertStrContains(text, "\nwarning: class b: 100 % grey, every other class 0 %: ")
end

function T.test_info_counts_images_with_the_bytes_of_a_training_image()
  for i = 1, 10 do
    layout:write(("x/train/a/%d.bmp"):format(i), fixture.bmp(4, 4, 90 + i, 0, 0))
    layout:write(("x/train/b/%d.bmp"):format(i), fixture.bmp(4, 4, i, 99, 0))
    layout:write(("x/test/a/%d.bmp"):format(i), fixture.bmp(4, 4, i <= 2 and 90 + i or 190 + i, 0, 0))
    layout:write(("x/test/b/%d.bmp"):format(i), fixture.bmp(4, 4, 100 + i, 99, 0))
  end
  local text = data { "folder", root = layout:path "x", size = 4, cache = false, val = 0 }:info()
  lu.assertStrContains(text, "a      BMP     4x4   0 %   2     -      -\n")
  lu.assertStrContains(text, "b      BMP     4x4   0 %   0     -      -\n")
  lu.assertStrContains(text, "\nsame: 2 validation or test images have the bytes of a training image\n")
  lu.assertStrContains(text, "  test/a/1.bmp = train/a/1.bmp\n")
end

-- A BMP of 32×32 pixels with a texture that the number decides, all of it `brighter` levels brighter.
local function photo(number, brighter)
  local pixels, x = {}, number
  for i = 1, 32 * 32 do
    x = (x * 1103515245 + 12345) % 0x80000000
    local level = 60 + i // 16 + (x >> 16) % 60 + brighter
    pixels[i] = string.char(level, level // 2, level)
  end
  return fixture.bmp(32, 32, 0, 0, 0):sub(1, 54) .. table.concat(pixels)
end

function T.test_info_counts_images_that_look_like_a_training_image()
  for i, class in ipairs { "a", "b" } do
    for k = 1, 6 do
      layout:write(("x/train/%s/%d.bmp"):format(class, k), photo(10 * i + k, 0))
      layout:write(("x/test/%s/%d.bmp"):format(class, k), photo(10 * i + k + (k == 3 and 0 or 100), 20))
    end
  end
  local text = data { "folder", root = layout:path "x", size = 32, cache = false, val = 0 }:info()
  lu.assertStrContains(text, "a      BMP     32x32  0 %   0     1      -\n")
  lu.assertStrContains(text, "b      BMP     32x32  0 %   0     1      -\n")
  lu.assertStrContains(text, "\nalike: 2 validation or test images look like a training image\n"
    .. "  test/a/3.bmp ~ train/a/3.bmp\n  test/b/3.bmp ~ train/b/3.bmp")
end

function T.test_info_shows_a_long_tail()
  local tail = { "step", ratio = 20, order = "size" }
  local text = data { "lesions", n = 700, size = 4, long_tail = tail }:info()
  local kept, before = text:match "\nprofile  step: (%d+) of (%d+) training images stay\n"
  lu.assertTrue(tonumber(kept) < tonumber(before))
  lu.assertEquals(tonumber(text:match "\nall +(%d+) "), tonumber(kept))
end

return { DataSurvey = T }
