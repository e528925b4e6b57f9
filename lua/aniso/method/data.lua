-- Data sets for recipes: aniso.data{"ham10000", root = …} checks the options, completes them
-- and opens the userdata aniso.Dataset. The kinds are in data/registry.lua.
local class_order = require "aniso.method.data.class_order"
local core = require "aniso.core"
local data_paths = require "aniso.recipe.data_paths"
local info = require "aniso.method.data.info"
local labels = require "aniso.method.data.labels"
local lists = require "aniso.method.data.split_lists"
local long_tail = require "aniso.method.data.long_tail"
local options = require "aniso.recipe.options"
local published = require "aniso.method.data.published"
local fault = require "aniso.method.data.fault"
local parts = require "aniso.method.data.parts"
local registry = require "aniso.method.data.registry"
local warnings = require "aniso.method.data.warnings"

local data = { recognise = registry.recognise }

local kinds = { default = "lesions" }
for name, set in pairs(registry.of) do kinds[name] = set.options end
data.kinds = options.kinds(kinds)

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

-- The folder of decoded images for the option `cache`; "" for none.
function data.cache_folder(given)
  if given == false then return "" end
  if given ~= nil then return given end
  return core.sys.cache_folder() or ""
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

-- A complete copy of the options; raises on a mistake. `where`: their name in messages.
function data.check(given, where)
  local out = options.check(given, data.kinds, where or "data")
  check_size(out.size)
  return out
end

-- The options; relative paths that exist below `folder` [opt] but not here become absolute: a stored run can
-- be continued from any folder.
function data.seen_from(given, folder)
  local out = given
  for _, key in ipairs(data_paths.keys(given)) do
    local path = given[key]
    local relative = folder and type(path) == "string" and path:sub(1, 1) ~= "/"
    local there = relative and not core.sys.exists(path) and folder .. "/" .. path
    if there and core.sys.exists(there) then
      out = out == given and options.copy(given) or out
      out[key] = there
    end
  end
  return out
end

-- The first file or folder named by the options that exists neither here nor below `folder` [opt]; nil if all
-- exist. `split` may name a column.
function data.missing_path(given, folder)
  local seen = data.seen_from(given, folder)
  for _, key in ipairs(data_paths.keys(seen)) do
    local path = seen[key]
    if key ~= "split" and type(path) == "string" and not core.sys.exists(path) then return path end
  end
end

-- The data options of a stored run, whose database may be another user's: its `cache` is used only if it is
-- already a cache, so that no database can create files in a folder of its choice; otherwise the default is.
function data.of_stored(given)
  if type(given.cache) ~= "string" then return given end
  for _, name in ipairs(core.sys.exists(given.cache) == "directory" and core.sys.list(given.cache) or {}) do
    if name:match "^%x+%.index$" then return given end
  end
  local out = options.copy(given)
  out.cache = nil
  return out
end

-- The columns of a list of such images, as `split` reads it: image, class.
function data.columns(given)
  local columns = registry.of[given[1]].columns
  return columns and columns(given) or { "image", "label" }
end

-- What the engine opens, built from the files that the options name.
local function describe(given)
  local set = registry.of[given[1]]
  local facts = { kind = set.kind, title = set.title, notes = {}, warnings = {} }
  if set.kind == "folder" and given.root and not given.nested and not registry.recognise(given.root) then
    published.refuse_images(registry.list, given.root)
  end
  local spec = set.open(given, facts, registry.recognise)
  spec.facts, spec.name = facts, given.name or spec.name or set.kind
  if given.split and not set.brings_parts and not spec.rows.part then
    lists.apply(spec, given.split, data.columns(given), given.ratio)
  end
  if spec.rows then
    labels.apply(spec.rows, given, facts)
    parts.settle(spec, given)
  end
  if spec.rows and #spec.rows.key == 0 then fault.raise("EFORMAT", "%s: no image is listed",
    spec.origin) end
  return spec
end

local function set_groups(spec, rule)
  spec.groups = rule[1]
  if rule[1] == "given" then
    spec.head_classes, spec.tail_classes = rule.head, rule.tail
  else
    for key, value in pairs(rule) do
      if key ~= 1 then spec[key] = value end
    end
  end
end

-- Warns of images with the same bytes and different labels.
local function warn_of_conflicts(ds, list)
  local split = ds.split
  if split.conflicts == 0 then return end
  warnings.add(list, "%s: %d images have the bytes of an image of another class (%s and %s), so a label is "
    .. "wrong", ds.name, split.conflicts, table.unpack(split.conflict))
end

-- Warns of validation and test images with a copy, or with images of their group, in the training part.
local function warn_of_leaks(ds, list)
  local split = ds.split
  if split.copy_leaks > 0 then
    warnings.add(list, "%s: %d validation or test images are byte for byte in training too", split.name,
      split.copy_leaks)
  end
  if split.group_leaks > 0 then
    warnings.add(list, "%s: %d validation or test images show a group (lesion, patient) that is in training "
      .. "too", split.name, split.group_leaks)
  end
end

-- Warns of parts that lack what an evaluation needs. A fold of a cross-validation may lack a class.
local function warn_of_gaps(ds, list)
  local absent = {}
  for k, n in ipairs(ds.split.n_test) do
    if n == 0 and not ds.split.folds then absent[#absent + 1] = ds.classes[k] end
  end
  if #absent > 0 then
    warnings.add(list, "%s: without a test image, and so left out of means over classes: %s%s", ds.name,
      table.concat(absent, ", ", 1, math.min(#absent, 8)), #absent > 8 and ", …" or "")
  end
  if ds.split.test_is_val == 1 then
    warnings.add(list, "%s: validation and test are the same part, as there is no other: what is chosen on "
      .. "validation is chosen on test (data.val = 0.1 cuts one from training)", ds.name)
  end
end

-- The classes in their order: those given, those of the set, or those of the rows sorted by value. Only the
-- last follow the order of a stored run.
local function order_classes(spec, given, stored)
  if given.classes or spec.classes or not spec.rows then
    spec.classes = given.classes or spec.classes
    return
  end
  spec.classes, spec.facts.ordered_by_value = class_order.of_rows(spec.rows, stored)
end

local function open(given, cross, stored_classes)
  given = data.check(given)
  local spec, message, code = fault.catch(describe, given)
  if not spec then return nil, message, code end
  if not spec.height then spec.height, spec.width = check_size(given.size) end
  order_classes(spec, given, stored_classes)
  spec.aspect, spec.seed, spec.divide_groups = given.aspect, given.seed, given.divide_groups
  spec.damaged = given.damaged
  spec.val, spec.test = given.val, given.test or spec.test
  spec.long_tail = long_tail.spec(given.long_tail)
  set_groups(spec, given.groups)
  if cross then spec.folds, spec.fold, spec.official_folds = cross.folds, cross.fold, cross.official end
  spec.cache = data.cache_folder(given.cache)
  local ds
  ds, message, code = core.data.open(spec)
  if not ds then return nil, message, code end
  if spec.published and ds.official then
    published.check_parts(ds.name, spec.published, ds.official, spec.facts.warnings)
  end
  if ds.missing > 0 then
    warnings.add(spec.facts.warnings, "%s: %d images are not there, and left out", spec.origin, ds.missing)
  end
  if ds.damaged > 0 then
    warnings.add(spec.facts.warnings, "%s: %d damaged images are accepted (data.damaged); some of their "
      .. "pixels are grey or wrong", ds.name, ds.damaged)
  end
  labels.warn_of_doubts(ds, spec.facts.warnings, registry.of[given[1]].options.merge and given)
  warn_of_conflicts(ds, spec.facts.warnings)
  warn_of_leaks(ds, spec.facts.warnings)
  warn_of_gaps(ds, spec.facts.warnings)
  return ds
end

-- The Dataset, or nil, message, code if the files are faulty. cross [opt]: {folds, fold [, official]} of a
-- cross-validation, fold counted from 0. stored_classes [opt]: the classes of a stored run, in its order. A
-- signal interrupts it, even in a command that polls.
function data.open(given, cross, stored_classes)
  return core.sys.interruptible(open, given, cross, stored_classes)
end

core.data.methods.info = info

return setmetatable(data, { __call = function(_, given, cross, stored_classes)
  local ds, message = data.open(given, cross, stored_classes)
  if not ds then error(message, 0) end
  return ds
end })
