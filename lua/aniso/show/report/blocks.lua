-- Figures of more classes than anyone reads: classes of similar size are drawn as one block.
--   blocks.view(facts, limit, rows) → facts whose classes are blocks, at most rows + 2, each in one of head,
--     medium and tail, and the most classes that a block contains; facts itself and nil up to `limit` classes
-- The view replaces .split.classes (name, n_train = mean, shot), :order(), :classes(group), whose recalls
-- are means over the classes of a block, and :confusion(group), whose cells are sums.
local stats = require "aniso.stats.groups"

local blocks = {}

-- {first, last, shot, classes = {j …}} …: ranks in `order`, from 1.
local function cut(facts, order, size)
  local out = {}
  for rank, j in ipairs(order) do
    local last, shot = out[#out], facts.split.classes[j].shot
    if not last or last.shot ~= shot or #last.classes == size then
      last = { first = rank, shot = shot, classes = {} }
      out[#out + 1] = last
    end
    last.last = rank
    table.insert(last.classes, j)
  end
  return out
end

local function described(facts, list)
  local out = {}
  for b, block in ipairs(list) do
    local n = 0
    for _, j in ipairs(block.classes) do n = n + facts.split.classes[j].n_train end
    local name = block.first == block.last and "class %d" or "classes %d–%d"
    out[b] = { name = name:format(block.first, block.last), shot = block.shot,
      n_train = math.floor(n / #block.classes + 0.5) }
  end
  return out
end

-- The mean recall of a block for each seed, over the classes that have a test image.
local function recall_of(block, classes)
  local sum, count, seeds, values = {}, {}, {}, {}
  for _, j in ipairs(block.classes) do
    local recall = classes[j].recall
    for i, value in ipairs(recall.values) do
      local seed = recall.seeds[i]
      if not sum[seed] then sum[seed], count[seed], seeds[#seeds + 1] = 0, 0, seed end
      sum[seed], count[seed] = sum[seed] + value, count[seed] + 1
    end
  end
  for i, seed in ipairs(seeds) do values[i] = sum[seed] / count[seed] end
  local out = stats.moments(values)
  out.values, out.seeds = values, seeds
  return out
end

local function summed(list, matrix)
  local block_of, out = {}, {}
  for b, block in ipairs(list) do
    out[b] = {}
    for c = 1, #list do out[b][c] = 0 end
    for _, j in ipairs(block.classes) do block_of[j] = b end
  end
  for i, row in ipairs(matrix) do
    local into = out[block_of[i]]
    for j, n in ipairs(row) do
      if n ~= 0 then into[block_of[j]] = into[block_of[j]] + n end
    end
  end
  return out
end

function blocks.view(facts, limit, rows)
  local order = facts:order()
  if #order <= limit then return facts end
  local size = math.ceil(#order / rows)
  local list = cut(facts, order, size)
  local split = setmetatable({ classes = described(facts, list) }, { __index = facts.split })
  local view = setmetatable({ split = split, recalls = {} }, { __index = facts })
  function view.order()
    local out = {}
    for b in ipairs(list) do out[b] = b end
    return out
  end
  function view.classes(_, group)
    local out = view.recalls[group] or {}
    for b, block in ipairs(out[1] and {} or list) do
      local of = split.classes[b]
      out[b] = { name = of.name, n_train = of.n_train, shot = of.shot,
        recall = recall_of(block, facts:classes(group)) }
    end
    view.recalls[group] = out
    return out
  end
  function view.confusion(_, group) return summed(list, facts:confusion(group)) end
  return view, size
end

return blocks
