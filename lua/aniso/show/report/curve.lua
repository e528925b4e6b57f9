-- The λ curve of a report: a metric against the varying option of the noise levels, with an
-- error bar and a dot per seed. Other varying options give a line for each value; if the levels differ
-- in kind, not in a number, every configuration has its own position.
local chart = require "aniso.show.report.chart"
local page = require "aniso.show.report.page"
local scale = require "aniso.show.report.scale"

-- The option for the axis: γ, else another number of the levels, else the only option that
-- differs and is a number; otherwise nil.
local function axis_of(facts)
  local numbers, found = {}, nil
  for _, name in ipairs(facts:differing()) do
    local key = facts.catalog:key(name)
    local seen, count = {}, 0
    for _, group in ipairs(facts.groups) do
      local value = key:get(group.run)
      if type(value) == "number" and not seen[value] then seen[value], count = true, count + 1 end
    end
    if count > 1 then numbers[#numbers + 1] = key end
  end
  for _, key in ipairs(numbers) do
    local levels = key.name:match "^schedule%.lambda%."
    if levels and (not found or key.name:match "%.gamma$") then found = key end
  end
  return found or #numbers == 1 and numbers[1] or nil
end

-- The keys of the options that differ, except that of the axis.
local function others_of(facts, axis, runs)
  local keys = {}
  for _, name in ipairs(facts.catalog:varying(runs)) do
    if name ~= axis.name then keys[#keys + 1] = facts.catalog:key(name) end
  end
  return keys
end

-- The name of a line: the other options that differ.
local function line_name(facts, group, others)
  local parts = {}
  for i, key in ipairs(others) do parts[i] = ("%s=%s"):format(key.name, facts.value(key:get(group.run))) end
  return table.concat(parts, ", ")
end

-- {{name, points = {group …}} …} along the axis, and the groups without a position on it.
local function lines_of(facts, axis)
  local on, off, runs, lines, by_name = {}, {}, {}, {}, {}
  for _, group in ipairs(facts.groups) do
    group.x = axis:get(group.run)
    table.insert(type(group.x) == "number" and on or off, group)
    if type(group.x) == "number" then runs[#runs + 1] = group.run end
  end
  local others = others_of(facts, axis, runs)
  for _, group in ipairs(on) do
    local name = line_name(facts, group, others)
    if not by_name[name] then
      by_name[name] = { name = name, points = {} }
      lines[#lines + 1] = by_name[name]
    end
    table.insert(by_name[name].points, group)
  end
  for _, line in ipairs(lines) do
    table.sort(line.points, function(a, b) return a.x < b.x end)
  end
  return lines, off
end

-- Whether the lines are curves: two points or more on average. The variants of an ablation may differ in a
-- number, but each also differs in something else, and has a line of one point.
local function are_curves(lines)
  local points = 0
  for _, line in ipairs(lines) do points = points + #line.points end
  return points >= 2 * #lines
end

-- Without such an option every configuration has its own position.
local function by_name(facts)
  local points = {}
  for i, group in ipairs(facts.groups) do group.x, points[i] = i, group end
  return { { name = "", points = points, separate = true } }, {}
end

-- One standard deviation up and down; for shares limited to 0 … 1.
local function bar_of(m)
  if not m.sd then return nil end
  local least, most = math.min(table.unpack(m.values)), math.max(table.unpack(m.values))
  local from, to = m.mean - m.sd, m.mean + m.sd
  if least >= 0 and most <= 1 then from, to = math.max(0, from), math.min(1, to) end
  return from, to
end

local function value_limits(facts, metrics)
  local low, high = math.huge, -math.huge
  for _, metric in ipairs(metrics) do
    for _, group in ipairs(facts.groups) do
      local m = facts:moments(group, metric)
      for _, value in ipairs(m.values) do low, high = math.min(low, value), math.max(high, value) end
      local from, to = bar_of(m)
      if from then low, high = math.min(low, from), math.max(high, to) end
    end
  end
  return low, high
end

local MOST_NAMES, NAMES_ROOM = 24, 380 -- below an axis; pixels in which names are level

local function x_scale(facts, axis)
  if not axis then
    local names, every = {}, math.ceil(#facts.groups / MOST_NAMES)
    for i, group in ipairs(facts.groups) do
      names[i] = (i - 1) % every == 0 and chart.fit(group.label, 22) or ""
    end
    local out = scale.names(names)
    out.slanted = chart.room(names) * #names > NAMES_ROOM
    return out
  end
  local values, seen = {}, {}
  for _, group in ipairs(facts.groups) do
    if type(group.x) == "number" and not seen[group.x] then
      seen[group.x], values[#values + 1] = true, group.x
    end
  end
  return scale.points(values, 13)
end

local function draw_point(c, facts, group, metric, name, shift)
  local m = facts:moments(group, metric)
  if not m.mean then return end
  local from, to = bar_of(m)
  if from then c:whisker(group.x, from, to, shift) end
  for i, value in ipairs(m.values) do
    c:dot(group.x, value, ("%s, seed %d: %.4f"):format(name, m.seeds[i], value), shift + 9)
  end
  c:mark(group.x, m.mean, ("%s: %.4f"):format(name, m.mean), shift)
end

local function draw_lines(c, facts, lines, metric, style_of, label_of, shift)
  for i, line in ipairs(lines) do
    c:group(style_of(i, line))
    local points = {}
    for k, group in ipairs(line.points) do points[k] = { group.x, facts:moments(group, metric).mean } end
    if not line.separate then c:line(points) end
    for _, group in ipairs(line.points) do
      draw_point(c, facts, group, metric, label_of(line, group), shift or 0)
    end
    c:close()
  end
end

-- Draws a configuration off the axis as a level line.
local function draw_levels(c, facts, off, metric, first)
  for i, group in ipairs(off) do
    local mean = facts:moments(group, metric).mean
    local _, py = c:place(0, mean or 0)
    if mean then
      c:group(first + i)
      c:add('<path class="stroke" d="M%s %sH%s"><title>%s</title></path>', chart.pixel(c.left),
        chart.pixel(py), chart.pixel(c.width - c.right), page.escape(("%s: %.4f"):format(group.label, mean)))
      c:close()
    end
  end
end

local function numbers(facts, axis, metrics, caption)
  local columns, rows = { "configuration", axis and axis.name or nil }, {}
  for i, group in ipairs(facts.groups) do
    local row = { group.label }
    if axis then row[2] = group.x end
    local at = axis and 2 or 1
    for _, metric in ipairs(metrics) do
      local m, each = facts:moments(group, metric), {}
      for k, value in ipairs(m.values) do each[k] = ("%.4f"):format(value) end
      columns[at + 1], columns[at + 2], columns[at + 3] = facts.words(metric), "sd", "each seed"
      row[at + 1] = page.cell(m.mean, "%.4f")
      row[at + 2] = page.cell(m.sd, "%.4f")
      row[at + 3] = table.concat(each, " ")
      at = at + 3
    end
    rows[i] = row
  end
  return page.table(caption, columns, rows)
end

local function curve_of(facts, axis, lines, off, of)
  local low, high = value_limits(facts, of.metrics)
  if low > high then return nil end
  local x = x_scale(facts, axis)
  local c = chart.new { id = of.id, title = of.title, height = x.slanted and 420 or 340, y_name = of.y_name,
    x_name = axis and axis.name or not x.slanted and "configuration" or nil, x = x,
    y = scale.linear(low, high, 6, true),
    desc = ("%s against %s: mean, one standard deviation over seeds, and a dot per seed."):format(of.y_name,
      axis and axis.name or "the configuration") }
  c:axes()
  local legend = {}
  for m, metric in ipairs(of.metrics) do
    local several = #of.metrics > 1
    local shift = several and (m - (#of.metrics + 1) / 2) * 5 or 0
    draw_lines(c, facts, lines, metric, function(i) return several and m or i end, function(line, group)
      local parts = { facts.words(metric), axis and ("%s %g"):format(axis.name:match "[^.]+$", group.x)
        or group.label, line.name ~= "" and line.name or nil }
      return table.concat(parts, ", ")
    end, shift)
    if several then legend[#legend + 1] = { label = facts.words(metric), style = m, line = "stroke" } end
  end
  if #of.metrics == 1 then
    draw_levels(c, facts, off, of.metrics[1], #lines)
    for i, line in ipairs(#lines + #off > 1 and lines or {}) do
      legend[i] = { label = line.name ~= "" and line.name or facts.name, style = i, line = "stroke" }
    end
    for i, group in ipairs(off) do
      legend[#legend + 1] = { label = group.label, style = #lines + i, line = "stroke", bare = true }
    end
  end
  if #legend > 0 then c:legend(legend) end
  return page.figure(c:text_of(), of.caption, numbers(facts, axis, of.metrics, of.title))
end

-- → markup, the option of the axis (nil if every configuration has its own position)
return function(facts)
  local axis = axis_of(facts)
  local lines, off
  if axis then lines, off = lines_of(facts, axis) end
  if not axis or not are_curves(lines) then
    axis, lines, off = nil, by_name(facts)
  end
  local against = axis and axis.name or "configuration"
  local out = { curve_of(facts, axis, lines, off, { id = "curve", metrics = { facts.metric },
    title = ("%s against %s"):format(facts.words_of, against), y_name = facts.words_of,
    caption = ("%s on the test set against %s. Error bars: one standard deviation over seeds; small circles: "
      .. "the seeds."):format(facts.words_of, against) }) }
  local bands = {}
  for _, metric in ipairs { "many", "medium", "few" } do
    local low, high = value_limits(facts, { metric })
    if low <= high then bands[#bands + 1] = metric end
  end
  if #lines == 1 and #bands > 1 then
    out[#out + 1] = curve_of(facts, axis, lines, off, { id = "bands", metrics = bands,
      title = ("Recall of head, medium and tail against %s"):format(against), y_name = "mean recall",
      caption = "Mean recall of the classes with many (head), some (medium) and few (tail) training "
        .. "images." })
  end
  return table.concat(out, "\n"), axis and axis.name
end
