-- What a study found: per configuration and split, mean ± standard deviation over seeds of
-- the stored test evaluations; the reverse chain and, where it was stored, the prior's own
-- predictions. Numbers come from the database alone (store/score.lua), and every table, curve
-- and export takes them from here.
local metric = require "aniso.stats.metric"
local score = require "aniso.store.score"

local summary = {}

summary.metrics = { "acc", "bacc", "macro_f1", "many", "medium", "few" }

-- {n =, mean =, sd =} of the values that are there; sd is nil for fewer than two.
summary.moments = metric.mean_sd

local function new_group(run, prior)
  return { label = run.label or run.name, prior = prior, config_id = run.config_id, run = run, members = {} }
end

-- groups(db, runs [, {prior = true}]) → one per configuration, split and label, in
-- order of appearance: {label, prior, run = a first one, members = {{seed, run_id, n, metrics}}}.
-- runs are rows of db:runs().
function summary.groups(db, runs, options)
  options = options or {}
  local by_run, groups, by_key = {}, {}, {}
  for _, one in ipairs(assert(db:scores { prior = options.prior, runs = runs })) do
    by_run[one.run_id] = by_run[one.run_id] or {}
    table.insert(by_run[one.run_id], one)
  end
  for _, run in ipairs(runs) do
    local latest_prior = {} -- of several evaluations of the prior the newest counts
    for _, one in ipairs(by_run[run.run_id] or {}) do
      if one.prior then latest_prior = one end
    end
    for _, one in ipairs(by_run[run.run_id] or {}) do
      if not one.prior or one == latest_prior then
        local key = ("%d %d %s %s"):format(run.config_id, run.split_id, one.prior, run.label)
        if not by_key[key] then
          by_key[key] = new_group(run, one.prior)
          groups[#groups + 1] = by_key[key]
        end
        table.insert(by_key[key].members, { seed = run.seed, run_id = run.run_id, uid = run.uid, n = one.n,
          eval_id = one.eval_id, metrics = one.metrics })
      end
    end
  end
  return groups
end

-- The runs that statistics over a study count (view v_counted), rows of db:runs().
function summary.counted(db, study)
  local counted, out = {}, {}
  for _, row in ipairs(assert(db:query([[
    SELECT run_id FROM v_counted JOIN study USING(study_id) WHERE name = ?1]], study))) do
    counted[row.run_id] = true
  end
  for _, run in ipairs(assert(db:runs { study = study })) do
    if counted[run.run_id] then out[#out + 1] = run end
  end
  return out
end

local function isotropic(db, group)
  local levels = assert(db:lambda(group.run))
  for _, level in ipairs(levels) do
    if math.abs(level - levels[1]) > 1e-6 then return false end
  end
  return #levels > 0
end

-- What the other groups of a study are measured against: the one asked for; else the recipe's; else
-- the one called baseline; else the only isotropic one; else the first.
function summary.baseline(db, groups, asked)
  local flat, names, by_label = {}, {}, {}
  for i, group in ipairs(groups) do
    names[i], by_label[group.label] = group.label, group
    if isotropic(db, group) then flat[#flat + 1] = group end
  end
  local recipes = groups[1] and db:baseline_of(groups[1].run.study)
  local found = by_label[asked or recipes] or by_label[asked or "baseline"]
  if found then return found end
  if asked then
    error(("no configuration of the study is called %s (it has: %s)"):format(asked,
      table.concat(names, ", ")), 0)
  end
  return #flat == 1 and flat[1] or groups[1]
end

-- → {n, mean, sd, seeds = {…}, values = {…}}: over the members that have the metric.
function summary.of(group, name)
  local seeds, values = {}, {}
  name = score.aliases[name] or name
  for _, member in ipairs(group.members) do
    if member.metrics[name] then
      seeds[#seeds + 1], values[#values + 1] = member.seed, member.metrics[name]
    end
  end
  local moments = summary.moments(values)
  moments.seeds, moments.values = seeds, values
  return moments
end

-- What style.percent leaves as it is: these are no shares of something.
local NO_SHARE = { nll = true, brier = true, interval_width = true, loss = true, seconds = true }

-- A cell for table.lua. style.percent: 71.2 ± 1.3 instead of 0.712 ± 0.013.
local function cell(moments, style, name)
  if moments.n == 0 then return nil end
  local percent = style.percent and not NO_SHARE[name]
  local scale, format = percent and 100 or 1, percent and "%.1f" or "%.3f"
  local shown = format:format(scale * moments.mean)
  local text = shown
  if moments.sd then text = text .. " ± " .. format:format(scale * moments.sd) end
  return { text = text, value = scale * moments.mean, sd = moments.sd and scale * moments.sd,
    shown = tonumber(shown) }
end

-- The best mean among the chains, and what equals it as shown, is bold.
local function mark_best(groups, cells, higher)
  local best
  for i, group in ipairs(groups) do
    local value = cells[i] and not group.prior and cells[i].shown
    if value and (not best or (higher and value > best) or (not higher and value < best)) then
      best = value
    end
  end
  for i, group in ipairs(groups) do
    if cells[i] and not group.prior and cells[i].shown == best then cells[i].bold = true end
  end
end

-- Columns and rows of groups. heads: {{name =, get = function(group)}, …}; metrics: {{name =,
-- metric =, higher =}, …}; style {percent =, separate = sd in a column of its own}.
function summary.rows(groups, heads, metrics, style)
  local columns, rows = {}, {}
  for i in ipairs(groups) do rows[i] = {} end
  for j, head in ipairs(heads) do
    columns[j] = head.name
    for i, group in ipairs(groups) do rows[i][j] = head.get(group) end
  end
  for _, wanted in ipairs(metrics) do
    local cells, at = {}, #columns + 1
    for i, group in ipairs(groups) do
      cells[i] = cell(summary.of(group, wanted.metric), style, wanted.metric)
      rows[i][at] = cells[i]
      if style.separate then rows[i][at + 1] = cells[i] and cells[i].sd end
    end
    mark_best(groups, cells, wanted.higher)
    columns[at] = wanted.name
    if style.separate then columns[at + 1] = wanted.name .. "_sd" end
  end
  return columns, rows
end

summary.heads = {
  method = { name = "method", get = function(group) return group.label end },
  by = { name = "by", get = function(group) return group.prior and "prior" or "chain" end },
  seeds = { name = "seeds", get = function(group) return #group.members end },
}

-- Columns and rows for table.lua from runs = {{label =, uid =}, …}, as `aniso run` ends.
function summary.table(db, runs)
  local wanted, found, metrics = {}, {}, {}
  for _, run in ipairs(runs) do wanted[run.uid] = true end
  for _, row in ipairs(assert(db:runs())) do
    if wanted[row.uid] then found[#found + 1] = row end
  end
  for i, name in ipairs(summary.metrics) do metrics[i] = { name = name, metric = name, higher = true } end
  local heads = summary.heads
  return summary.rows(summary.groups(db, found, { prior = true }),
    { heads.method, heads.by, heads.seeds }, metrics, {})
end

return summary
