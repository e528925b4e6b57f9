-- The reliability diagram of a report: how often the predicted class is correct against the
-- confidence of the prediction; and the number of images in each bin of confidence.
local chart = require "aniso.show.report.chart"
local page = require "aniso.show.report.page"
local scale = require "aniso.show.report.scale"

-- The bins that contain images: {conf, acc, n, share}.
local function points_of(facts, group)
  local out, total = {}, 0
  local bins = facts:bins(group)
  for _, bin in ipairs(bins) do total = total + bin.n end
  for b, bin in ipairs(bins) do
    if bin.n > 0 then
      out[#out + 1] = { bin = b, conf = bin.sum_conf / bin.n, acc = bin.n_correct / bin.n, n = bin.n,
        share = bin.n / total }
    end
  end
  return out, #bins
end

-- Bars at the bottom: configuration i of n occupies its part of the width of each bin.
local function draw_counts(c, one, i, n, most)
  local base, path = c.height - c.bottom, {}
  for _, point in ipairs(one.points) do
    local left, right = c:place((point.bin - 1) / one.bins, 0), c:place(point.bin / one.bins, 0)
    local wide = (right - left - 6) / n
    path[#path + 1] = ("M%s %sv%sh%sV%sz"):format(chart.pixel(left + 3 + (i - 1) * wide), chart.pixel(base),
      chart.pixel(-58 * point.share / most), chart.pixel(wide), chart.pixel(base))
  end
  c:add('<path class="area" d="%s"/>', table.concat(path))
end

local function draw(facts, drawn, title)
  local c = chart.new { id = "reliability", title = title, height = 410,
    x = scale.linear(0, 1, 5),
    y = scale.linear(0, 1, 5), x_name = "confidence of the called class", y_name = "share that is right",
    desc = "Share of images that are right against the mean confidence of their bin; the diagonal is a model "
      .. "that is as sure as it is right. Bars at the bottom: how the images fall into the bins." }
  c:axes()
  c:add '<g class="rest">'
  c:line({ { 0, 0 }, { 1, 1 } }, "zero")
  c:close()
  local most, legend = 0, {}
  for _, one in ipairs(drawn) do
    for _, point in ipairs(one.points) do most = math.max(most, point.share) end
  end
  for i, one in ipairs(drawn) do
    c:group(one.group.style)
    draw_counts(c, one, i, #drawn, most)
    local line = {}
    for k, point in ipairs(one.points) do line[k] = { point.conf, point.acc } end
    c:line(line)
    for _, point in ipairs(one.points) do
      c:mark(point.conf, point.acc, ("%s: confidence %.3f, right %.3f, %d images"):format(one.group.label,
        point.conf, point.acc, point.n))
    end
    c:close()
    local ece = facts:moments(one.group, "ece").mean
    legend[i] = { label = ("%s%s"):format(chart.fit(one.group.label, 34),
      ece and (", calibration error %.3f"):format(ece) or ""), style = one.group.style, line = "stroke" }
  end
  c:legend(legend)
  return c:text_of()
end

-- → markup
return function(facts)
  local drawn, rows = {}, {}
  for _, group in ipairs { facts.base, facts.other } do
    local points, bins = points_of(facts, group)
    if #points > 0 then drawn[#drawn + 1] = { group = group, points = points, bins = bins } end
    for _, point in ipairs(points) do
      rows[#rows + 1] = { group.label, point.bin, point.n, page.cell(point.conf, "%.3f"),
        page.cell(point.acc, "%.3f") }
    end
  end
  if #drawn == 0 then return page.paragraph "No calibration bins are stored." end
  local title = "Reliability of the probabilities"
  return page.figure(draw(facts, drawn, title), "Below the diagonal the model is surer than it is right. "
    .. "Bars: how the images fall into the bins. The bins "
    .. "of all seeds together; the calibration error is the mean over seeds.",
    page.table(title, { "configuration", "bin", "images", "confidence", "right" }, rows))
end
