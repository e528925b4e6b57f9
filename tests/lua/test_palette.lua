-- The colours of figures and reports: contrasts, uniform maps, red-green colour blindness.
local lu = require "luaunit"
local palette = require "aniso.show.plot.palette"
local style = require "aniso.show.report.style"

local T = {}

local TIMES = { "day", "night" }

local function level(list, time) return list[time == "day" and 1 or 2] end

function T.test_contrast_is_that_of_wcag()
  lu.assertAlmostEquals(palette.contrast("#000000", "#ffffff"), 21, 1e-9)
  lu.assertAlmostEquals(palette.contrast("#ffffff", "#777777"), 4.478, 1e-3)
  lu.assertAlmostEquals(palette.contrast("#336699", "#336699"), 1, 1e-9)
end

function T.test_marks_contrast_with_the_paper()
  for _, time in ipairs(TIMES) do
    for i, series in ipairs(palette.series) do
      local got = palette.contrast(level(series, time), palette.paper[time])
      lu.assertTrue(got >= 3, ("series %d by %s: %.2f"):format(i, time, got))
    end
  end
end

function T.test_texts_are_legible_on_both_backgrounds()
  local names = {}
  for _, name in ipairs(style.names) do names[name[1]] = { name[2], name[3] } end
  for _, time in ipairs(TIMES) do
    for _, text in ipairs { "ink", "soft", "link", "warn" } do
      for _, ground in ipairs { "paper", "card" } do
        local got = palette.contrast(level(names[text], time), level(names[ground], time))
        lu.assertTrue(got >= 4.5, ("%s on %s by %s: %.2f"):format(text, ground, time, got))
      end
    end
    for _, mark in ipairs { "axis", "rest", "focus" } do
      local got = palette.contrast(level(names[mark], time), level(names.paper, time))
      lu.assertTrue(got >= 3, ("%s by %s: %.2f"):format(mark, time, got))
    end
  end
end

function T.test_numbers_are_legible_in_every_cell()
  for l = 0, palette.LEVELS do
    for _, map in ipairs { palette.sequential(l), palette.diverging(l) } do
      for _, time in ipairs(TIMES) do
        lu.assertTrue(palette.contrast(map[time], palette.ink_on(map[time])) >= 4.5)
      end
    end
  end
end

-- Distance in OKLab, after `see` has transformed the linear colour.
local function distance(one, other, see)
  local function lab(hex)
    local r, g, b = palette.linear(hex)
    if see then r, g, b = see(r, g, b) end
    return palette.oklab(r, g, b)
  end
  local L, a, b = lab(one)
  local M, c, d = lab(other)
  return math.sqrt((L - M) ^ 2 + (a - c) ^ 2 + (b - d) ^ 2)
end

function T.test_the_maps_have_even_steps()
  for _, map in ipairs { palette.sequential, palette.diverging } do
    for _, time in ipairs(TIMES) do
      local least, most = math.huge, 0
      for l = 1, palette.LEVELS do
        local step = distance(map(l - 1)[time], map(l)[time])
        least, most = math.min(least, step), math.max(most, step)
      end
      lu.assertTrue(most < 1.25 * least, ("%s: steps of %.4f to %.4f"):format(time, least, most))
    end
  end
end

-- Machado, Oliveira and Fernandes 2009, severity 1.
local blind = {
  protan = { 0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998 },
  deutan = { 0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881 },
}

local function colour_blindness(kind)
  local m = blind[kind]
  return function(r, g, b)
    local out = {}
    for i = 0, 2 do out[i + 1] = math.max(0, m[3 * i + 1] * r + m[3 * i + 2] * g + m[3 * i + 3] * b) end
    return table.unpack(out)
  end
end

function T.test_less_and_more_differ_for_all_viewers()
  for kind in pairs(blind) do
    for _, time in ipairs(TIMES) do
      for far = 4, palette.LEVELS // 2 do
        local middle = palette.LEVELS // 2
        local got = distance(palette.diverging(middle - far)[time], palette.diverging(middle + far)[time],
          colour_blindness(kind))
        lu.assertTrue(got > 0.02 * far, ("%s by %s, %d from the middle: %.3f"):format(kind, time, far, got))
      end
    end
  end
end

-- The colours of the baseline and of the best configuration, which most figures compare; the other series
-- also differ by dashes and marks.
function T.test_the_two_main_series_differ_for_all_viewers()
  for kind in pairs(blind) do
    for _, time in ipairs(TIMES) do
      local best, base = level(palette.series[1], time), level(palette.series[7], time)
      lu.assertTrue(distance(best, base, colour_blindness(kind)) > 0.08)
      lu.assertTrue(distance(best, level(palette.series[2], time), colour_blindness(kind)) > 0.15)
    end
  end
end

function T.test_the_middle_is_neutral()
  local middle = palette.diverging(palette.level(0.5))
  for _, time in ipairs(TIMES) do
    local L, a, b = palette.oklab(palette.linear(middle[time]))
    lu.assertTrue(math.sqrt(a * a + b * b) < 0.005 and L > 0)
    lu.assertTrue(palette.contrast(middle[time], palette.paper[time]) < 1.25)
  end
  lu.assertEquals({ palette.level(-3), palette.level(7) }, { 0, palette.LEVELS })
end

return { Palette = T }
