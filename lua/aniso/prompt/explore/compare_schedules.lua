-- aniso.compare_schedules{ {"cosine", s1}, {"linear", s2}, what = "snr", class = 7, file = … }:
-- one class under several schedules, the rarest if none is given. Schedules of different lengths are drawn
-- over t/T. A schedule may be given as its options.
local curves = require "aniso.prompt.explore.curves"
local options = require "aniso.recipe.options"
local plot = require "aniso.show.plot"

local known = curves.options "snr"

-- Splits {{label, schedule} …, key = value} into its list and its options.
local function split(given)
  if type(given) ~= "table" or #given == 0 then
    error("compare_schedules: give { {label, schedule}, … }", 0)
  end
  local list, rest = {}, {}
  for key, value in pairs(given) do
    if math.type(key) ~= "integer" then rest[key] = value end
  end
  for i, pair in ipairs(given) do
    local label, s = table.unpack(type(pair) == "table" and pair or {})
    if type(label) ~= "string" or s == nil then
      error(("compare_schedules: entry %d must be {label, schedule}"):format(i), 0)
    end
    if type(s) == "table" then s = require("aniso.method.schedule").new(s) end
    list[i] = { label = label, schedule = s }
  end
  return list, options.check(rest, known, "compare_schedules")
end

local function check_class(list, class)
  if type(class) == "table" then error("compare_schedules: class must be one number", 0) end
  if not class then
    local ranked = curves.ranked(list[1].schedule)
    class = ranked[#ranked]
  end
  for _, one in ipairs(list) do curves.chosen(one.schedule, class) end
  return class
end

-- The figures that the call draws.
local function figures(list, kinds, class)
  local same, read, out = true, {}, {}
  for i, one in ipairs(list) do
    same = same and one.schedule.T == list[1].schedule.T
    read[i] = curves.of(one.schedule)
  end
  for k, kind in ipairs(kinds) do
    local series = {}
    for i, one in ipairs(list) do
      local x = {}
      for at, t in ipairs(read[i].t) do x[at] = same and t or t / one.schedule.T end
      series[i] = { label = ("%s: λ %.3g"):format(one.label, one.schedule.lambda:get(class)),
        x = x, y = read[i][kind][class] }
    end
    out[k] = { title = ("%s of class %d"):format(curves.titles[kind], class), x = same and "t" or "t/T",
      series = series }
  end
  return out
end

return function(given)
  local list, o = split(given)
  return plot.show(figures(list, curves.quantities(o.what), check_class(list, o.class)), o)
end
