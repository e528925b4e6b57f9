-- A user's changes to the labels: the options `merge` (several labels form one class) and `leave_out` (labels
-- whose images are not used), and warnings about labels that look alike or that stand for a missing value.
local class_order = require "aniso.method.data.class_order"
local options = require "aniso.recipe.options"
local warnings = require "aniso.method.data.warnings"

local labels = {}

-- ── options ─────────────────────────────────────────────────────────────────────────────
local function check_merge(value, where)
  local out, group_of = options.list(options.list "string").check(value, where), {}
  for i, group in ipairs(out) do
    if #group < 2 then
      error(("option %s[%d] needs the name of the class and at least one label for it"):format(where, i), 0)
    end
    for _, label in ipairs(group) do
      if group_of[label] then
        error(("option %s: label '%s' is in two of its lists"):format(where, label), 0)
      end
      group_of[label] = i
    end
  end
  return out
end

-- Adds the options to those of a kind with the user's own labels.
function labels.options(fields)
  fields.merge = options.optional(options.custom(check_merge, nil, options.list(options.list "string")))
  fields.leave_out = options.optional(options.list "string")
  return fields
end

-- The labels in `leave_out` as a set; a blank one means every blank label.
function labels.left_out(given)
  local out = {}
  for _, label in ipairs(given.leave_out or {}) do out[label:match "^%s*$" and "" or label] = true end
  return out
end

function labels.is_blank(label)
  return label:find "^%s*$" ~= nil
end

-- Removes the rows for which drop[row] is true. Columns may be shared with a table, so they are copied.
local function without(rows, drop)
  for name, column in pairs(rows) do
    local kept = {}
    for row, value in ipairs(column) do
      if not drop[row] then kept[#kept + 1] = value end
    end
    rows[name] = kept
  end
end

-- Applies both options to the rows of a set. facts.left_out becomes the number of images removed. An option
-- that names a label absent from the set is a warning: it is most likely misspelt. facts.empty_classes
-- [opt]: a set of labels without images.
function labels.apply(rows, given, facts)
  if not given.merge and not given.leave_out then return end
  local drop, name_of, known, class, count = {}, {}, {}, {}, 0
  local left_out = labels.left_out(given)
  for label in pairs(facts.empty_classes or {}) do known[label] = true end
  for _, group in ipairs(given.merge or {}) do
    for _, label in ipairs(group) do name_of[label] = group[1] end
  end
  for row, label in ipairs(rows.class) do
    local plain = labels.is_blank(label) and "" or label
    known[plain], class[row] = true, name_of[label] or label
    if left_out[plain] then drop[row], count = true, count + 1 end
  end
  rows.class = class
  without(rows, drop)
  facts.left_out = (facts.left_out or 0) + count
  local function check(option, label)
    if not known[label] then
      warnings.add(facts.warnings, "data.%s: the set has no label '%s'", option, label)
    end
  end
  for _, label in ipairs(given.leave_out or {}) do
    check("leave_out", labels.is_blank(label) and "" or label)
  end
  for _, group in ipairs(given.merge or {}) do
    for i = 2, #group do check("merge", group[i]) end
  end
end

-- ── labels in doubt ─────────────────────────────────────────────────────────────────────
-- What pandas, R, spreadsheets and SQL write for a missing value, in lower case.
local MISSING = {}
for _, word in ipairs { "nan", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "null", "none", "nil", "nat",
  "-nan",
  "missing", "undefined", "unlabeled", "unlabelled", "-", "--", "?", ".", "#value!", "#ref!", "(null)" } do
  MISSING[word] = true
end

function labels.is_missing(label)
  return MISSING[label:lower():match "^%s*(.-)%s*$"] == true
end

-- Letters with a mark → the letter, for texts whose accents are composed in one file and not in the other.
local BASE = {}
for base, marked in pairs { a = "àáâãäåā", c = "çćč", e = "èéêëēę", i = "ìíîïī", n = "ñń", o = "òóôõöō",
  s = "śš", u = "ùúûüū", y = "ýÿ", z = "źżž", A = "ÀÁÂÃÄÅ", C = "ÇĆČ", E = "ÈÉÊËĒ", I = "ÌÍÎÏ", N = "Ñ",
  O = "ÒÓÔÕÖ", S = "ŚŠ", U = "ÙÚÛÜ", Y = "Ý", Z = "ŹŻŽ" } do
  for _, code in utf8.codes(marked) do BASE[code] = base end
end

-- Lower case beyond ASCII: æ ø þ ð (Latin-1), Greek, Cyrillic.
local function lower(code)
  if code >= 0xC0 and code <= 0xDE or code >= 0x391 and code <= 0x3A9 or code >= 0x410 and code <= 0x42F then
    return code + 32
  end
  return code >= 0x400 and code <= 0x40F and code + 80 or code
end

local function plain_character(code)
  if code >= 0x300 and code <= 0x36F or code >= 0x200B and code <= 0x200F or code == 0xFEFF then return "" end
  if code == 0xA0 or code >= 0x2000 and code <= 0x200A or code == 0x3000 then return " " end
  if code >= 0x2010 and code <= 0x2015 then return "-" end
  return BASE[code] or utf8.char(lower(code))
end

-- The text shared by labels that look alike: numbers by value; otherwise without case, accents, and
-- differences of spaces, hyphens and underscores.
function labels.appearance(label)
  local value = class_order.number(label)
  if value then return ("%.17g"):format(value) end
  if not utf8.len(label) then return label end
  local out = {}
  for _, code in utf8.codes(label) do out[#out + 1] = plain_character(code) end
  return table.concat(out):lower():gsub("[%s_%-]+", " "):match "^ ?(.-) ?$"
end

local function quoted(texts)
  local out = {}
  for i, text in ipairs(texts) do out[i] = '"' .. text:gsub('[\\"]', "\\%0") .. '"' end
  return "{ " .. table.concat(out, ", ") .. " }"
end

-- The classes that share an appearance, as lists of at least two, in the order of the classes.
local function look_alikes(classes)
  local of, out = {}, {}
  for _, name in ipairs(classes) do
    local plain = labels.appearance(name)
    local group = of[plain] or {}
    of[plain], group[#group + 1] = group, name
    if #group == 2 then out[#out + 1] = group end
  end
  return out
end

-- "'a', 'b' and 'c'"
local function enumerated(names)
  local out = {}
  for i, name in ipairs(names) do out[i] = "'" .. name .. "'" end
  local last = table.remove(out)
  return #out > 0 and table.concat(out, ", ") .. " and " .. last or last
end

-- Warns of classes that look alike and of classes that look like a missing value. given: the set's options;
-- nil if its kind takes neither `merge` nor `leave_out`.
function labels.warn_of_doubts(ds, list, given)
  for _, names in ipairs(look_alikes(ds.classes)) do
    warnings.add(list, "%s: %s are %s classes; should they be one?%s", ds.name, enumerated(names),
      #names == 2 and "two" or #names,
      given and (" merge = { %s } makes them one"):format(quoted(names)) or "")
  end
  local missing, out = {}, { table.unpack(given and given.leave_out or {}) }
  for _, name in ipairs(ds.classes) do
    if labels.is_missing(name) then missing[#missing + 1], out[#out + 1] = name, name end
  end
  if #missing == 0 then return end
  local one = #missing == 1
  warnings.add(list, "%s: the %s %s %s%s", ds.name, one and "class" or "classes", enumerated(missing),
    one and "looks like a missing label" or "look like missing labels",
    given and ("; leave_out = %s leaves %s images out"):format(quoted(out), one and "its" or "their") or "")
end

-- Warns of ids that look like a missing value and occur in several rows of the column.
function labels.warn_of_groups(groups, column, name, list)
  local count = {}
  for _, id in ipairs(groups) do
    if labels.is_missing(id) then count[id] = (count[id] or 0) + 1 end
  end
  local ids = {}
  for id, n in pairs(count) do
    if n > 1 then ids[#ids + 1] = id end
  end
  table.sort(ids)
  for _, id in ipairs(ids) do
    warnings.add(list, "%s: '%s' in column %s makes %d images one group; no_group = %s takes each of them "
      .. "alone", name, id, column, count[id], quoted { id })
  end
end

return labels
