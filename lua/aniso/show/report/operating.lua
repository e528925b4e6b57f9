-- The operating curves of a report: tail recall against head recall over the tilt (stats/operating.lua), a
-- line for each configuration, and the configurations at equal head recall in words.
local chart = require "aniso.show.report.chart"
local derived = require "aniso.stats.derived"
local noise = require "aniso.stats.noise"
local operating_curve = require "aniso.show.operating_curve"
local page = require "aniso.show.report.page"
local scale = require "aniso.show.report.scale"
local verdict = require "aniso.show.report.verdict"

-- The band of one standard deviation over the seeds, where there are several.
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

local function draw(facts, list, title)
  local heads = list[1].band.head
  local c = chart.new { id = "operating", title = title, height = 380,
    x = scale.linear(heads[1], heads[#heads], 6), y = scale.linear(0, 1, 5), x_name = "head recall",
    y_name = "tail recall",
    desc = ("Mean tail recall at equal head recall over the seeds, a line for each of %d configurations, and "
      .. "the untilted point of each seed."):format(#list) }
  c:axes()
  local legend = {}
  for i, one in ipairs(list) do
    c:group(one.group.style)
    if one.group == facts.base or one.group == facts.other then draw_band(c, one.band) end
    c:line(points(one.band))
    for k, point in ipairs(operating_curve.untilted(one)) do
      if point[1] >= heads[1] and point[1] <= heads[#heads] then
        c:dot(point[1], point[2], ("%s, seed %d, untilted: head %.3f, tail %.3f"):format(one.group.label,
          one.group.members[k].seed, point[1], point[2]))
      end
    end
    c:close()
    legend[i] = { label = chart.fit(one.group.label, 34), style = one.group.style, line = "stroke",
      bare = true }
  end
  c:legend(legend)
  return c:text_of()
end

-- "γ=0.5 has tail recall 0.512 ± 0.030, γ=0 0.470 ± 0.021: Δ +0.0420 [+0.0100, +0.0740], beyond noise."
local function sentence(facts, group)
  local own, base = facts:moments(group, derived.TAIL), facts:moments(facts.base, derived.TAIL)
  if not own.mean or not base.mean then return nil end
  local delta = facts:delta(group, derived.TAIL)
  local function number(m) return ("%.3f%s"):format(m.mean, m.sd and (" ± %.3f"):format(m.sd) or "") end
  local text = ("%s has tail recall %s, %s has %s"):format(group.label, number(own), facts.base.label,
    number(base))
  if delta.n == 0 or not delta.mean then return text .. "; they share no seed on the same images." end
  local images = facts:images(group, derived.TAIL)
  local judged = noise.judge(delta, images.intervals and images.intervals[derived.TAIL])
  local interval = delta.lo and (" [%s, %s]"):format(verdict.signed(delta.lo), verdict.signed(delta.hi)) or ""
  return ("%s: Δ %s%s, %s."):format(text, verdict.signed(delta.mean), interval, judged.verdict)
end

local function in_words(facts)
  local out = {}
  for _, group in ipairs(facts.groups) do
    local text = group ~= facts.base and sentence(facts, group)
    if text then out[#out + 1] = page.paragraph("%s", text) end
  end
  if #out == 0 then return "" end
  return page.paragraph("At equal head recall, each run with the tilt that gives head recall 0.90 on its "
    .. "validation part:") .. table.concat(out)
end

local function numbers(list)
  local columns, rows = operating_curve.rows(list, "table")
  return page.table("Tail recall on test at head recalls on test, and at head recall 0.90 on validation",
    columns, rows)
end

-- → markup; nil where no configuration has predictions of a head and a tail
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
