-- input: converts what a caller passes (tensors or lists) to plain Lua lists, checked once.
-- Classes are 0-based numbers 0 … K−1, as in the engine and in the database.

local input = {}

local function plain(x)
  return type(x) == "userdata" and x:totable() or x
end

local function is_class(c, K)
  return math.type(c) == "integer" and c >= 0 and c < K
end

-- A list of n class numbers (n nil: any), or an error that names the first wrong entry.
function input.classes(x, K, what, n)
  local list = plain(x)
  if type(list) ~= "table" then
    error(("%s: expected a list or an int64 tensor of classes, got %s"):format(what, type(x)), 0)
  end
  if n and #list ~= n then
    error(("%s has %d entries, expected %d: one per image"):format(what, #list, n), 0)
  end
  local out = {}
  for i, c in ipairs(list) do
    c = math.tointeger(c) or c
    if not is_class(c, K) then
      error(("%s[%d] is %s: expected a class 0 … %d"):format(what, i, tostring(c), K - 1), 0)
    end
    out[i] = c
  end
  return out
end

-- N rows of K finite numbers.
function input.rows(x, what)
  local rows = plain(x)
  if type(rows) ~= "table" or type(rows[1]) ~= "table" then
    error(what .. ": expected an (N, K) tensor or a list of N rows of K numbers, N ≥ 1", 0)
  end
  local K = #rows[1]
  for i, row in ipairs(rows) do
    if #row ~= K then
      error(("%s: row %d has %d numbers, row 1 has %d"):format(what, i, #row, K), 0)
    end
    for j, p in ipairs(row) do
      if type(p) ~= "number" or p ~= p or p == math.huge or p == -math.huge then
        error(("%s: row %d, class %d is %s, not a finite number"):format(what, i, j - 1,
          tostring(p)), 0)
      end
    end
  end
  return rows, K
end

-- The class of the largest probability in each row; ties go to the lower class.
function input.argmax(rows)
  local pred = {}
  for i, row in ipairs(rows) do
    local best = 1
    for j = 2, #row do
      if row[j] > row[best] then best = j end
    end
    pred[i] = best - 1
  end
  return pred
end

-- A (K, K) tensor of counts as K rows of whole numbers.
function input.counts(tensor)
  local rows = tensor:totable()
  for _, row in ipairs(rows) do
    for j, count in ipairs(row) do row[j] = math.tointeger(count) or count end
  end
  return rows
end

-- A list of finite numbers.
function input.numbers(x, what)
  local list = plain(x)
  if type(list) ~= "table" then error(what .. ": expected a list or a tensor of numbers", 0) end
  return input.rows({ list }, what)[1]
end

-- Interval widths: one number per class, or N rows of K whose columns are averaged.
function input.widths(x, K)
  local list = plain(x)
  if type(list) ~= "table" or #list == 0 then
    error("width: expected K numbers or N rows of K numbers", 0)
  end
  if type(list[1]) ~= "table" then list = { list } end
  local rows, columns = input.rows(list, "width")
  if columns ~= K then
    error(("width is given for %d classes, expected %d"):format(columns, K), 0)
  end
  local mean = {}
  for j = 1, K do
    local sum = 0
    for _, row in ipairs(rows) do sum = sum + row[j] end
    mean[j] = sum / #rows
  end
  return mean
end

return input
