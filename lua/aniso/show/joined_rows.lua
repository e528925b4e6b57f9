-- Joins rows of the prior that several configurations share. In a staged study they take backbone and priors
-- from one first stage, so their prior predictions are in effect the same evaluation: printed once, they
-- read as one result instead of several that agree.
--   joined_rows.join(groups) → groups in which such rows are one, at the place of the last of them
--   joined_rows.head(head, group) → the cell of a head in that row; for a head with `measured` the first's
-- A joined row is {joined = its groups, of_all = whether every configuration is among them} with the
-- fields of the first. Only rows of the prior are joined, and only if all metrics of all seeds are
-- equal to the last bit, on the same split.
local tables = require "aniso.show.table"
local images_of = require("aniso.stats.groups").images_of

local joined_rows = {}

local LONGEST = 40 -- columns of a head that lists names

local function by_seed(group)
  local out = {}
  for _, member in ipairs(group.members) do out[member.seed] = member end
  return out
end

-- Whether every name in `b` has the same value in `a`.
local function includes(a, b)
  for name, value in pairs(b) do
    if a[name] ~= value then return false end
  end
  return true
end

-- Whether two evaluations, {n, metrics}, have the same stored metrics.
local function is_equal(a, b)
  return a.n == b.n and includes(a.metrics, b.metrics) and includes(b.metrics, a.metrics)
end

-- The same for two members of a seed. The stored metrics of folds are in their parts; those of a member
-- with parts are computed when they are read.
local function is_same_member(a, b)
  if not a.parts or not b.parts then return a.parts == b.parts and is_equal(a, b) end
  if #a.parts ~= #b.parts then return false end
  for p, part in ipairs(a.parts) do
    if part.fold ~= b.parts[p].fold or not is_equal(part, b.parts[p]) then return false end
  end
  return true
end

local function is_same_evaluation(first, second)
  if images_of(first.run) ~= images_of(second.run) or first.sampler ~= second.sampler
    or #first.members ~= #second.members then
    return false
  end
  local of_seed = by_seed(first)
  for _, member in ipairs(second.members) do
    local other = of_seed[member.seed]
    if not other or not is_same_member(other, member) then return false end
  end
  return true
end

-- The groups of the prior as lists of those that share their values, in order of appearance.
local function shared(groups)
  local lists = {}
  for _, group in ipairs(groups) do
    local found
    for _, list in ipairs(group.prior and lists or {}) do
      found = found or is_same_evaluation(list[1], group) and list
    end
    if group.prior and not found then
      lists[#lists + 1] = { group }
    elseif found then
      found[#found + 1] = group
    end
  end
  return lists
end

-- The number of configurations; several groups of one come from store/groups.lua, of_evaluations().
local function count_configurations(groups)
  local n, seen = 0, {}
  for _, group in ipairs(groups) do
    local one = group.configuration or group
    if not seen[one] and (group.configuration or not group.prior) then n = n + 1 end
    seen[one] = true
  end
  return n
end

function joined_rows.join(groups)
  local row_at, hidden, configurations, out = {}, {}, count_configurations(groups), {}
  for _, list in ipairs(shared(groups)) do
    for _, group in ipairs(#list > 1 and list or {}) do hidden[group] = true end
    if #list > 1 then
      row_at[list[#list]] = setmetatable({ joined = list, of_all = #list == configurations },
        { __index = list[1] })
    end
  end
  for _, group in ipairs(groups) do
    if row_at[group] or not hidden[group] then out[#out + 1] = row_at[group] or group end
  end
  return out
end

-- "all 3", or the names if they are short, or the first of them.
local function joined_name(group, names)
  if group.of_all then return ("all %d"):format(#names) end
  local text = table.concat(names, ", ")
  return tables.width(text) <= LONGEST and text or ("%s and %d more"):format(names[1], #names - 1)
end

function joined_rows.head(head, group)
  local first = head.get(group)
  if head.measured then return first end
  local names, differs = {}, false
  for i, one in ipairs(group.joined or {}) do
    local value = head.get(one)
    names[i], differs = tostring(value == nil and "n/a" or value), differs or value ~= first
  end
  if not differs then return first end
  -- With a number as its value, a column of numbers stays aligned to the right.
  return { text = joined_name(group, names), value = type(first) == "number" and first or nil }
end

return joined_rows
