-- Data sets as published: a folder that does not hold the set is an error with what was
-- expected, what was found and which kind fits; counts that differ are a warning.
local core = require "aniso.core"
local fields = require "aniso.method.data.fields"
local fault = require "aniso.method.data.fault"
local warnings = require "aniso.method.data.warnings"

local published = {}

local FOUND = 6 -- names listed in a message

local function contents(root)
  local names = {}
  for _, name in ipairs(core.sys.list(root) or {}) do
    if name:sub(1, 1) ~= "." then
      local folder = core.sys.exists(root .. "/" .. name) == "directory"
      names[#names + 1] = folder and name .. "/" or name
    end
  end
  local more = #names - FOUND
  if #names == 0 then return "nothing" end
  local listed = table.concat(names, ", ", 1, math.min(#names, FOUND))
  return more > 0 and ("%s and %d more"):format(listed, more) or listed
end

-- Why the folder is not the set although it holds its table; nil for any other folder.
local function lacks_of(set, root)
  local _, lacks = set.find(root)
  return lacks
end

-- "expected metadata.csv with …, found a.jpg, metadata.csv (metadata.csv has no column img_id)"
local function difference(set, root)
  local lacks = lacks_of(set, root)
  return ("expected %s, found %s%s"):format(set.expects, contents(root),
    lacks and " (" .. lacks .. ")" or "")
end

-- Refuses a root whose folders would be read as classes but are one set's image folders: its table is
-- missing, or not the published one. sets: modules of this folder.
function published.refuse_images(sets, root)
  local function check(set, name)
    if not (set.image_folder and name:find(set.image_folder)) then return end
    if core.sys.exists(root .. "/" .. name) ~= "directory" or set.in_any_set and not lacks_of(set, root) then
      return
    end
    fault.raise("EFORMAT", "%s: the folder %s has images of %s and is no class: %s", root, name, set.title,
      difference(set, root))
  end
  for _, name in ipairs(core.sys.exists(root) == "directory" and core.sys.list(root) or {}) do
    for _, set in ipairs(sets) do check(set, name) end
  end
end

-- Refuses a root that does not hold the set. set: { kind =, title =, expects =, find = }; fits(root) → the
-- kind that the folder fits, or nil.
function published.wrong_pick(set, root, fits)
  if core.sys.exists(root) ~= "directory" then
    fault.raise("ENOTFOUND", "%s: no such folder%s; `root` must be the folder of %s, with %s", root,
      fields.relative_hint(root), set.title, set.expects)
  end
  local other = fits(root)
  fault.raise("EFORMAT", "%s: not %s: %s%s", root, set.title, difference(set, root),
    other and (' (it looks like "%s")'):format(other) or "")
end

function published.count(classes)
  local counts = {}
  for _, class in ipairs(classes) do counts[class] = (counts[class] or 0) + 1 end
  return counts
end

-- The published classes that have an image, in their order.
function published.present(set, classes)
  local counts, out = published.count(classes), {}
  for _, one in ipairs(set.counts) do
    if counts[one[1]] then out[#out + 1] = one[1] end
  end
  return out
end

-- Warns if the images per class differ from the published counts. set.counts: list of {class, images}.
function published.check(set, classes, list)
  local counts, different, total = published.count(classes), {}, 0
  for _, one in ipairs(set.counts) do
    local class, expected = table.unpack(one)
    total = total + expected
    local found = counts[class] or 0
    if found ~= expected then different[#different + 1] = ("%s %d/%d"):format(class, expected, found) end
  end
  if #different > 0 then
    warnings.add(list, "%s has %d images as published, %d are here (class expected/found: %s)", set.title,
      total, #classes, table.concat(different, ", "))
  end
end

-- Warns of rows without a group id: each forms a group of its own, and may be split from related images.
-- column: that of the ids.
function published.check_groups(groups, column, path, list)
  local lone = 0
  for _, id in ipairs(groups) do lone = lone + (id == "" and 1 or 0) end
  if lone > 0 then
    warnings.add(list, "%s: %d of %d rows have no %s: each is taken as a group of its own", path, lone,
      #groups, column)
  end
end

local function same_parts(expected, official)
  return expected.train == official.train and expected.val == official.val and expected.test == official.test
end

-- Warns if a container's images per part differ from the published counts; a nil count is unknown.
-- expected.before [opt]: the counts of an earlier version, which are right too.
function published.check_parts(name, expected, official, list)
  local different = {}
  if expected.before and same_parts(expected.before, official) then return end
  for _, part in ipairs { "train", "val", "test" } do
    if expected[part] and official[part] ~= expected[part] then
      different[#different + 1] = ("%s %d/%d"):format(part, expected[part], official[part])
    end
  end
  if #different > 0 then
    warnings.add(list, "%s: other numbers of images than published (part expected/found: %s)", name,
      table.concat(different, ", "))
  end
end

return published
