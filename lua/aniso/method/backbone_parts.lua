-- The parts of a backbone that can be frozen and given learning rates one by one, starting at the images:
-- the stem and the stages, with torchvision's names.
--   backbone_parts.of { "resnet18" } → {"stem", "layer1", "layer2", "layer3", "layer4"}
--   backbone_parts.prefixes("backbone", "stem") → the prefixes of its tensors' names
local backbone_parts = {}

local STAGES = { resnet = 3, resnet18 = 4, resnet34 = 4, resnet50 = 4 }

-- Every part name of any backbone.
backbone_parts.all = { "stem", "layer1", "layer2", "layer3", "layer4" }

function backbone_parts.of(backbone)
  local stages = STAGES[backbone[1]]
  return stages and table.move(backbone_parts.all, 1, stages + 1, 1, {}) or {}
end

function backbone_parts.prefixes(prefix, part)
  if part == "stem" then return { prefix .. ".conv1.", prefix .. ".bn1." } end
  return { ("%s.%s."):format(prefix, part) }
end

-- The number of parts that train.freeze freezes: all for true, those up to and including a name; nil if the
-- backbone has no such part.
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
