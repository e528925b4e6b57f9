-- The summary of a report: the table that `aniso table` prints, and Δ of every configuration to the
-- baseline with its interval over seeds.
local chart = require "aniso.show.report.chart"
local page = require "aniso.show.report.page"
local paired = require "aniso.stats.paired"
local scale = require "aniso.show.report.scale"
local group_rows = require "aniso.show.group_rows"
local verdict = require "aniso.show.report.verdict"

local COLUMNS = { "macro_f1", "all", "head", "medium", "tail", "tail@head=0.90", "nll" }

local overview = {}

function overview.table(facts)
  local metrics = {}
  for _, name in ipairs(COLUMNS) do
    local key = facts.catalog:key(name)
    local exists = false
    for _, group in ipairs(facts.groups) do exists = exists or facts:moments(group, key.metric).n > 0 end
    if exists then
      metrics[#metrics + 1] = { name = name == "macro_f1" and "macro F1" or name, metric = key.metric,
        higher = key.higher }
    end
  end
  local heads = { group_rows.heads.method, table.unpack(group_rows.repetitions(facts.groups)) }
  local columns, rows = group_rows.rows(facts.groups, heads, metrics, {})
  for i, group in ipairs(facts.groups) do
    rows[i].class = group == facts.best and "best" or nil
    if group == facts.base then rows[i][1] = group.label .. " (baseline)" end
  end
  return page.table("Test set, mean ± standard deviation over seeds, the best in bold", columns, rows)
end

local function limits(deltas)
  local low, high = 0, 0
  for _, one in ipairs(deltas) do
    local mean = one.delta.mean
    low, high = math.min(low, one.delta.lo or mean), math.max(high, one.delta.hi or mean)
    for _, value in ipairs(one.delta.each) do low, high = math.min(low, value), math.max(high, value) end
  end
  return low, high
end

local function numbers(deltas)
  local columns = { "configuration", "Δ", "from", "to", "p", "seeds" }
  local rows = {}
  for i, one in ipairs(deltas) do
    rows[i] = { one.group.label, page.cell(one.delta.mean, "%+.4f"), page.cell(one.delta.lo, "%+.4f"),
      page.cell(one.delta.hi, "%+.4f"), page.cell(one.delta.p, "%.3g"), one.delta.n }
  end
  return columns, rows
end

local function draw(facts, deltas, title)
  local names, low, high = {}, limits(deltas)
  for i = 1, #deltas do names[i] = chart.fit(deltas[#deltas + 1 - i].group.label, 18) end
  local c = chart.new { id = "delta", title = title, height = 70 + 30 * #deltas,
    top = 12, x = scale.linear(low, high, 4, true), y = scale.names(names),
    x_name = ("Δ %s to %s"):format(facts.words_of, chart.fit(facts.base.label, 18)),
    desc = ("Mean difference to %s with its 95 %% interval and a dot per seed, a row for each of %d "
      .. "configurations."):format(facts.base.label, #deltas) }
  c:columns()
  c:axes()
  local zero = c:place(0, 0)
  c:add('<path class="zero" d="M%s %sV%s"/>', chart.pixel(zero), chart.pixel(c.top),
    chart.pixel(c.height - c.bottom))
  for i, one in ipairs(deltas) do
    local row = #deltas + 1 - i
    c:group(one.group.style)
    if one.delta.lo then c:horizontal_whisker(row, one.delta.lo, one.delta.hi) end
    c:mark(one.delta.mean, row, ("%s: Δ %s"):format(one.group.label, verdict.signed(one.delta.mean)))
    for k, value in ipairs(one.delta.each) do
      c:dot(value, row, ("seed %d: %s"):format(one.delta.pairs[k][2].seed, verdict.signed(value)), 0, 9)
    end
    c:close()
  end
  return c:text_of()
end

-- nil if there is nothing to compare.
function overview.deltas(facts)
  local deltas = {}
  for _, group in ipairs(facts.groups) do
    local delta = group ~= facts.base and facts:delta(group)
    if delta and delta.n > 0 then deltas[#deltas + 1] = { group = group, delta = delta } end
  end
  if #deltas == 0 then return nil end
  local title = ("Difference of %s to the baseline"):format(facts.words_of)
  local columns, rows = numbers(deltas)
  return page.figure(draw(facts, deltas, title), ("%s %s, over the seeds that both have: mean, 95 %% t "
    .. "interval (from %d seeds on), a dot per seed."):format(title, facts.base.label, paired.enough.seeds),
    page.table(title .. ", paired over seeds", columns, rows))
end

return overview
