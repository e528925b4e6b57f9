-- Option fields that kinds of data share, and helpers that turn options into paths and numbers.
local core = require "aniso.core"
local long_tail = require "aniso.method.data.long_tail"
local options = require "aniso.recipe.options"

local fields = {}

local fraction = options.number { min = 0, below = 1 }

-- How classes are divided into the groups many (head), medium and few (tail).
local groups = options.kinds {
  -- many: n_j ≥ n_max/head, few: n_j ≤ n_max/tail; both are non-empty on a long-tailed set
  relative = { head = options.number { default = 5, min = 1 },
    tail = options.number { default = 20, min = 1 } },
  counts = { many = 100, few = 20 },                 -- Liu et al. 2019
  given = { head = options.list "string", tail = options.list "string" },
  default = "relative",
}

-- The options of every kind; `more` adds those of one kind.
function fields.any(more)
  local all = {
    size = options.any,                              -- 32, or {height, width}
    name = options.optional "string",
    seed = options.integer { default = 0 },          -- of the split
    val = options.optional(fraction),                -- of all images, or of a ready-made
    test = options.optional(fraction),               -- training list; of all images
    divide_groups = options.optional "boolean",      -- the parts share lesions or patients
    groups = groups,
    long_tail = long_tail.option,
  }
  for key, value in pairs(more) do all[key] = value end
  return all
end

-- Options of kinds with image files.
function fields.files(more)
  more.root = options.optional "string"
  more.cache = options.any                           -- a folder, false, or nil: the user's
  more.aspect = options.one_of { "stretch", "crop", "pad" }
  more.damaged = options.optional(options.one_of { "refuse", "accept" }) -- JPEGs with a damaged scan
  more.classes = options.optional(options.list "string")
  more.split = options.optional "string"
  more.ratio = options.optional(options.integer { min = 1 })
  return fields.any(more)
end

-- given[key], which the kind requires.
function fields.need(given, key, why)
  if given[key] == nil then
    error(("option data.%s is needed: %s (--set data.%s=…)"):format(key, why, key), 0)
  end
  return given[key]
end

-- A path below `folder` [opt]; an absolute name is unchanged, "." is the folder itself.
function fields.join(folder, name)
  if not folder or name:sub(1, 1) == "/" then return name end
  local base = folder:match "^(.-)/+$" or folder
  if name == "." then return base == "" and "/" or base end
  return base .. "/" .. name
end

function fields.join_all(folder, names)
  local out = {}
  for i, name in ipairs(names) do out[i] = fields.join(folder, name) end
  return out
end

-- The folders of images of a published set: those of `names` that exist below root, so that a message about
-- an absent image lists no others; root if none exists.
function fields.folders(root, names)
  local out = {}
  for _, path in ipairs(fields.join_all(root, names)) do
    if core.sys.exists(path) == "directory" then out[#out + 1] = path end
  end
  return #out > 0 and out or { root }
end

-- The end of a message about an absent path, if the path is relative.
function fields.relative_hint(path)
  if path:sub(1, 1) == "/" then return "" end
  return (" (searched in %s; a recipe that is used from several folders needs the whole path)")
    :format(core.sys.realpath "." or "the current folder")
end

-- The last part of a path: "pictures" of "/home/me/pictures/".
function fields.last_part(path)
  return path:match "([^/]+)/*$" or path
end

return fields
