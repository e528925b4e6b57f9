-- Names of a set's parts in folders, columns and lists, and what follows from the parts that exist.
--   parts.of "Validation" → "val"      parts.known() → text      parts.folders(root, names, has_folders)
--   parts.settle(spec, given)
local fault = require "aniso.method.data.fault"
local warnings = require "aniso.method.data.warnings"

local parts = { names = { "train", "val", "test" } }

local SYNONYMS = {
  train = { "train", "training", "trn" },
  val = { "val", "valid", "validation", "dev" },
  test = { "test", "testing", "tst" },
}

local part_of = {}
for part, words in pairs(SYNONYMS) do
  for _, word in ipairs(words) do
    part_of[word], part_of[word .. "set"] = part, part
  end
end

-- Words that a name may also contain: train_set, "Test images", data-val.
local FILLERS = {}
for word in ("set data dataset image images img imgs picture pictures photos samples split part partition "
  .. "folder files"):gmatch "%a+" do FILLERS[word] = true end

-- "train", "val" or "test" for a usual name in any case ("Validation", "test_set"), nil for any other.
function parts.of(name)
  local found
  for word in name:lower():gmatch "[^%s_%-%.]+" do
    if part_of[word] and not found then
      found = part_of[word]
    elseif not FILLERS[word] then
      return nil
    end
  end
  return found
end

-- The other words for a part.
function parts.synonyms(part)
  return table.move(SYNONYMS[part], 2, #SYNONYMS[part], 1, {})
end

-- "train (training, trn)"
function parts.words(part)
  return ("%s (%s)"):format(part, table.concat(SYNONYMS[part], ", ", 2))
end

-- "train (training, trn), val (…), test (…)"
function parts.known()
  local out = {}
  for i, part in ipairs(parts.names) do out[i] = parts.words(part) end
  return table.concat(out, ", ")
end

-- name → part if the folders of `root` are parts; nil if they are classes. A folder named train is a class
-- ("train", "car", "bus") if it has no folders and its neighbours are not parts. has_folders(name).
function parts.folders(root, folders, has_folders)
  local found, name_of, count, all = {}, {}, 0, true
  for _, name in ipairs(folders) do
    local part = parts.of(name)
    all = all and part ~= nil
    if part and name_of[part] then
      fault.raise("EFORMAT", "%s: both %s and %s could be the %s part; keep one", root, name_of[part], name,
        part)
    elseif part then
      found[name], name_of[part], count = part, name, count + 1
    end
  end
  if name_of.train and (all or has_folders(name_of.train)) then return found, name_of end
  if all and count >= 2 then
    fault.raise("EFORMAT", "%s: its folders %s are parts, and none of them is for training; name it %s", root,
      table.concat(folders, " and "), parts.words "train")
  end
  return nil
end

-- A note about the parts that the folders name (name_of: part → folder) and where the others come from.
function parts.note(name_of, given)
  local have = {}
  for _, part in ipairs(parts.names) do
    if name_of[part] then have[#have + 1] = ("%s = %s"):format(part, name_of[part]) end
  end
  local line = "parts: " .. table.concat(have, ", ")
  if not name_of.val and given.val ~= 0 then
    return ("%s; no folder %s, so val = %g of the training images is cut"):format(line, parts.words "val",
      given.val or 0.1)
  elseif not name_of.test and name_of.val then
    return ("%s; no folder %s, so %s is the test part, %s"):format(line, parts.words "test", name_of.val,
      given.val and given.val > 0 and ("and val = %g of the training images is cut"):format(given.val)
      or "and nothing is cut")
  end
  return line
end

-- If the user gives a share `val`, a set of training and validation images is tested on the validation part,
-- and the share is cut from training. Without it the one part serves as both.
local function free_validation(list)
  for row, part in ipairs(list) do
    if part == "val" then list[row] = "test" end
  end
end

-- Applies the options val and test to rows that come in parts.
function parts.settle(spec, given)
  local list = spec.rows.part
  if not list then return end
  local has = {}
  for _, part in ipairs(list) do has[part] = true end
  if has.val and not has.test and given.val and given.val > 0 then free_validation(list) end
  if given.test then
    warnings.add(spec.facts.warnings, "%s: test = %g cuts nothing, because the parts came with the data (%s)",
      spec.origin, given.test, spec.split_name or "ready-made")
  end
end

return parts
