-- The noise levels of a report: λ_j against n_j, a line for each configuration, and how searched levels were
-- chosen.
local chart = require "aniso.show.report.chart"
local page = require "aniso.show.report.page"
local paired = require "aniso.stats.paired"
local scale = require "aniso.show.report.scale"
local search = require "aniso.show.report.search"

local MAX_MARKED = 30 -- classes; with more, the marks would form a line

local function level_points(facts, levels, order)
  local points = {}
  for i, j in ipairs(order) do points[i] = { math.max(1, facts.split.classes[j].n_train), levels[j] } end
  return points
end

local function level_table(facts, drawn, order)
  local columns, rows = { "class", "n_j" }, {}
  for g, one in ipairs(drawn) do columns[2 + g] = one.group.label end
  for i, j in ipairs(order) do
    local class = facts.split.classes[j]
    rows[i] = { class.name, class.n_train }
    for g, one in ipairs(drawn) do
      rows[i][2 + g] = page.cell(one.levels[j], "%.4f")
    end
  end
  return page.table("Noise levels λ_j of each class", columns, rows)
end

-- The groups whose levels belong to the first one's split; if there are more than colours, most are grey.
local function drawn_groups(facts)
  local out = {}
  for _, group in ipairs(facts.groups) do
    local levels = assert(facts.db:lambda(group.run))
    local same = paired.same_images(group, facts.groups[1])
    if same and #levels == #facts.split.classes then out[#out + 1] = { group = group, levels = levels } end
  end
  for _, one in ipairs(out) do
    local plain = #out > 8 and one.group ~= facts.base and one.group ~= facts.other
    one.style = plain and "rest" or one.group.style
  end
  return out
end

-- → markup
return function(facts)
  local drawn, order = drawn_groups(facts), facts:order()
  if #drawn == 0 then return page.paragraph "No noise levels are stored." end
  local low, high, few, many = math.huge, 0, math.huge, 0
  for _, one in ipairs(drawn) do
    for _, point in ipairs(level_points(facts, one.levels, order)) do
      few, many = math.min(few, point[1]), math.max(many, point[1])
      low, high = math.min(low, point[2]), math.max(high, point[2])
    end
  end
  local title = "Noise level λ_j against class size n_j"
  local c = chart.new { id = "levels", title = title, height = 340,
    x = scale.log(few, many), y = scale.log(low, high), x_name = "training images n_j", y_name = "λ_j",
    desc = ("A point per class, a line for each of %d configurations; logarithmic axes."):format(#drawn) }
  c:axes()
  local legend, rest = {}, 0
  for _, one in ipairs(drawn) do
    c:group(one.style)
    c:line(level_points(facts, one.levels, order), one.style == "rest" and "stroke thin" or "stroke")
    local marked = one.style ~= "rest" and #order <= MAX_MARKED
    for i, point in ipairs(marked and level_points(facts, one.levels, order) or {}) do
      c:mark(point[1], point[2], ("%s, %s: λ %.4g, n %d"):format(one.group.label,
        facts.split.classes[order[i]].name, point[2], point[1]))
    end
    c:close()
    rest = rest + (one.style == "rest" and 1 or 0)
    if one.style ~= "rest" then
      legend[#legend + 1] = { label = chart.fit(one.group.label, 44), style = one.style, line = "stroke",
        bare = #order > MAX_MARKED }
    end
  end
  if rest > 0 then
    legend[#legend + 1] = { label = ("%d others"):format(rest), style = "rest", line = "stroke thin",
      bare = true }
  end
  c:legend(legend)
  return page.figure(c:text_of(), "The levels in force: above 1 a class gets more noise than in the "
    .. "isotropic process, below 1 less. A power of the class size is a straight line here.",
    level_table(facts, drawn, order)) .. search(facts)
end
