-- What a study found: per label, mean ± standard deviation over seeds of the stored test
-- evaluations. The reverse chain and, where it was stored, the prior's own predictions.
-- Numbers come from the database alone, so that a summary can be printed at any time.
local summary = {}

summary.metrics = { "acc", "bacc", "macro_f1", "many", "medium", "few" }

-- {n =, mean =, sd =} of the values that are there; sd is nil for fewer than two.
function summary.moments(values)
  local n, sum = 0, 0
  for _, value in ipairs(values) do n, sum = n + 1, sum + value end
  if n == 0 then return { n = 0 } end
  local mean, squares = sum / n, 0
  for _, value in ipairs(values) do squares = squares + (value - mean) ^ 2 end
  return { n = n, mean = mean, sd = n > 1 and math.sqrt(squares / (n - 1)) or nil }
end

-- Groups of equal label, in order of appearance: {label =, prior =, values = {acc = {…}}}.
local function collect(db, runs)
  local groups, by_key = {}, {}
  for _, run in ipairs(runs) do
    local rows = assert(db:query([[
      SELECT v.* FROM v_eval v JOIN run r USING(run_id)
       WHERE r.uid = ?1 AND v.part = 'test' AND (v.is_primary = 1 OR v.sampler = 'prior')
       ORDER BY v.is_primary DESC, v.eval_id]], run.uid))
    for _, row in ipairs(rows) do
      local prior = row.is_primary ~= 1
      local key = run.label .. (prior and "\nprior" or "")
      local group = by_key[key]
      if not group then
        group = { label = run.label, prior = prior, seeds = 0, values = {} }
        by_key[key], groups[#groups + 1] = group, group
      end
      group.seeds = group.seeds + 1
      for _, name in ipairs(summary.metrics) do
        group.values[name] = group.values[name] or {}
        table.insert(group.values[name], row[name])
      end
    end
  end
  return groups
end

local function cell(moments)
  if moments.n == 0 then return nil end
  local text = ("%.3f"):format(moments.mean)
  if moments.sd then text = text .. (" ± %.3f"):format(moments.sd) end
  return { text = text, value = moments.mean }
end

-- Columns and rows for table.lua from runs = {{label =, uid =}, …}; the best mean of each
-- metric among the chains is bold.
function summary.table(db, runs)
  local columns, rows, best = { "method", "predicts", "seeds" }, {}, {}
  for i, name in ipairs(summary.metrics) do columns[3 + i] = name end
  for _, group in ipairs(collect(db, runs)) do
    local row = { group.label, group.prior and "prior" or "chain", group.seeds }
    for i, name in ipairs(summary.metrics) do
      local shown = cell(summary.moments(group.values[name]))
      row[3 + i] = shown
      local ahead = shown and not group.prior and (not best[i] or shown.value > best[i].value)
      if ahead then best[i] = shown end
    end
    rows[#rows + 1] = row
  end
  for _, shown in pairs(best) do shown.bold = true end
  return columns, rows
end

return summary
