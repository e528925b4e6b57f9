-- The lines of a study's configurations in one chart: the named ones are in colour and in the legend,
-- the others grey and behind them.
--   lines.draw(chart, list, is_named, draw [, letters]): list: {{group =, …}, …}; is_named(group); draw(one,
--   named): draws one item, within a group of the chart; letters: of a label in the legend, 34 by default
--   lines.named(facts, list, score) → is_named: all if the groups are few; else the baseline, the best other
--   one and the one with the highest score(one), a number or nil
local chart_of = require "aniso.show.report.chart"

local lines = {}

local LETTERS = 34

function lines.named(facts, list, score)
  local best, top
  for _, one in ipairs(list) do
    local value = score(one)
    if value and (not top or value > top) then best, top = one.group, value end
  end
  return function(group) return facts:is_named(group, best) end
end

local function entry(label, style, line)
  return { label = label, style = style, line = line, bare = true }
end

function lines.draw(chart, list, is_named, draw, letters)
  local legend, rest = {}, false
  for _, in_front in ipairs { false, true } do
    for _, one in ipairs(list) do
      local group, named = one.group, is_named(one.group)
      rest = rest or not named
      if named == in_front then
        chart:group(named and group.style or "rest")
        draw(one, named)
        chart:close()
      end
      if named and in_front then
        legend[#legend + 1] = entry(chart_of.fit(group.label, letters or LETTERS), group.style, "stroke")
      end
    end
  end
  if rest then legend[#legend + 1] = entry("other configurations", "rest", "stroke thin") end
  chart:legend(legend)
end

return lines
