-- A picture as a data: URI. Every browser reads an uncompressed BMP, which requires no library: 3 KB for
-- 32×32 pixels. Larger pictures are first averaged down to the size shown on the page.
local bitmap = {}

local MAX_SIDE = 160 -- pixels of a side

local DIGITS = {}
for c in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):gmatch "." do
  DIGITS[#DIGITS + 1] = c
end

-- RFC 4648, with padding.
function bitmap.base64(bytes)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local word = a << 16 | (b or 0) << 8 | (c or 0)
    out[#out + 1] = DIGITS[(word >> 18) + 1] .. DIGITS[(word >> 12 & 63) + 1]
      .. (b and DIGITS[(word >> 6 & 63) + 1] or "=") .. (c and DIGITS[(word & 63) + 1] or "=")
  end
  return table.concat(out)
end

local function byte_of(value)
  return math.floor(255 * math.min(1, math.max(0, value)) + 0.5)
end

-- pixels: rows of pixels {red, green, blue}, 0 … 1, from the top. The file stores blue, green,
-- red, each row padded to four bytes; a negative height means that the top row comes first.
function bitmap.bmp(pixels)
  local height, width = #pixels, #pixels[1]
  local rows, fill = {}, ("\0"):rep(-3 * width % 4)
  for y, row in ipairs(pixels) do
    local line = {}
    for x, pixel in ipairs(row) do
      line[x] = string.char(byte_of(pixel[3]), byte_of(pixel[2]), byte_of(pixel[1]))
    end
    rows[y] = table.concat(line) .. fill
  end
  local body = table.concat(rows)
  return "BM" .. ("<I4I2I2I4 I4i4i4I2I2I4I4i4i4I4I4"):pack(54 + #body, 0, 0, 54, 40, width, -height, 1, 24, 0,
    #body, 2835, 2835, 0, 0) .. body
end

-- image: tensor (H, W, 3) from Dataset:batch(); mean, std: of the channels. → URI.
function bitmap.uri(image, mean, std)
  local height, width = image:size(1), image:size(2)
  local times = math.ceil(math.max(height, width) / MAX_SIDE)
  if times > 1 and times <= math.min(height, width) then
    image = image:reshape(1, height, width, 3):avg_pool2d(times, times)
    image = image:reshape(image:size(2), image:size(3), 3)
  end
  local pixels = image:totable()
  for _, row in ipairs(pixels) do
    for _, pixel in ipairs(row) do
      for c = 1, 3 do pixel[c] = pixel[c] * std[c] + mean[c] end
    end
  end
  return "data:image/bmp;base64," .. bitmap.base64(bitmap.bmp(pixels))
end

return bitmap
