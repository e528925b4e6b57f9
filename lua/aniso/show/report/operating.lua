-- The operating curves of a report: tail recall against head recall over the tilt (stats/operating.lua), a
-- line for each configuration, and a comparison at equal head recall in words.
local chart = require "aniso.show.report.chart"
local derived = require "aniso.stats.derived"
local lines = require "aniso.show.report.lines"
local noise = require "aniso.stats.noise"
local operating_curve = require "aniso.show.operating_curve"
local page = require "aniso.show.report.page"
local scale = require "aniso.show.report.scale"
local verdict = require "aniso.show.report.verdict"

-- The band of one standard deviation over the seeds, if there are several.
local function draw_band(c, band)
  local up, down = {}, {}
  for k, mean in ipairs(band.mean) do
    local sd = band.sd[k]
    if mean and sd then
      local px, top = c:place(band.head[k], math.min(1, mean + sd))
      local _, bottom = c:place(band.head[k], math.max(0, mean - sd))
      up[#up + 1] = ("%s %s"):format(chart.pixel(px), chart.pixel(top))
      table.insert(down, 1, ("%s %s"):format(chart.pixel(px), chart.pixel(bottom)))
    end
  end
  if #up > 1 then
    c:add('<path class="area" fill-opacity="0.15" d="M%sL%sz"/>', table.concat(up, "L"),
      table.concat(down, "L"))
  end
end

local function points(band)
  local out = {}
  for k, mean in ipairs(band.mean) do out[k] = { band.head[k], mean } end
  return out
end

local function draw_untilted(c, one, low, high)
  for k, point in ipairs(operating_curve.untilted(one)) do
    if point[1] >= low and point[1] <= high then
      c:dot(point[1], point[2], ("%s, seed %d, untilted: head %.3f, tail %.3f"):format(one.group.label,
        one.group.members[k].seed, point[1], point[2]))
    end
  end
end

local function draw(facts, list, title)
  local heads = list[1].band.head
  local c = chart.new { id = "operating", title = title, height = 380,
    x = scale.linear(heads[1], heads[#heads], 6), y = scale.linear(0, 1, 5), x_name = "head recall",
    y_name = "tail recall",
    desc = ("Mean tail recall at equal head recall over the seeds, a line for each of %d configurations, and "
      .. "the untilted point of each seed."):format(#list) }
  c:axes()
  local function tail(one) return facts:moments(one.group, derived.TAIL).mean end
  lines.draw(c, list, lines.named(facts, list, tail), function(one, named)
    if one.group == facts.base or one.group == facts.other then draw_band(c, one.band) end
    c:line(points(one.band), named and "stroke" or "stroke thin")
    if named then draw_untilted(c, one, heads[1], heads[#heads]) end
  end)
  return c:text_of()
end

local function mean_sd(m) return ("%.3f%s"):format(m.mean, m.sd and (" ± %.3f"):format(m.sd) or "") end

-- A group against the baseline at equal head recall: {group, own, base = moments, delta, interval = text,
-- judged = the judgement's words}, the last three nil if they share no seed; nil if either has no value.
local function comparison(facts, group)
  local own, base = facts:moments(group, derived.TAIL), facts:moments(facts.base, derived.TAIL)
  if not own.mean or not base.mean then return nil end
  local out, delta = { group = group, own = own, base = base }, facts:delta(group, derived.TAIL)
  if delta.n == 0 or not delta.mean then return out end
  local images = facts:images(group, derived.TAIL)
  out.delta = verdict.signed(delta.mean)
  out.judged = noise.judge(delta, images.intervals and images.intervals[derived.TAIL]).verdict
  out.interval = delta.lo and ("[%s, %s]"):format(verdict.signed(delta.lo), verdict.signed(delta.hi))
  return out
end

-- "γ=0.5 has tail recall 0.512 ± 0.030, γ=0 0.470 ± 0.021: Δ +0.0420 [+0.0100, +0.0740], beyond noise."
local function sentence(facts, one)
  local text = ("%s has tail recall %s, %s has %s"):format(one.group.label, mean_sd(one.own),
    facts.base.label, mean_sd(one.base))
  if not one.delta then return text .. "; they share no seed on the same images." end
  return ("%s: Δ %s%s, %s."):format(text, one.delta, one.interval and " " .. one.interval or "", one.judged)
end

local function table_of(facts, list)
  local rows = {}
  for i, one in ipairs(list) do
    rows[i] = { one.group.label, mean_sd(one.own), one.delta or "no common seed", one.interval or "–",
      one.judged or "–" }
  end
  return page.table(("Tail recall at head recall 0.90; %s has %s"):format(facts.base.label,
    mean_sd(list[1].base)), { "configuration", "tail recall", "Δ", "95 % interval", "judgement" }, rows)
end

local FEW = 6 -- comparisons written as sentences; more are a table

local function in_words(facts)
  local list, out = {}, {}
  for _, group in ipairs(facts.groups) do
    list[#list + 1] = group ~= facts.base and comparison(facts, group) or nil
  end
  if #list == 0 then return "" end
  for i, one in ipairs(list) do out[i] = page.paragraph("%s", sentence(facts, one)) end
  return page.paragraph("At equal head recall, each run with the tilt that gives head recall 0.90 on its "
    .. "validation part:") .. (#list > FEW and table_of(facts, list) or table.concat(out))
end

local function numbers(list)
  local columns, rows = operating_curve.rows(list, "table")
  return page.table("Tail recall on test at head recalls on test, and at head recall 0.90 on validation",
    columns, rows)
end

-- → markup; nil if no configuration has predictions with a head and a tail
return function(facts)
  local list = operating_curve.of_groups(facts.db, facts.groups, function(member)
    return facts:predicted(member).operating
  end)
  if #list == 0 or #list[1].band.head < 2 then return nil end
  return in_words(facts) .. page.figure(draw(facts, list, "Tail recall against head recall"),
    "Tail recall against head recall on the test set as the class probabilities are tilted by −τ ln π, τ "
      .. "from −2 to 2: the mean over seeds at equal head recall. The bands of the baseline and of the "
      .. "best other configuration are one standard deviation; small circles are the untilted seeds.",
    numbers(list))
end
