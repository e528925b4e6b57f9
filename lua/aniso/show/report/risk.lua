-- The risk-coverage curves of a report: the error among the images that the model labels, the most
-- confident first, a line for each configuration (show/risk_curve.lua).
local chart = require "aniso.show.report.chart"
local lines = require "aniso.show.report.lines"
local page = require "aniso.show.report.page"
local risk_curve = require "aniso.show.risk_curve"
local scale = require "aniso.show.report.scale"

local function sum(values)
  local out = 0
  for _, value in ipairs(values) do out = out + value end
  return out
end

local function draw(facts, list, title)
  local most = 0
  for _, one in ipairs(list) do most = math.max(most, table.unpack(one.band.mean)) end
  local top = math.max(0.05, math.ceil(20 * most) / 20)
  local c = chart.new { id = "risk", title = title, height = 340,
    x = scale.linear(0, 1, 5), y = scale.linear(0, top, 5), x_name = "coverage", y_name = "risk",
    desc = ("Mean error over the seeds among the labelled images against their share, a line for each of %d "
      .. "configurations."):format(#list) }
  c:axes()
  local function certainty(one) return -sum(one.band.mean) end
  lines.draw(c, list, lines.named(facts, list, certainty), function(one, named)
    local line = {}
    for k, mean in ipairs(one.band.mean) do line[k] = { one.band.coverage[k], mean } end
    c:line(line, named and "stroke" or "stroke thin")
  end)
  return c:text_of()
end

-- → markup; nil if no configuration has stored predictions
return function(facts)
  local list = risk_curve.of_groups(facts.db, facts.groups, function(member)
    return facts:predicted(member).risk
  end)
  if #list == 0 then return nil end
  local columns, rows = risk_curve.rows(list, "table")
  return page.figure(draw(facts, list, "Error against coverage"),
    "Error among the labelled test images against the share that is labelled, the most confident first: what "
      .. "a model gains that abstains below a confidence (aniso predict --abstain). The mean over seeds.",
    page.table("Risk at some coverages, and the area under the curve", columns, rows))
end
