-- What a report says about a study, from the groups of summary.lua: verdict, warnings, table,
-- recall by class, commands. The first configuration is the baseline.
local keys = require "aniso.store.keys"
local metric = require "aniso.metric"
local page = require "aniso.report.page"
local plot = require "aniso.plot"
local repro = require "aniso.repro"
local summary = require "aniso.summary"

local METRIC = "macro_f1"
local ENOUGH = 3 -- seeds, for a paired test to say anything

local function best_of(groups)
  local best, top
  for _, group in ipairs(groups) do
    local mean = summary.of(group, METRIC).mean
    if mean and (not top or mean > top) then best, top = group, mean end
  end
  return best
end

-- Values of two groups in the seeds that both have.
local function paired(first, second)
  local a, b, at, one, two = {}, {}, {}, summary.of(first, METRIC), summary.of(second, METRIC)
  for i, seed in ipairs(one.seeds) do at[seed] = one.values[i] end
  for i, seed in ipairs(two.seeds) do
    if at[seed] then a[#a + 1], b[#b + 1] = at[seed], two.values[i] end
  end
  return a, b
end

local function verdict(groups, best)
  if not best then return "No configuration has a macro F1." end
  local base = groups[1]
  if best == base then
    return ("No configuration has a higher macro F1 than the baseline %s."):format(base.label)
  end
  local a, b = paired(base, best)
  local lead = ("%s has the highest macro F1"):format(best.label)
  if #a == 0 then return ("%s; it shares no seed with the baseline %s."):format(lead, base.label) end
  local deltas = {}
  for i = 1, #a do deltas[i] = b[i] - a[i] end
  local delta = metric.mean_sd(deltas)
  local text = ("%s: Δ %+.4f%s to the baseline %s, paired over %d seed%s"):format(lead, delta.mean,
    delta.sd and (" ± %.4f (sd)"):format(delta.sd) or "", base.label, #a, #a == 1 and "" or "s")
  if #a < ENOUGH then
    return text .. (". Too few seeds to tell it from noise: at least %d."):format(ENOUGH)
  end
  local p = metric.paired_t(a, b).p
  if not p then return text .. "." end
  text = ("%s, paired t test p = %.3g%s."):format(text, p, p < 0.05 and "" or ": within noise")
  if #groups == 2 then return text end
  return ("%s It is the best of %d by these same numbers, for which p is not corrected."):format(text,
    #groups)
end

local function warnings(db, groups, runs)
  local out, counted, unfinished = {}, {}, 0
  local function add(...)
    out[#out + 1] = "<li>" .. page.escape(string.format(...)) .. "</li>"
  end
  for _, group in ipairs(groups) do
    if #group.members < ENOUGH then
      add("%s has %d seed(s), fewer than %d", group.label, #group.members, ENOUGH)
    end
    for _, member in ipairs(group.members) do counted[member.run_id] = true end
  end
  local shared, dirty, selected = false, false, false
  for _, run in ipairs(runs) do
    if run.status ~= "finished" then unfinished = unfinished + 1 end
    if counted[run.run_id] then
      dirty = dirty or run.git_dirty == 1
      shared = shared or assert(db:split_of(run)).test_is_val == 1
      for _, one in ipairs(assert(db:evaluations(run))) do
        selected = selected or one.selected_by == "test"
      end
    end
  end
  if shared then add "validation and test are the same images" end
  if selected then add "a model was selected on the test set" end
  if dirty then add "a run was made from sources with uncommitted changes" end
  if unfinished > 0 then add("%d run(s) are not finished and not counted", unfinished) end
  return #out > 0 and "<ul>" .. table.concat(out) .. "</ul>" or "<p>None.</p>"
end

local function metrics_table(groups, catalog)
  local wanted = {}
  for i, name in ipairs { "all", "head", "medium", "tail", "macro_f1" } do
    local key = catalog:key(name)
    wanted[i] = { name = name, metric = key.metric, higher = key.higher }
  end
  local columns, rows = summary.rows(groups, { summary.heads.method, summary.heads.seeds }, wanted, {})
  return page.table("Test set, mean ± sd over seeds", columns, rows)
end

-- Recall of a class, n → {n, mean, sd}, over a group's members.
local function recalls(db, group)
  local values, classes = {}, nil
  for _, member in ipairs(group.members) do
    local run = member.run_id
    for _, one in ipairs(assert(db:evaluations(run))) do
      if one.part == "test" and one.is_primary == 1 then
        classes = assert(db:classes(one))
        for i, class in ipairs(classes) do
          values[i] = values[i] or {}
          table.insert(values[i], class.recall)
        end
      end
    end
  end
  for i, list in ipairs(values) do values[i] = summary.moments(list) end
  return values
end

local function recall_figure(db, groups)
  local split, order = assert(db:split_of(groups[1].run)), {}
  for i in ipairs(split.classes) do order[i] = i end
  table.sort(order, function(i, j)
    local a, b = split.classes[i].n_train, split.classes[j].n_train
    if a ~= b then return a > b end
    return i < j
  end)
  local columns, rows, series = { "class", "n_train", "band" }, {}, {}
  for place, i in ipairs(order) do
    local class = split.classes[i]
    rows[place] = { class.name, class.n_train, class.shot }
  end
  for g, group in ipairs(groups) do
    local of, line = recalls(db, group), { label = group.label, x = {}, y = {}, error = {} }
    columns[3 + g] = group.label
    for place, i in ipairs(order) do
      local m = of[i] or {}
      line.x[place], line.y[place], line.error[place] = place, m.mean or false, m.sd or false
      rows[place][3 + g] = m.mean and { text = ("%.3f"):format(m.mean) } or nil
    end
    series[g] = line
  end
  local svg = plot.svg { title = "Recall per class", x = "class, the largest first", y = "recall",
    series = series }
  return page.figure(svg, page.table("Recall per class, mean over seeds", columns, rows))
end

local function commands(db, best)
  local lines, why = repro(db, best.run)
  if not lines then return "<p>" .. page.escape(why) .. "</p>" end
  return "<pre><code>" .. page.escape(table.concat(lines, "\n")) .. "</code></pre>"
end

-- groups: of the runs that count, all of one split; runs: every run of the study.
return function(db, name, groups, runs)
  local best = best_of(groups)
  local sections = {
    '<p class="verdict">' .. page.escape(verdict(groups, best)) .. "</p>",
    page.section("Warnings", warnings(db, groups, runs)),
    page.section("Summary", metrics_table(groups, keys.new(db))),
  }
  local one_split = true
  for _, group in ipairs(groups) do
    one_split = one_split and group.run.split_id == groups[1].run.split_id
  end
  sections[4] = page.section("Recall per class", one_split and recall_figure(db, groups)
    or "<p>The runs are of several splits, so there is no common order of classes.</p>")
  sections[5] = page.section("How to repeat", commands(db, best or groups[1]))
  return page.whole("Study " .. name, sections)
end
