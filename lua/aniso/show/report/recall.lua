-- Recall of each class in a report, the largest class first, with the bands head, medium and tail.
-- The baseline and the best other configuration are drawn with error bars and a dot per seed, the
-- rest as grey ticks.
local blocks = require "aniso.show.report.blocks"
local chart = require "aniso.show.report.chart"
local page = require "aniso.show.report.page"
local printed = require("aniso.stats.metric.catalog").printed
local scale = require "aniso.show.report.scale"

local MAX_DRAWN = 100 -- classes; above this, a row is one of BLOCKS blocks of classes
local BLOCKS = 38

-- {{shot, first, last} …}: adjacent rows of `order` with the same shot.
local function bands_of(facts, order)
  local bands = {}
  for row, j in ipairs(order) do
    local shot = facts.split.classes[j].shot
    if not bands[1] or bands[#bands].shot ~= shot then bands[#bands + 1] = { shot = shot, first = row } end
    bands[#bands].last = row
  end
  return bands
end

local function draw_bands(c, facts, order)
  local rows = #order
  local height = (c.height - c.top - c.bottom) / rows
  for b, band in ipairs(bands_of(facts, order)) do
    local top = c.top + (band.first - 1) * height
    local tall = (band.last - band.first + 1) * height
    if b % 2 == 1 then
      c:add('<rect class="band" x="%s" y="%s" width="%s" height="%s"/>', chart.pixel(c.left),
        chart.pixel(top), chart.pixel(c.width - c.left - c.right + 66), chart.pixel(tall))
    end
    c:text(c.width - c.right + 8, top + tall / 2 + 4, printed(band.shot), { class = "soft" })
  end
end

local function draw_group(c, facts, group, order, shift, tall)
  c:group(group.style)
  for row, j in ipairs(order) do
    local y, class = #order + 1 - row, facts:classes(group)[j]
    local recall = class.recall
    if recall.mean then
      if recall.sd then
        local low, high = math.max(0, recall.mean - recall.sd), math.min(1, recall.mean + recall.sd)
        c:horizontal_whisker(y, low, high, shift)
      end
      for i, value in ipairs(tall and recall.values or {}) do
        c:dot(value, y, ("%s, %s, seed %d: %.3f"):format(class.name, group.label, recall.seeds[i], value), 0,
          shift + 6)
      end
      c:mark(recall.mean, y, ("%s, %s: %.3f"):format(class.name, group.label, recall.mean), 0, shift)
    end
  end
  c:close()
end

local function draw_rest(c, facts, order)
  c:group "rest"
  for _, group in ipairs(facts.groups) do
    for row, j in ipairs(group ~= facts.base and group ~= facts.other and order or {}) do
      local recall = facts:classes(group)[j].recall.mean
      if recall then
        local px, py = c:place(recall, #order + 1 - row)
        c:add('<path class="bar" d="M%s %sv8"><title>%s</title></path>', chart.pixel(px), chart.pixel(py - 4),
          page.escape(("%s: %.3f"):format(group.label, recall)))
      end
    end
  end
  c:close()
end

local function draw(facts, order, title)
  local tall, names = #order <= 40, {}
  local shift = tall and 8 or 3 -- pixels from the middle of a row
  for row, j in ipairs(order) do
    local class = facts.split.classes[j]
    names[#order + 1 - row] = ("%s (%d)"):format(chart.fit(class.name, 16), class.n_train)
  end
  local c = chart.new { id = "recall", title = title, height = 62 + (tall and 40 or 14) * #order,
    right = 74, top = 8, x = scale.linear(0, 1, 5), y = scale.names(names),
    x_name = "recall", desc = ("A row for each of %d classes, the one with most training images first; bands "
      .. "of head, medium and tail."):format(#order) }
  draw_bands(c, facts, order)
  c:columns()
  c:axes()
  local legend = {}
  if #facts.groups > (facts.other and 2 or 1) then
    draw_rest(c, facts, order)
    legend[3] = { label = "each other configuration", style = "rest", line = "bar", bare = true }
  end
  draw_group(c, facts, facts.base, order, facts.other and -shift or 0, tall)
  legend[1] = { label = chart.fit(facts.base.label, 30) .. " (baseline)", style = facts.base.style }
  if facts.other then
    draw_group(c, facts, facts.other, order, shift, tall)
    legend[2] = { label = chart.fit(facts.other.label, 36), style = facts.other.style }
  end
  c:legend(legend)
  return c:text_of()
end

local function numbers(facts, order, title)
  local columns, rows = { "class", "n_train", "band" }, {}
  for g, group in ipairs(facts.groups) do columns[3 + g] = group.label end
  for row, j in ipairs(order) do
    local class = facts.split.classes[j]
    rows[row] = { class.name, class.n_train, printed(class.shot) }
    for g, group in ipairs(facts.groups) do
      local recall = facts:classes(group)[j].recall
      rows[row][3 + g] = recall.mean and { value = recall.mean,
        text = ("%.3f%s"):format(recall.mean, recall.sd and (" ± %.3f"):format(recall.sd) or "") }
    end
  end
  return page.table(title .. ", mean ± standard deviation over seeds", columns, rows)
end

-- → markup
return function(facts)
  if not facts.one_split then
    return page.paragraph "The runs are of several splits, so there is no common order of classes."
  end
  local title, view, size = "Recall per class", blocks.view(facts, MAX_DRAWN, BLOCKS)
  local of = size and ("Mean recall of blocks of up to %d classes of similar size on the test set, the "
    .. "largest first; in brackets their mean number of"):format(size)
    or "Recall of each class on the test set; in brackets its"
  return page.figure(draw(view, view:order(), title), of .. " training images. Error bars: one standard "
    .. "deviation over seeds; small circles: the seeds.", numbers(facts, facts:order(), title))
end
