-- make_images.lua FOLDER: writes three classes of small BMP images, and one file of each kind
-- that must be rejected; for tests/cli/test_bad_input.sh.
local root = ...

local function write(name, content)
  local path = root .. "/" .. name
  os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
end

local function bmp(width, height, r, g, b)
  local pixels = string.char(b, g, r):rep(width * height)
  return string.pack("<c2I4I2I2I4I4i4i4I2I2I4I4i4i4I4I4", "BM", 54 + #pixels, 0, 0, 54, 40, width,
    height, 1, 24, 0, #pixels, 0, 0, 0, 0) .. pixels
end

local rows = { "image_id,dx" }
for k, class in ipairs { "a", "b", "c" } do
  for i = 1, 12 do
    local name = ("%s%02d"):format(class, i)
    local image = bmp(8, 8, 60 * k, 10 * i, 20)
    write(("good/%s/%s.bmp"):format(class, name), image)
    write(("table/images/%s.bmp"):format(name), image)
    rows[#rows + 1] = name .. "," .. class
  end
end
write("table/good.csv", table.concat(rows, "\n") .. "\n")
write("table/absent.csv", table.concat(rows, "\n") .. "\nc13,c\n")
write("table/single.csv", rows[1] .. "\n" .. table.concat(rows, "\n", 2, 25) .. "\n")

write("bad/text.jpg", "this is not a picture\n")
-- A JPEG whose header gives 16 × 16 pixels and which ends before its first block.
write("bad/truncated.jpg", "\xFF\xD8\xFF\xC0\x00\x11\x08\x00\x10\x00\x10\x03"
  .. "\x01\x11\x00\x02\x11\x01\x03\x11\x01\xFF\xDA\x00\x0C\x03\x01\x00\x02\x11\x03\x11\x00\x3F\x00")
write("bad/huge.png", "\x89PNG\r\n\x1a\n" .. string.pack(">I4c4I4I4BBBBBI4", 13, "IHDR", 60000, 60000,
  8, 2, 0, 0, 0, 0x0FB0E215) .. string.pack(">I4c4I4", 0, "IDAT", 0x35AF061E))
