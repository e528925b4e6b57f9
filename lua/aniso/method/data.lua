-- Data sets for recipes: aniso.data{"ham10000", root = …} checks the options, completes them
-- and opens the userdata aniso.Dataset. The kinds: folder (a sub-folder per class), csv (a
-- table of images), ham10000 (csv as published), lesions (synthetic, built in).
local core = require "aniso.core"
local options = require "aniso.recipe.options"
local printed = require("aniso.stats.metric.catalog").printed

local data = {}

local fraction = options.number { min = 0, below = 1 }

-- What every kind understands; `more` adds its own.
local function kind(more)
  local fields = {
    size = options.any,                              -- 32, or {height, width}
    seed = options.integer { default = 0 },          -- of the split
    val = options.optional(fraction),                -- of all images, or of a ready-made
    test = options.optional(fraction),               -- training list; of all images
    shot = { many = 100, few = 20 },                 -- Liu et al. 2019
  }
  for key, value in pairs(more) do fields[key] = value end
  return fields
end

local function files(more)
  more.root = options.optional "string"
  more.cache = options.any                           -- a folder, false, or nil: the user's
  more.aspect = options.one_of { "stretch", "crop", "pad" }
  more.classes = options.optional(options.list "string")
  return kind(more)
end

data.kinds = options.kinds {
  folder = files { split = options.optional "string" },
  csv = files {
    table = options.optional "string", image = "image", label = "label",
    group = options.optional "string", extension = "", images = options.any,
    split = options.optional "string",
  },
  ham10000 = files { split = options.optional "string" },
  lesions = kind { n = options.integer { default = 1400, min = 70 } },
  default = "lesions",
}

-- The options of ds:batch's `augment`, with their defaults: nothing is changed.
data.augment = {
  flip = options.one_of { false, true, "none", "horizontal", "vertical", "both" }, -- true: both
  transpose = false,
  shift = options.integer { default = 0, min = 0 },    -- pixels, border reflected
  crop = options.integer { default = 0, min = 0 },     -- pixels, black outside
  brightness = options.number { default = 0, min = 0, max = 1 },
  contrast = options.number { default = 0, min = 0, max = 1 },
  colour = options.number { default = 0, min = 0, max = 1 },
  noise = options.number { default = 0, min = 0, max = 1 },
}

local function cache_folder(given)
  if given == false then return "" end
  if given ~= nil then return given end
  local home, xdg = os.getenv "HOME", os.getenv "XDG_CACHE_HOME"
  if xdg and xdg ~= "" then return xdg .. "/aniso" end
  return home and home ~= "" and home .. "/.cache/aniso" or ""
end

local function check_size(size)
  if size == nil then size = 32 end
  local height, width = size, size
  if type(size) == "table" then height, width = size[1], size[2] end
  for _, side in ipairs { height or false, width or false } do
    if math.type(side) ~= "integer" or side < 1 or side > 1024 then
      error("option data.size must be a whole number from 1 to 1024, or {height, width}", 0)
    end
  end
  return height, width
end

local function need(given, key, why)
  if given[key] == nil then
    error(("option data.%s is needed: %s (--set data.%s=…)"):format(key, why, key), 0)
  end
  return given[key]
end

local function join(folder, name)
  return name:sub(1, 1) == "/" and name or folder:gsub("/+$", "") .. "/" .. name
end

-- What each kind adds to the table that the engine takes.
local open = {}

function open.folder(given)
  return { source = "folder", split = given.split,
    root = need(given, "root", "the folder that holds a folder per class") }
end

function open.csv(given)
  local root = need(given, "root", "the folder that holds the table and the images")
  local images = given.images or "images"
  if type(images) == "string" then images = { images } end
  local folders = {}
  for i, folder in ipairs(images) do folders[i] = join(root, folder) end
  return {
    source = "table", table = join(root, need(given, "table", "the CSV file's name")),
    image = given.image, label = given.label, group = given.group,
    extension = given.extension, folders = folders, split = given.split,
  }
end

function open.ham10000(given)
  need(given, "root", "the folder that holds HAM10000_metadata.csv")
  local out = open.csv {
    root = given.root, table = "HAM10000_metadata.csv", image = "image_id", label = "dx",
    group = "lesion_id", extension = ".jpg", split = given.split,
    images = { "images", ".", "HAM10000_images_part_1", "HAM10000_images_part_2" },
  }
  out.classes = { "nv", "mel", "bkl", "bcc", "akiec", "vasc", "df" }
  return out
end

function open.lesions(given)
  return { source = "lesions", name = "lesions (synthetic)", n = given.n, test = 0.3 }
end

-- A complete copy of the options; raises on a mistake. `where`: their name in messages.
function data.check(given, where)
  local out = options.check(given, data.kinds, where or "data")
  check_size(out.size)
  return out
end

-- The columns of a list of such images, as `split` reads it: image, class.
function data.columns(given)
  if given[1] == "ham10000" then return { "image_id", "dx" } end
  return { given.image or "image", given.label or "label" }
end

-- The Dataset, or nil, message, code when the files are not as they should be.
function data.open(given)
  given = data.check(given)
  local spec = open[given[1]](given)
  spec.name = spec.name or given[1]
  spec.height, spec.width = check_size(given.size)
  spec.classes = given.classes or spec.classes
  spec.aspect, spec.seed = given.aspect, given.seed
  spec.val, spec.test = given.val, given.test or spec.test
  spec.many, spec.few = given.shot.many, given.shot.few
  spec.cache = cache_folder(given.cache)
  return core.data.open(spec)
end

-- ds:info() → the text of `aniso data info`.
function core.data.methods.info(ds)
  local split, lines = ds.split, {}
  local function add(format, ...) lines[#lines + 1] = format:format(...) end
  add("%s: %d classes, %dx%d pixels", ds.name, ds.K, ds.width, ds.height)
  add("content  %s", ds.sha256)
  add("split    %s, seed %d, %s", split.name, split.seed, split.sha256)
  add("imbalance %.1f, head > %d, tail < %d training images", split.imbalance_factor, split.many,
    split.few)
  if split.test_is_val == 1 then add("validation is the test part: there is no other") end
  if split.group_leaks > 0 then
    add("%d validation and test images share a group with training", split.group_leaks)
  end
  local width = 5
  for _, name in ipairs(ds.classes) do width = math.max(width, utf8.len(name) or #name) end
  local row = "%-" .. width .. "s %8s %8s %8s  %s"
  add("")
  add(row, "class", "train", "val", "test", "group")
  for k, name in ipairs(ds.classes) do
    add(row, name, split.n_train[k], split.n_val[k], split.n_test[k], printed(split.shot[k]))
  end
  add(row, "all", ds:n "train", ds:n "val", ds:n "test", "")
  return (table.concat(lines, "\n"):gsub(" +\n", "\n"):gsub(" +$", ""))
end

return setmetatable(data, { __call = function(_, given)
  local ds, message = data.open(given)
  if not ds then error(message, 0) end
  return ds
end })
