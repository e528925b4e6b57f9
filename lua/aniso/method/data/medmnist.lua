-- medmnist: an .npz archive of images and labels (engine/data/container.h), and the published facts about
-- the two-dimensional MedMNIST sets with one label per image: the names of the classes in label order and
-- the images per part (Yang et al. 2023, 2110.14795). The organ sets lost a few images between version 2
-- and version 3; `before` holds the older counts.
local core = require "aniso.core"
local fields = require "aniso.method.data.fields"
local options = require "aniso.recipe.options"
local fault = require "aniso.method.data.fault"

local medmnist = { kind = "medmnist", options = fields.any {
  root = options.optional "string",
  file = options.optional "string",
  aspect = options.one_of { "stretch", "crop", "pad" },
  classes = options.optional(options.list "string"),
} }

local ORGANS = { "bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver",
  "lung-left", "lung-right", "pancreas", "spleen" }

medmnist.sets = {
  pathmnist = { train = 89996, val = 10004, test = 7180, classes = { "adipose", "background", "debris",
    "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa", "cancer-associated stroma",
    "colorectal adenocarcinoma epithelium" } },
  dermamnist = { train = 7007, val = 1003, test = 2005, classes = {
    "actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma",
    "benign keratosis-like lesions", "dermatofibroma", "melanoma", "melanocytic nevi",
    "vascular lesions" } },
  octmnist = { train = 97477, val = 10832, test = 1000, classes = { "choroidal neovascularization",
    "diabetic macular edema", "drusen", "normal" } },
  pneumoniamnist = { train = 4708, val = 524, test = 624, classes = { "normal", "pneumonia" } },
  retinamnist = { train = 1080, val = 120, test = 400, classes = { "0", "1", "2", "3", "4" } },
  breastmnist = { train = 546, val = 78, test = 156, classes = { "malignant", "normal or benign" } },
  bloodmnist = { train = 11959, val = 1712, test = 3421, classes = { "basophil", "eosinophil",
    "erythroblast", "immature granulocyte", "lymphocyte", "monocyte", "neutrophil", "platelet" } },
  tissuemnist = { train = 165466, val = 23640, test = 47280, classes = {
    "collecting duct, connecting tubule", "distal convoluted tubule", "glomerular endothelial cell",
    "interstitial endothelial cell", "leukocyte", "podocyte", "proximal tubule segment",
    "thick ascending limb" } },
  organamnist = { train = 34561, val = 6491, test = 17778, classes = ORGANS,
    before = { train = 34581, val = 6491, test = 17778 } },
  organcmnist = { train = 12975, val = 2392, test = 8216, classes = ORGANS,
    before = { train = 13000, val = 2392, test = 8268 } },
  organsmnist = { train = 13932, val = 2452, test = 8827, classes = ORGANS,
    before = { train = 13940, val = 2452, test = 8829 } },
}

-- The set that a file's name belongs to, also at a larger size ("dermamnist_128.npz"), and its name;
-- nil for any other file.
function medmnist.of(file)
  local name = file:match "([^/]*)%.npz$" or ""
  local set = name:gsub("_%d+$", "")
  return medmnist.sets[set], medmnist.sets[set] and set
end

-- The archives in a folder whose names are MedMNIST's.
local function archives(root)
  local names = {}
  for _, name in ipairs(core.sys.exists(root) == "directory" and core.sys.list(root) or {}) do
    if medmnist.of(name) then names[#names + 1] = name end
  end
  return names
end

function medmnist.find(root)
  return #archives(root) > 0
end

-- The archive's path: `file`, or the only one in `root`.
local function path_of(given)
  if given.file then return given.root and fields.join(given.root, given.file) or given.file end
  local root = fields.need(given, given.root and "root" or "file", "the name of the .npz file")
  local names = archives(root)
  if #names == 1 then return fields.join(root, names[1]) end
  fault.raise("ENOTFOUND", "%s: %s; name one: file = \"dermamnist.npz\"", root,
    #names == 0 and "holds no archive of MedMNIST" or "holds " .. table.concat(names, ", "))
end

function medmnist.open(given)
  local path = path_of(given)
  local set, name = medmnist.of(path)
  return { source = "npz", container = path, name = name, published = set, classes = set and set.classes }
end

return medmnist
