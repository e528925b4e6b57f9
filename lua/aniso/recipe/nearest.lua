-- The name that was probably meant: the candidate with the smallest edit distance
-- (insert, delete, replace, swap neighbours), if it is near enough to be a typing mistake, or one with
-- a similar beginning.
local function distance(a, b)
  local before, last, row = {}, {}, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    row[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last, row = last, row, before
  end
  return last[#b]
end

-- Whether two names share a long prefix: "predicts" and "prediction", "batch_size" and "batch".
local function begin_alike(name, candidate)
  local same = 0
  while same < #name and name:byte(same + 1) == candidate:byte(same + 1) do same = same + 1 end
  return same >= 5 and 2 * same >= #name and 3 * same >= 2 * #candidate
end

-- nearest(name, candidates): candidates is a list of names; nil if none is near.
local function nearest(name, candidates)
  local best, least = nil, (#name <= 3 and 1 or math.max(2, #name // 3)) + 1
  for _, candidate in ipairs(candidates) do
    local d = distance(name, candidate)
    if candidate:sub(1, #name) == name and #name >= 2 then d = math.min(d, 1) end
    if begin_alike(name, candidate) then d = math.min(d, 2) end
    if d < least or (d == least and best and candidate < best) then
      best, least = candidate, d
    end
  end
  return best
end

return nearest
