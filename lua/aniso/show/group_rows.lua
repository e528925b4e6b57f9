-- Groups as the columns and rows of a table: mean ± standard deviation over seeds, the best in bold.
local catalog = require "aniso.stats.metric.catalog"
local delta_columns = require "aniso.show.delta_columns"
local groups = require "aniso.stats.groups"
local joined_rows = require "aniso.show.joined_rows"
local pruning = require "aniso.stats.pruning"

local group_rows = {}

local METRICS = { "acc", "bacc", "macro_f1", "many", "medium", "few" }

-- A cell for table.lua. style.percent: 71.2 ± 1.3 instead of 0.712 ± 0.013.
local function cell(moments, style, name)
  if moments.n == 0 then return nil end
  local percent = style.percent and catalog.is_share(name)
  local scale, format = percent and 100 or 1, percent and "%.1f" or "%.3f"
  local shown = format:format(scale * moments.mean)
  local text = shown
  if moments.sd then text = text .. " ± " .. format:format(scale * moments.sd) end
  return { text = text, value = scale * moments.mean, sd = moments.sd and scale * moments.sd,
    shown = tonumber(shown) }
end

-- Whether a group's means can be compared with others': not if a seed lacks folds.
local function counts_as_best(group)
  return not group.prior and (not group.folds or group.members[1].complete)
end

-- Makes the best mean of the chains bold, and every mean that rounds to the same number.
local function mark_best(list, cells, higher)
  local best
  for i, group in ipairs(list) do
    local value = cells[i] and counts_as_best(group) and cells[i].shown
    if value and (not best or (higher and value > best) or (not higher and value < best)) then
      best = value
    end
  end
  for i, group in ipairs(list) do
    if cells[i] and counts_as_best(group) and cells[i].shown == best then cells[i].bold = true end
  end
end

-- rows(groups, heads, metrics, style) → columns, rows. heads: {{name =, get = function(group)}, …};
-- a head with `detail` does not name the row. metrics: {{name =, metric =, higher =}, …}; style {percent =,
-- programs = for CSV and JSON, deltas [opt] = those of delta_columns.lua}. For programs the sd has its own
-- column, and names and rows are as stored; for people names are as printed, and equal priors share one row
-- (joined_rows.lua).
function group_rows.rows(list, heads, metrics, style)
  local columns, rows = { keys = 0 }, {}
  if not style.programs then list = joined_rows.join(list) end
  for i in ipairs(list) do rows[i] = {} end
  for j, head in ipairs(heads) do
    columns[j] = head.name
    if not head.detail and columns.keys == j - 1 then columns.keys = j end
    for i, group in ipairs(list) do rows[i][j] = joined_rows.head(head, group) end
  end
  for _, metric in ipairs(metrics) do
    local cells, at = {}, #columns + 1
    for i, group in ipairs(list) do
      cells[i] = cell(groups.of(group, metric.metric), style, metric.metric)
      rows[i][at] = cells[i]
      if style.programs then rows[i][at + 1] = cells[i] and cells[i].sd end
    end
    mark_best(list, cells, metric.higher)
    columns[at] = style.programs and metric.name or catalog.printed(metric.name)
    if style.programs then columns[at + 1] = metric.name .. "_sd" end
  end
  if style.deltas then delta_columns.add(columns, rows, list, style.deltas, style) end
  return columns, rows
end

group_rows.heads = {
  method = { name = "method", get = function(group) return group.label end },
  by = { name = "by", get = function(group) return group.by end },
  seeds = { name = "seeds", detail = true, get = function(group) return #group.members end },
  folds = { name = "folds", detail = true, get = function(group)
    return group.folds and ("%d/%d"):format(group.done, group.wanted)
  end },
  pruned = { name = "pruned", detail = true, get = function(group)
    return group.pruned and ("after %d"):format(group.pruned.seeds)
  end },
}

-- The columns that give a row's number of seeds, in a cross-validation its number of folds out of all and, if
-- the study pruned variants, the number of seeds before that.
function group_rows.repetitions(list)
  local out, folded, pruned = { group_rows.heads.seeds }, false, false
  for _, group in ipairs(list) do
    folded, pruned = folded or group.folds ~= nil, pruned or group.pruned ~= nil
  end
  if folded then out[#out + 1] = group_rows.heads.folds end
  if pruned then out[#out + 1] = group_rows.heads.pruned end
  return out
end

-- A sentence for each pruned variant, in the order of the groups.
function group_rows.why_pruned(list)
  local out, seen = {}, {}
  for _, group in ipairs(list) do
    if group.pruned and not seen[group.label] then
      out[#out + 1] = ("%s was pruned %s"):format(group.label, pruning.sentence(group.pruned))
    end
    seen[group.label] = true
  end
  return out
end

-- finished(db, runs) → columns, rows of runs = {{uid =}, …}: the last table of `aniso run`.
function group_rows.finished(db, runs)
  local groups_of, listed, found, metrics, heads = require "aniso.store.groups", {}, {}, {}, group_rows.heads
  for _, run in ipairs(runs) do listed[run.uid] = true end
  for _, row in ipairs(assert(db:runs())) do
    if listed[row.uid] then found[#found + 1] = row end
  end
  for i, name in ipairs(METRICS) do metrics[i] = { name = name, metric = name, higher = true } end
  local list = groups_of.of_runs(db, groups_of.in_recipe_order(db, found), { prior = true })
  local shown = { heads.method, heads.by, table.unpack(group_rows.repetitions(list)) }
  return group_rows.rows(list, shown, metrics, {})
end

return group_rows
