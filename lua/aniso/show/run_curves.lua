-- A run's curves for people: figures of the loss and the validation metrics, and a row per epoch.
--   run_curves(curves) → figures for show/plot (nil if nothing is finite), columns, rows for table.lua
-- curves: from db:curves(run). `aniso show RUN --curves --format csv` has every metric.

local FIGURES = {
  { title = "Loss", y = "loss", lines = { { "train", "loss" }, { "val", "loss" } } },
  { title = "Validation", y = "share",
    lines = { { "val", "acc" }, { "val", "bacc" }, { "val", "macro_f1" } } },
}

local COLUMNS = { { "train", "loss" }, { "train", "lr" }, { "train", "grad_norm" }, { "val", "loss" },
  { "val", "nll" }, { "val", "acc" }, { "val", "bacc" }, { "val", "macro_f1" } }

local function finite(value)
  return value == value and math.abs(value) < math.huge
end

local MOST_LEVELS = 8

-- The figure of learned levels: all of them, or with many classes the smallest and the largest at the end.
local function levels_figure(curves)
  local all = {}
  for name in pairs(curves.train or {}) do
    local class = name:match "^lambda_(%d+)$"
    if class then all[#all + 1] = tonumber(class) end
  end
  local function last(class)
    local curve = curves.train["lambda_" .. class]
    return curve.value[#curve.value]
  end
  table.sort(all, function(a, b) return last(a) < last(b) or last(a) == last(b) and a < b end)
  while #all > MOST_LEVELS do table.remove(all, MOST_LEVELS // 2 + 1) end
  table.sort(all)
  local lines = {}
  for i, class in ipairs(all) do lines[i] = { "train", "lambda_" .. class } end
  return { title = "Noise levels of the classes", y = "λ", lines = lines }
end

local function find(curves, line)
  return curves[line[1]] and curves[line[1]][line[2]]
end

local function figure_of(curves, of)
  local figure, any = { title = of.title, x = "epoch", y = of.y, series = {} }, false
  for _, line in ipairs(of.lines) do
    local curve = find(curves, line)
    if curve then
      for _, value in ipairs(curve.value) do any = any or finite(value) end
      table.insert(figure.series, { label = ("%s %s"):format(line[1], line[2]), x = curve.step,
        y = curve.value })
    end
  end
  return any and figure or nil
end

local function rows_of(curves)
  local columns, by_step, steps = { "epoch" }, {}, {}
  for _, line in ipairs(COLUMNS) do
    local curve = find(curves, line)
    if curve then
      columns[#columns + 1] = { name = ("%s %s"):format(line[1], line[2]),
        digits = line[2] ~= "lr" and 4 or nil }
      for i, step in ipairs(curve.step) do
        if not by_step[step] then by_step[step], steps[#steps + 1] = { step }, step end
        by_step[step][#columns] = curve.value[i]
      end
    end
  end
  table.sort(steps)
  local rows = {}
  for i, step in ipairs(steps) do rows[i] = by_step[step] end
  return columns, rows
end

return function(curves)
  local figures = {}
  for _, of in ipairs(FIGURES) do figures[#figures + 1] = figure_of(curves, of) end
  figures[#figures + 1] = figure_of(curves, levels_figure(curves))
  return #figures > 0 and figures or nil, rows_of(curves)
end
