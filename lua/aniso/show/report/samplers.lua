-- Evaluations of a report's study with several samplers, steps and draws (aniso eval): the metric against
-- network passes per image, a figure for each configuration and sampler, a line for each number of draws.
local chart = require "aniso.show.report.chart"
local cost_curve = require "aniso.show.cost_curve"
local evaluation_rows = require "aniso.show.evaluation_rows"
local groups_of = require "aniso.store.groups"
local group_rows = require "aniso.show.group_rows"
local must = require("aniso.store.db_error").must
local page = require "aniso.show.report.page"
local scale = require "aniso.show.report.scale"
local stats = require "aniso.stats.groups"

local MOST = 4 -- configurations drawn

-- The evaluations with chains, per configuration and sampler:
-- {{label, groups, samplers = {{name, groups} …}} …}; configurations with one evaluation are left out.
local function sorted(groups)
  local out, by_configuration = {}, {}
  for _, group in ipairs(groups) do
    local one = by_configuration[group.configuration]
    if not one then
      one = { label = group.label, groups = {}, samplers = {}, chains = 0 }
      by_configuration[group.configuration], out[#out + 1] = one, one
    end
    table.insert(one.groups, group)
    if group.passes > 0 then
      local sampler = one.samplers[group.sampler]
      if not sampler then
        sampler = { name = group.sampler, groups = {} }
        one.samplers[group.sampler], one.samplers[#one.samplers + 1] = sampler, sampler
      end
      one.chains = one.chains + 1
      table.insert(sampler.groups, group)
    end
  end
  for i = #out, 1, -1 do
    if out[i].chains < 2 then table.remove(out, i) end
  end
  return out
end

-- The configurations to draw: the baseline, the best other one, then the others.
local function drawn(facts, list)
  local rank, out = {}, {}
  for i, one in ipairs(list) do
    rank[one] = i + 2
    for k, group in ipairs { facts.base, facts.other } do
      if one.groups[1].config_id == group.config_id and one.groups[1].run.label == group.run.label then
        rank[one] = k
      end
    end
    out[i] = one
  end
  table.sort(out, function(a, b) return rank[a] < rank[b] end)
  return table.move(out, 1, math.min(#out, MOST), 1, {})
end

-- The range of passes, and the range of mean ± sd.
local function limits(facts, list)
  local left, right, low, high = math.huge, -math.huge, math.huge, -math.huge
  for _, one in ipairs(list) do
    for _, group in ipairs(one.groups) do
      local m = stats.of(group, facts.metric)
      if m.mean then
        low, high = math.min(low, m.mean - (m.sd or 0)), math.max(high, m.mean + (m.sd or 0))
        if group.passes > 0 then left, right = math.min(left, group.passes), math.max(right, group.passes) end
      end
    end
  end
  return left, right, low, high
end

-- draws → 1, 2 … in order: the styles of the lines in all figures of a configuration.
local function styles_of(one)
  local draws, out = {}, {}
  for _, group in ipairs(one.groups) do
    if group.passes > 0 and not out[group.draws] then
      out[group.draws], draws[#draws + 1] = true, group.draws
    end
  end
  table.sort(draws)
  for i, count in ipairs(draws) do out[count] = i end
  return out
end

-- The lines of one sampler; a level line without marks for the prior. styles: from styles_of().
local function draw_lines(c, facts, lines, styles, left, right)
  local legend = {}
  for i, line in ipairs(lines) do
    local points, style = {}, line.level and "rest" or styles[line.points[1].group.draws]
    c:group(style)
    for k, point in ipairs(line.points) do points[k] = { point.x, point.moments.mean } end
    if line.level then points = { { left, points[1][2] }, { right, points[1][2] } } end
    c:line(points)
    for _, point in ipairs(line.level and {} or line.points) do
      local m, group = point.moments, point.group
      if m.sd then c:whisker(point.x, m.mean - m.sd, m.mean + m.sd) end
      c:mark(point.x, m.mean, ("%s, %d steps × %d draws, %d passes: %s %.4f"):format(group.sampler,
        group.steps, group.draws, group.passes, facts.words_of, m.mean))
    end
    c:close()
    legend[i] = { label = line.name, style = style, line = "stroke", bare = line.level }
  end
  c:legend(legend)
end

-- → an SVG. number: that of the drawing in the page; range: {left, right, low, high}.
local function draw(facts, one, sampler, number, range)
  local groups = { table.unpack(sampler.groups) }
  for _, group in ipairs(one.groups) do
    if group.sampler == "prior" and group.passes == 0 then groups[#groups + 1] = group end
  end
  local lines = cost_curve.lines(groups, facts.metric, cost_curve.axes.passes)
  local name = ("%s, %s"):format(one.label, sampler.name)
  local c = chart.new { id = "samplers-" .. number, width = 420, height = 300,
    title = ("%s against passes: %s"):format(facts.words_of, name),
    x = scale.log(range[1], range[2] > range[1] and range[2] or 2 * range[1]),
    y = scale.linear(range[3], range[4], 6, true), y_name = facts.words_of,
    x_name = ("passes, %s"):format(chart.fit(sampler.name, 30)),
    desc = ("Mean and standard deviation of %s over seeds against network passes per image for %s, a line "
      .. "for each number of draws."):format(facts.words_of, name) }
  c:axes()
  draw_lines(c, facts, lines, styles_of(one), range[1], range[2])
  return c:text_of()
end

local function numbers(facts, one)
  local heads = evaluation_rows.heads(one.groups)
  local columns, rows = group_rows.rows(one.groups, heads,
    { { name = facts.metric, metric = facts.metric, higher = facts.higher } }, {})
  return page.table(("%s of each evaluation of %s"):format(facts.words_of, one.label), columns, rows)
end

-- → markup; nil if no configuration has several evaluations with chains
return function(facts)
  if not must(facts.db:has_several_chains(facts.runs)) then return nil end
  local list = sorted(groups_of.of_evaluations(facts.db, groups_of.counted(facts.db, facts.name)))
  local shown, out, number = drawn(facts, list), {}, 0
  local range = { limits(facts, shown) }
  if #shown == 0 or range[3] > range[4] then return nil end
  out[1] = page.paragraph("The stored weights on the test set by other samplers, steps and draws, at their "
    .. "cost in network passes per image. No number elsewhere in this report depends on these evaluations%s.",
    #list > #shown and (", of which those of %d of %d configurations are drawn"):format(#shown, #list) or "")
  for _, one in ipairs(shown) do
    local drawings = {}
    for i, sampler in ipairs(one.samplers) do
      number = number + 1
      drawings[i] = draw(facts, one, sampler, number, range)
    end
    out[#out + 1] = page.figure(#drawings > 1 and drawings or drawings[1], ("%s: %s on the test set against "
      .. "network passes per image, steps × draws. Error bars: one standard deviation over seeds; the level "
      .. "line is the prior."):format(one.label, facts.words_of), numbers(facts, one))
  end
  return table.concat(out, "\n")
end
