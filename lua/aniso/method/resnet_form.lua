-- Identifies the residual network that tensors belong to by torchvision's names and the shapes: its depth,
-- the kind of its stem and its width.
--   resnet_form.of(tensors) → {text = "ResNet-50 of width 64", option = '{ "resnet50" }'}; option is nil for
--   a network that is not among the backbones. nil if the tensors form no known network
local resnet_form = {}

local BASIC, BOTTLENECK = 2, 3 -- convolutions per block

-- Blocks per layer, in the networks for larger images.
local LARGE = {
  { depth = 18, convolutions = BASIC, blocks = "2 2 2 2", kind = "resnet18" },
  { depth = 34, convolutions = BASIC, blocks = "3 4 6 3", kind = "resnet34" },
  { depth = 50, convolutions = BOTTLENECK, blocks = "3 4 6 3", kind = "resnet50" },
  { depth = 101, convolutions = BOTTLENECK, blocks = "3 4 23 3" },
  { depth = 152, convolutions = BOTTLENECK, blocks = "3 8 36 3" },
}

local USUAL_WIDTH = 64 -- of the networks for larger images

-- The numbers of blocks per layer as text, and the convolutions per block.
local function blocks_of(tensors)
  local blocks, convolutions = {}, 0
  for name in pairs(tensors) do
    local layer, block, convolution = name:match "^layer(%d)%.(%d%d?)%.conv(%d)%.weight$"
    if layer then
      layer, block = math.tointeger(tonumber(layer)), math.tointeger(tonumber(block))
      blocks[layer] = math.max(blocks[layer] or 0, block + 1)
      convolutions = math.max(convolutions, math.tointeger(tonumber(convolution)))
    end
  end
  return table.concat(blocks, " "), convolutions
end

local function large(blocks, convolutions, width)
  for _, one in ipairs(LARGE) do
    if one.blocks == blocks and one.convolutions == convolutions then
      local option = width == USUAL_WIDTH and '{ "%s" }' or '{ "%s", width = %d }'
      return { text = ("ResNet-%d of width %d"):format(one.depth, width),
        option = one.kind and option:format(one.kind, width) }
    end
  end
end

local function small(blocks, convolutions, width)
  local n = blocks:match "^(%d+) %1 %1$"
  if not n or convolutions ~= BASIC then return nil end
  local depth = 6 * math.tointeger(tonumber(n)) + 2
  return { text = ("ResNet-%d for small images, of width %d"):format(depth, width),
    option = ('{ "resnet", depth = %d, width = %d }'):format(depth, width) }
end

function resnet_form.of(tensors)
  local stem = tensors["conv1.weight"]
  local shape = stem and stem:shape() or {}
  if #shape ~= 4 then return nil end
  local blocks, convolutions = blocks_of(tensors)
  return (shape[3] == 7 and large or small)(blocks, convolutions, shape[1])
end

return resnet_form
