-- Tiny copies of published layouts for tests of the data sets: every image is made here, a BMP of one
-- colour. fixture.new() → a layout, whose methods write below layout.root; layout:remove() deletes it.
local data = require "aniso.method.data"
local sys = require("aniso.core").sys
local warnings = require "aniso.method.data.warnings"
local remove = dofile "tests/lua/remove_tree.lua"

local fixture = {}

-- A 24-bit BMP of one colour; the width must be a multiple of four.
function fixture.bmp(width, height, r, g, b)
  local pixels = string.char(b % 256, g % 256, r % 256):rep(width * height)
  return string.pack("<c2I4I2I2I4I4i4i4I2I2I4I4i4i4I4I4", "BM", 54 + #pixels, 0, 0, 54, 40, width,
    height, 1, 24, 0, #pixels, 0, 0, 0, 0) .. pixels
end

local Layout = {}
Layout.__index = Layout

-- root [opt]: an existing folder in the place of a new one.
function fixture.new(root)
  return setmetatable({ root = root or assert(sys.mkdtemp()), images = 0 }, Layout)
end

function Layout:remove() remove(self.root) end

function Layout:path(name) return self.root .. "/" .. name end

function Layout:write(name, content)
  local path = self:path(name)
  assert(sys.mkdir_p((path:gsub("/[^/]*$", ""))))
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
  return path
end

-- An image whose content no other image of the layout has.
function Layout:image(name)
  self.images = self.images + 1
  return self:write(name, fixture.bmp(4, 4, self.images % 251, self.images // 251, 7))
end

-- n images in a folder, named by their number.
function Layout:images_of(folder, n)
  for i = 1, n do self:image(("%s/%02d.bmp"):format(folder, i)) end
end

function Layout:lines(name, lines, ending)
  return self:write(name, table.concat(lines, ending or "\n") .. (ending or "\n"))
end

-- ── layouts; counts: list of {class, images} ────────────────────────────────────────────
-- PAD-UFES-20: two images per patient, in the three folders in turn.
function Layout:pad(counts, folders)
  local rows, number = { "patient_id,lesion_id,age,diagnostic,itch,img_id,biopsed" }, 0
  for _, one in ipairs(counts) do
    for _ = 1, one[2] do
      number = number + 1
      local name = ("PAT_%d_%d_%d.png"):format(1000 + number // 2, 500 + number, number)
      rows[#rows + 1] = ("PAT_%d,%d,55,%s,True,%s,True"):format(1000 + number // 2, 500 + number, one[1],
        name)
      self:image(("pad/%s/%s"):format(folders[number % #folders + 1], name))
    end
  end
  self:lines("pad/metadata.csv", rows)
  return self:path "pad"
end

-- SCIN: cases with two images. labels: list of the text per case.
function Layout:scin(labels)
  local cases = { "case_id,source,image_1_path,image_2_path,image_3_path" }
  local weighted = { "case_id,weighted_skin_condition_label" }
  for k, label in ipairs(labels) do
    local id = tostring(-9000 - k)
    cases[#cases + 1] = ("%s,SCIN,dataset/images/%s_0.png,dataset/images/%s_1.png,"):format(id, id, id)
    weighted[#weighted + 1] = ('%s,"%s"'):format(id, (label:gsub('"', '""')))
    for j = 0, 1 do self:image(("scin/dataset/images/%s_%d.png"):format(id, j)) end
  end
  self:lines("scin/dataset/scin_cases.csv", cases)
  self:lines("scin/dataset/scin_labels.csv", weighted)
  return self:path "scin"
end

-- Hyper-Kvasir: folders = { {path below labeled-images, class of the table, images} }.
function Layout:kvasir(folders, folds)
  local rows, number = { "file-name;class-name;split-index" }, 0
  for _, one in ipairs(folders) do
    for i = 1, one[3] do
      number = number + 1
      local name = ("%08x-aaaa.jpg"):format(number)
      rows[#rows + 1] = ("%s;%s;%d"):format(name, one[2], (i - 1) % folds)
      self:image(("kvasir/labeled-images/%s/%s"):format(one[1], name))
    end
  end
  self:lines(("kvasir/official_splits/%d_fold_split.csv"):format(folds), rows)
  return self:path "kvasir"
end

-- ISIC: a one-hot table NAME.csv in `folder` and images in `images`; two images of a lesion.
function Layout:isic(name, folder, images, classes, n)
  local rows, lesions = { "image," .. table.concat(classes, ",") },
    { "image,lesion_id,diagnosis_confirm_type" }
  for i = 1, n do
    local id, cells = ("ISIC_%07d"):format(i), {}
    for k = 1, #classes do cells[k] = k == (i // 2) % #classes + 1 and "1.0" or "0.0" end
    rows[#rows + 1] = id .. "," .. table.concat(cells, ",")
    lesions[#lesions + 1] = ("%s,HAM_%d,histo"):format(id, i // 2)
    self:image(("isic/%s/%s.jpg"):format(images, id))
  end
  self:lines(("isic/%s%s.csv"):format(folder, name), rows)
  return self:path "isic", lesions
end

-- ── opening ─────────────────────────────────────────────────────────────────────────────
-- Opens a set at 4×4 pixels; its warnings are kept in facts.warnings and not printed.
function fixture.open_quietly(given)
  given.size, given.cache = 4, false
  warnings.stream = { write = function() end }
  local ok, ds, message, code = pcall(data.open, given)
  warnings.stream = nil
  if not ok then error(ds, 0) end
  return ds, message, code
end

-- The warnings of a data set have all the texts. lu: luaunit, which a script without the tests lacks.
function fixture.warns(lu, ds, ...)
  local text = table.concat(ds.facts.warnings, "\n")
  for _, part in ipairs { ... } do lu.assertStrContains(text, part) end
end

-- ── a table of any other set ────────────────────────────────────────────────────────────
function fixture.label(i) return i % 2 == 0 and "even" or "odd" end

-- t.csv with n images; cells(i) → the further cells of a row.
function Layout:table(header, n, cells)
  local rows = { "image," .. header }
  for i = 1, n do
    local name = ("%03d.bmp"):format(i)
    rows[i + 1] = name .. "," .. cells(i)
    self:image("images/" .. name)
  end
  self:lines("t.csv", rows)
end

function fixture.open_table(layout, more)
  local given = { "csv", root = layout.root, table = "t.csv", size = 4, cache = false }
  for key, value in pairs(more or {}) do given[key] = value end
  return data.open(given)
end

-- The table cannot be opened; the message is one line and has all the texts. lu: luaunit, which a script
-- without the tests does not load.
function fixture.refuses_table(lu, layout, more, ...)
  local ds, message = fixture.open_table(layout, more)
  lu.assertNil(ds)
  lu.assertNil(message:find "\n")
  for _, part in ipairs { ... } do lu.assertStrContains(message, part) end
end

-- ── NumPy's .npy, as numpy.save writes them ─────────────────────────────────────────────
local function npy(descr, shape, content)
  local header = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }"):format(descr, shape)
  header = header .. (" "):rep(-(#header + 11) % 64) .. "\n"
  return "\x93NUMPY\1\0" .. string.pack("<s2", header) .. content
end

-- An array of texts of at most `width` characters.
function fixture.npy_names(names, width)
  local out = {}
  for _, name in ipairs(names) do
    for k = 1, width do out[#out + 1] = string.pack("<I4", name:byte(k) or 0) end
  end
  return npy("<U" .. width, ("(%d,)"):format(#names), table.concat(out))
end

-- A dictionary in an array without dimensions: protocol 3, with NumPy's wrapping around it. Every
-- second number is one of NumPy's own.
function fixture.npy_dictionary(pairs_of)
  local function text(s) return "X" .. string.pack("<s4", s) end
  local items = {}
  for i, one in ipairs(pairs_of) do
    items[#items + 1] = text(one[1]) .. (i % 2 == 0 and "K" .. string.char(one[2])
      or "cnumpy.core.multiarray\nscalar\n" .. "cnumpy\ndtype\n" .. text "i8" .. "K\0K\1\x87R"
      .. "C" .. string.pack("<s1", string.pack("<i8", one[2])) .. "\x86R")
  end
  return npy("|O", "()", "\x80\3cnumpy.core.multiarray\n_reconstruct\nq\0cnumpy\nndarray\nq\1K\0\x85q\2C\1b"
    .. "\x87Rq\4(K\1)cnumpy\ndtype\n" .. text "O8" .. "K\0K\1\x87R(K\3" .. text "|" .. "NNNJ\xff\xff\xff\xff"
    .. "J\xff\xff\xff\xffK?tb\x89]}(" .. table.concat(items) .. "uatb.")
end

return fixture
