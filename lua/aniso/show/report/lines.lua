-- The lines of a study's configurations in one chart. Of many, those that facts:is_named() chooses are in
-- colour and in the legend; the others are thin, grey and below them.
--   lines(chart, facts, list, score, draw): list: {{group =, …}, …}; score(one) → a number or nil, of which
--   the highest is named; draw(one, named): draws one of the list, within a group of the chart
local chart_of = require "aniso.show.report.chart"

local function best_of(list, score)
  local best, top
  for _, one in ipairs(list) do
    local value = score(one)
    if value and (not top or value > top) then best, top = one.group, value end
  end
  return best
end

return function(chart, facts, list, score, draw)
  local legend, rest, best = {}, false, best_of(list, score)
  for _, in_front in ipairs { false, true } do
    for _, one in ipairs(list) do
      local named = facts:is_named(one.group, best)
      rest = rest or not named
      if named == in_front then
        chart:group(named and one.group.style or "rest")
        draw(one, named)
        chart:close()
      end
      if named and in_front then
        legend[#legend + 1] = { label = chart_of.fit(one.group.label, 34), style = one.group.style,
          line = "stroke", bare = true }
      end
    end
  end
  if rest then
    legend[#legend + 1] = { label = "other configurations", style = "rest", line = "stroke thin",
      bare = true }
  end
  chart:legend(legend)
end
