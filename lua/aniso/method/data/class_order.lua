-- The order of classes if a set does not fix it: numbers by value, then texts, in which digits compare as
-- whole numbers ("grade 2" before "grade 10"). Grades are ordinal, and quadratic kappa depends on the order.
--   class_order.number("01") → 1.0      class_order.before(a, b)      class_order.sorted(names) → list
--   class_order.of_rows(rows, stored) → names, differs
local class_order = {}

-- The value of a label that is a decimal number; nil for any other text, including "nan" and "0x10".
function class_order.number(label)
  local text = label:match "^%s*(.-)%s*$"
  if text:find "^[+-]?%d+%.?%d*$" or text:find "^[+-]?%.%d+$" or text:find "^[+-]?%d+%.?%d*[eE][+-]?%d+$" then
    return tonumber((text:gsub("^%+", ""))) + 0.0
  end
  return nil
end

-- The pieces of a text: runs of digits, and the text between them.
local function pieces_of(text)
  local out = {}
  for other, digits in text:gmatch "(%D*)(%d*)" do
    if other ~= "" then out[#out + 1] = other end
    if digits ~= "" then out[#out + 1] = digits end
  end
  return out
end

-- −1, 0 or 1: digits as whole numbers of any length, anything else bytewise.
local function compare_pieces(a, b)
  if a:find "^%d" and b:find "^%d" then
    local x, y = a:gsub("^0+", ""), b:gsub("^0+", "")
    if #x ~= #y then return #x < #y and -1 or 1 end
    a, b = x, y
  end
  return a == b and 0 or a < b and -1 or 1
end

local function compare_texts(a, b)
  local x, y = pieces_of(a), pieces_of(b)
  for i = 1, math.min(#x, #y) do
    local sign = compare_pieces(x[i], y[i])
    if sign ~= 0 then return sign end
  end
  return #x == #y and 0 or #x < #y and -1 or 1
end

-- A strict order of all texts; equal values ("1", "01") are ordered bytewise.
function class_order.before(a, b)
  local x, y = class_order.number(a), class_order.number(b)
  if x and y and x ~= y then return x < y end
  if (x == nil) ~= (y == nil) then return x ~= nil end
  if not x then
    local sign = compare_texts(a, b)
    if sign ~= 0 then return sign < 0 end
  end
  return a < b
end

function class_order.sorted(names)
  local out = table.move(names, 1, #names, 1, {})
  table.sort(out, class_order.before)
  return out
end

local MOST = 30000 -- classes, AN_MOST_CLASSES of engine/data/listing.h

-- The different labels of the rows, sorted bytewise.
local function distinct(labels)
  local seen, out = {}, {}
  for _, label in ipairs(labels) do
    if not seen[label] then seen[label], out[#out + 1] = true, label end
  end
  table.sort(out)
  return out
end

local function same(a, b)
  if #a ~= #b then return false end
  for i, name in ipairs(a) do
    if name ~= b[i] then return false end
  end
  return true
end

-- The classes of rows in order, and whether that differs from the bytewise order of earlier versions.
-- stored [opt]: the classes of a stored run, whose order is kept if they are the same.
function class_order.of_rows(rows, stored)
  local names = distinct(rows.class)
  if #names < 2 or #names > MOST then return nil, false end -- the engine refuses them
  local wanted = class_order.sorted(names)
  if stored then
    local plain = table.move(stored, 1, #stored, 1, {})
    table.sort(plain)
    if same(plain, names) then wanted = stored end
  end
  return wanted, not same(wanted, names)
end

return class_order
