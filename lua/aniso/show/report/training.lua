-- Training curves of a report: the loss and the validation metrics. For the baseline and the best other
-- configuration, a line shows the mean over seeds and thin lines the seeds; the rest are grey.
local chart = require "aniso.show.report.chart"
local lines = require "aniso.show.report.lines"
local page = require "aniso.show.report.page"
local scale = require "aniso.show.report.scale"

-- The curves drawn if they were recorded: part, metric, words.
local SHOWN = { { "train", "loss", "training loss" }, { "val", "macro_f1", "validation macro F1" },
  { "val", "prior_macro_f1", "validation macro F1 of the prior" } }

-- The curve of each run: {seed, step = list, value = list, nil where a value is not finite}.
local function curves_of(facts, group, part, metric)
  local out = {}
  for _, member in ipairs(group.members) do
    for _, run in ipairs(member.parts or { member }) do
      local steps, values = facts.db:curve(run.run_id, part, metric)
      assert(steps, values)
      if #steps > 0 then out[#out + 1] = { seed = member.seed, step = steps, value = values } end
    end
  end
  return out
end

-- Mean over the seeds at each step: {{step, mean}, …}, false where a seed has no finite value.
local function mean_of(curves)
  local sum, count, steps = {}, {}, {}
  for _, curve in ipairs(curves) do
    local values = curve.value
    for i, step in ipairs(curve.step) do
      if not count[step] then sum[step], count[step], steps[#steps + 1] = 0, 0, step end
      local value = values[i]
      if value then sum[step], count[step] = sum[step] + value, count[step] + 1 end
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
      local steps, values = curve.step, curve.value
      left, right = math.min(left, steps[1]), math.max(right, steps[#steps]) -- in ascending order
      for i = 1, #steps do
        local value = values[i]
        if value then
          low = value < low and value or low
          high = value > high and value or high
        end
      end
    end
  end
  return left, right, low, high
end

local function points_of(curve)
  local out = {}
  for i, step in ipairs(curve.step) do out[i] = { step, curve.value[i] } end
  return out
end

local function draw_one(c, one, named)
  for _, curve in ipairs(named and #one.curves > 1 and one.curves or {}) do
    c:line(points_of(curve), "stroke thin")
  end
  c:line(one.mean, named and "stroke" or "stroke thin")
end

local function draw(facts, drawn, of)
  local left, right, low, high = limits(drawn)
  if low > high or left == right then return nil end -- one epoch is not a curve
  local c = chart.new { id = of.id, title = of.words, height = 300,
    x = scale.whole(left, right, 8), y = scale.linear(low, high, 5, true),
    x_name = "epoch", y_name = of.words,
    desc = ("%s against the epoch, %d configurations: mean over seeds, each seed."):format(of.words, #drawn) }
  c:axes()
  local function is_named(group) return group == facts.base or group == facts.other end
  lines.draw(c, drawn, is_named, function(one, named) draw_one(c, one, named) end, 40)
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
