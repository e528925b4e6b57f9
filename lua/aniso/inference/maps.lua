-- A model's attention to an image, as a picture: on the left the image with the windows of the prior, on
-- the right the denoiser's attention for the predicted class, averaged over steps and chains.
local core = require "aniso.core"

local maps = {}

local SIDE = 256        -- pixels, approximately, of a panel's longer side
local FRAME = { 1, 0.55, 0.1 }
local HEAT = { 1, 0.45, 0 }

-- What picture() draws, without the attention. features, prior: from model:encode(images).
function maps.of(form, images, features, prior)
  return { form = form, images = images, rows = features:size(2), columns = features:size(3),
    side = prior.side, positions = prior.positions and prior.positions:totable() }
end

-- Collects the attention: `see` for predict.chains(), and mean() → (B,K,N), nil if no map was collected.
function maps.attention(draws)
  local sum, steps = nil, 0
  local function see(map)
    local rows, K, N = map:size(1), map:size(2), map:size(3)
    local own = map:reshape(rows // draws, draws, K, N):mean(2)
    sum, steps = sum and sum + own or own, steps + 1
  end
  return { see = see, mean = function() return sum and sum / steps end }
end

-- ── drawing: rows of pixels {red, green, blue}, 0 … 1 ───────────────────────────────────────
-- Image i of a normalised batch, each pixel enlarged to `times` × `times`.
local function enlarged(images, i, form, times)
  local H, W = form.height, form.width
  local pixels = images:narrow(1, i, 1):reshape(H, W, 3):totable()
  local out = {}
  for y = 1, H * times do
    out[y] = {}
    local row = pixels[(y - 1) // times + 1]
    for x = 1, W * times do
      local of, to = row[(x - 1) // times + 1], {}
      for c = 1, 3 do to[c] = of[c] * form.std[c] + form.mean[c] end
      out[y][x] = to
    end
  end
  return out
end

-- Draws the outline of a square; at: {top, left} from 0, in pixels of the image.
local function outline(picture, at, side, times)
  local top, left = at[1] * times + 1, at[2] * times + 1
  local bottom = math.min(top + side * times - 1, #picture)
  local right = math.min(left + side * times - 1, #picture[1])
  for x = left, right do picture[top][x], picture[bottom][x] = FRAME, FRAME end
  for y = top, bottom do picture[y][left], picture[y][right] = FRAME, FRAME end
end

-- Orange over grey: the more attention, the more orange. heat: rows × columns numbers.
local function under_heat(picture, heat, rows, columns)
  local least, most = math.huge, -math.huge
  for k = 1, rows * columns do least, most = math.min(least, heat[k]), math.max(most, heat[k]) end
  local height, width = #picture, #picture[1]
  for y, row in ipairs(picture) do
    local r = (y - 1) * rows // height
    for x, pixel in ipairs(row) do
      local value = heat[r * columns + (x - 1) * columns // width + 1]
      local share = 0.8 * (value - least) / math.max(most - least, 1e-12)
      local grey = (1 - share) * (0.299 * pixel[1] + 0.587 * pixel[2] + 0.114 * pixel[3])
      for c = 1, 3 do pixel[c] = grey + share * HEAT[c] end
    end
  end
end

-- The picture of image i of a batch, (H,W,3) in [0, 1]. of: of(), with `attention` [opt]; class: from 1.
function maps.picture(of, i, class)
  local form = of.form
  local times = math.max(1, SIDE // math.max(form.height, form.width))
  local left = enlarged(of.images, i, form, times)
  if of.attention then
    local heat = of.attention:narrow(1, i, 1):narrow(2, class, 1):list()
    local right = enlarged(of.images, i, form, times)
    under_heat(right, heat, of.rows, of.columns)
    for y, row in ipairs(left) do table.move(right[y], 1, #right[y], #row + 1, row) end
  end
  for _, at in ipairs(of.positions and of.positions[i] or {}) do outline(left, at, of.side, times) end
  return core.tensor.from(left)
end

return maps
