-- Training curves of a report: the loss and the validation metrics. The baseline and the best other
-- configuration have a line for the mean over seeds and a thin one per seed; the rest are grey.
local chart = require "aniso.show.report.chart"
local page = require "aniso.show.report.page"
local scale = require "aniso.show.report.scale"

-- What is drawn where it was recorded: part, metric, words.
local SHOWN = { { "train", "loss", "training loss" }, { "val", "macro_f1", "validation macro F1" },
  { "val", "prior_macro_f1", "validation macro F1 of the prior" } }

local function finite(value) return value and value == value and math.abs(value) < math.huge end

-- The curve of each run: {seed, points = {{step, value} …}}; value false where it is not finite.
local function curves_of(facts, group, part, metric)
  local out = {}
  for _, member in ipairs(group.members) do
    for _, run in ipairs(member.parts or { member }) do
      local all = facts.curves_of[run.run_id]
      local curve = all[part] and all[part][metric]
      if curve then
        local points = {}
        for i, step in ipairs(curve.step) do
          points[i] = { step, finite(curve.value[i]) and curve.value[i] or false }
        end
        out[#out + 1] = { seed = member.seed, points = points }
      end
    end
  end
  return out
end

-- Mean over the seeds at each step that all have.
local function mean_of(curves)
  local sum, count, steps = {}, {}, {}
  for _, curve in ipairs(curves) do
    for _, point in ipairs(curve.points) do
      local step = point[1]
      if not count[step] then sum[step], count[step], steps[#steps + 1] = 0, 0, step end
      if point[2] then sum[step], count[step] = sum[step] + point[2], count[step] + 1 end
    end
  end
  table.sort(steps)
  local out = {}
  for i, step in ipairs(steps) do
    out[i] = { step, count[step] == #curves and sum[step] / #curves or false }
  end
  return out
end

local function limits(drawn)
  local left, right, low, high = math.huge, -math.huge, math.huge, -math.huge
  for _, one in ipairs(drawn) do
    for _, curve in ipairs(one.curves) do
      for _, point in ipairs(curve.points) do
        left, right = math.min(left, point[1]), math.max(right, point[1])
        if point[2] then low, high = math.min(low, point[2]), math.max(high, point[2]) end
      end
    end
  end
  return left, right, low, high
end

local function draw_one(c, one, named)
  c:group(named and one.group.style or "rest")
  for _, curve in ipairs(named and #one.curves > 1 and one.curves or {}) do
    c:line(curve.points, "stroke thin")
  end
  c:line(one.mean, named and "stroke" or "stroke thin")
  c:close()
end

local function draw(facts, drawn, of)
  local left, right, low, high = limits(drawn)
  if low > high or left == right then return nil end -- one epoch makes no curve
  local c = chart.new { id = of.id, title = of.words, width = 720, height = 300,
    x = scale.whole(left, right, 8), y = scale.linear(low, high, 5, true),
    x_name = "epoch", y_name = of.words,
    desc = ("%s against the epoch, %d configurations: mean over seeds, each seed."):format(of.words, #drawn) }
  c:axes()
  local legend, rest = {}, false
  for _, main in ipairs { false, true } do -- the grey ones below
    for _, one in ipairs(drawn) do
      local named = one.group == facts.base or one.group == facts.other
      if named == main then draw_one(c, one, named) end
      rest = rest or not named
      if named and main then
        legend[#legend + 1] = { label = chart.fit(one.group.label, 40), style = one.group.style,
          line = "stroke", bare = true }
      end
    end
  end
  if rest then
    legend[#legend + 1] = { label = "other configurations", style = "rest", line = "stroke thin",
      bare = true }
  end
  c:legend(legend)
  return c:text_of()
end

local function numbers(drawn, words)
  local columns, rows, at = { "epoch" }, {}, {}
  for g, one in ipairs(drawn) do
    columns[1 + g] = one.group.label
    for _, point in ipairs(one.mean) do
      if not at[point[1]] then
        at[point[1]] = { point[1] }
        rows[#rows + 1] = at[point[1]]
      end
      at[point[1]][1 + g] = page.cell(point[2], "%.4f")
    end
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return page.table(words .. ", mean over seeds", columns, rows)
end

-- → markup
return function(facts)
  local config = assert(facts.db:config(facts.base.run))
  local staged = config.train and config.train.mode == "staged"
    and " In staged training the losses of the two stages are not comparable." or ""
  facts.curves_of = {}
  local names = {}
  for i, shown in ipairs(SHOWN) do names[i] = shown[2] end
  for _, group in ipairs(facts.groups) do
    for _, member in ipairs(group.members) do
      for _, run in ipairs(member.parts or { member }) do
        facts.curves_of[run.run_id] = assert(facts.db:curves(run.run_id, names))
      end
    end
  end
  local out = {}
  for _, shown in ipairs(SHOWN) do
    local drawn = {}
    for _, group in ipairs(facts.groups) do
      local curves = curves_of(facts, group, shown[1], shown[2])
      if #curves > 0 then drawn[#drawn + 1] = { group = group, curves = curves, mean = mean_of(curves) } end
    end
    local words = shown[3]
    local drawing = #drawn > 0 and draw(facts, drawn, { id = shown[1] .. "-" .. shown[2], words = words })
    if drawing then
      out[#out + 1] = page.figure(drawing, ("The %s of each epoch: mean over seeds; thin lines: the seeds.%s")
        :format(words, shown[2] == "loss" and staged or ""), numbers(drawn, words))
    end
  end
  return #out > 0 and table.concat(out, "\n") or page.paragraph "No training curves are stored."
end
