-- The parts of a backbone that are frozen and given learning rates one by one, from the images on: the stem
-- and the stages, with torchvision's names.
--   backbone_parts.of { "resnet18" } → {"stem", "layer1", "layer2", "layer3", "layer4"}
--   backbone_parts.prefixes("backbone", "stem") → what the names of its tensors begin with
local backbone_parts = {}

local STAGES = { resnet = 3, resnet18 = 4, resnet34 = 4, resnet50 = 4 }

-- Every name that a part of some backbone has.
backbone_parts.all = { "stem", "layer1", "layer2", "layer3", "layer4" }

function backbone_parts.of(backbone)
  local stages = STAGES[backbone[1]]
  return stages and table.move(backbone_parts.all, 1, stages + 1, 1, {}) or {}
end

function backbone_parts.prefixes(prefix, part)
  if part == "stem" then return { prefix .. ".conv1.", prefix .. ".bn1." } end
  return { ("%s.%s."):format(prefix, part) }
end

-- How many parts train.freeze names: all for true, those up to and including a name; nil where the backbone
-- has no such part.
function backbone_parts.frozen(backbone, freeze)
  local names = backbone_parts.of(backbone)
  if not freeze then return 0 end
  if #names == 0 then return nil end
  if freeze == true then return #names end
  for i, name in ipairs(names) do
    if name == freeze then return i end
  end
  return nil
end

return backbone_parts
