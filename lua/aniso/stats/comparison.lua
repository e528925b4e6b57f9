-- Compares configurations: what changed, and whether it is more than chance. Everything is a group of
-- runs, one per seed; a single run is a group of one. The first group is the baseline. Numbers are
-- passed as plain tables; store/compare.lua reads them from a database.
local catalog = require "aniso.stats.metric.catalog"
local confusions = require "aniso.stats.metric.confusion"
local derived = require "aniso.stats.derived"
local paired_images = require "aniso.stats.paired_images"
local resampler = require "aniso.stats.resampler"
local notes = require "aniso.stats.comparison_notes"
local paired = require "aniso.stats.paired"

local comparison = {}

-- One number of all groups: {of = {moments per group}, delta = {nil, one per further group}}. get:
-- member → number or nil.
local function measure(groups, pairs_of, get)
  local out = { of = {}, delta = {} }
  for k, group in ipairs(groups) do
    out.of[k] = paired.moments(group, get)
    out.delta[k] = k > 1 and paired.delta(groups[1], group, get, pairs_of[k]) or nil
  end
  return out
end

local function has_values(one)
  for _, moments in ipairs(one.of) do
    if moments.n > 0 then return true end
  end
  return false
end

-- Balanced accuracy is the mean recall: one of the two names is enough.
local function metrics(groups, pairs_of)
  local out, entries = {}, table.move(catalog.metrics, 1, #catalog.metrics, 1, {})
  entries[#entries + 1] = derived.entry
  for _, entry in ipairs(entries) do
    local one = measure(groups, pairs_of, function(member) return member.metrics[entry.name] end)
    if has_values(one) and entry.name ~= "macro_recall" then
      one.name, one.label, one.higher = entry.name, entry.label, entry.higher
      out[#out + 1] = one
    end
  end
  return out
end

local function classes(groups, pairs_of)
  local out = {}
  for j, class in ipairs(groups[1].members[1].classes) do
    local one = { name = class.class, n_train = class.n_train, shot = class.shot, support = class.support }
    for _, name in ipairs { "recall", "precision", "f1" } do
      one[name] = measure(groups, pairs_of, function(member) return member.classes[j][name] end)
    end
    out[j] = one
  end
  return out
end

-- The counts per run of each group: their sum over the members, divided by their number.
local function counts_per_run(groups, confusion_of)
  local out = {}
  for k, group in ipairs(groups) do
    local matrices = {}
    for i, member in ipairs(group.members) do matrices[i] = confusion_of(member) end
    out[k] = confusions.sum(matrices)
    for _, row in ipairs(out[k]) do
      for j, count in ipairs(row) do row[j] = count / #group.members end
    end
  end
  return out
end

local function cell_of(means, names, i, j)
  local cell = { ["true"] = names[i].class, pred = names[j].class, i = i, j = j, of = {}, delta = {} }
  for k, matrix in ipairs(means) do
    cell.of[k] = matrix[i][j]
    cell.delta[k] = k > 1 and cell.of[k] - cell.of[1] or nil
  end
  return cell
end

-- Counts per run of each cell in which any group has one, and their differences from the baseline; empty for
-- more than MOST_SHOWN classes.
local function confusion(groups, confusion_of)
  local names = groups[1].members[1].classes
  if #names > confusions.MOST_SHOWN then return {} end
  local means, out = counts_per_run(groups, confusion_of), {}
  for i, row in ipairs(means[1]) do
    for j in ipairs(row) do
      local any = false
      for k = 1, #means do any = any or means[k][i][j] > 0 end
      if any then out[#out + 1] = cell_of(means, names, i, j) end
    end
  end
  return out
end

-- of(groups, source [, options]): groups are {label, run = first row, runs = rows, members = {{seed, uid,
-- n, metrics, classes = rows of db:classes()}, …}}, all with the same classes. source.confusion(member)
-- → K rows of K counts; source.predictions(member) → {true_idx, pred_idx} or nil. options are those of
-- the bootstrap: {draws, level, seed}.
-- → {groups, metrics, classes, confusion, pairs = {nil, …}, notes = sentences}
function comparison.of(groups, source, options)
  local pairs_of, shot, result = {}, {}, { groups = groups, pairs = {} }
  local shared = setmetatable({ resampler = resampler.new() }, { __index = options })
  for k = 2, #groups do pairs_of[k] = paired.members(groups[1], groups[k]) end
  for j, class in ipairs(groups[1].members[1].classes) do shot[j] = class.shot end
  result.metrics, result.classes = metrics(groups, pairs_of), classes(groups, pairs_of)
  result.confusion = confusion(groups, source.confusion)
  for k = 2, #groups do
    result.pairs[k] = paired_images.test(groups[1], groups[k], pairs_of[k], source.predictions, shot, shared)
  end
  result.notes = notes.of(result)
  return result
end

return comparison
