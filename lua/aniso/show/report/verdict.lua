-- The first lines of a report: which configuration is best, by how much, and how sure that is. The
-- interval of Δ is a paired t interval over the seeds that both have; where predictions are stored,
-- also a paired bootstrap of the mean Δ over the images, each drawn with all of its seeds.
local bootstrap = require "aniso.stats.metric.bootstrap"
local metric = require "aniso.stats.metric"
local page = require "aniso.show.report.page"

local verdict = { ENOUGH = 3 } -- seeds, for an interval to say anything
local LEVEL = 0.95
local SAME = 1e-12 -- a spread of rounding alone

-- Values of two groups in the seeds that both have on one split, and those seeds.
function verdict.paired(facts, first, second, name)
  local a, b, seeds, at = {}, {}, {}, {}
  local one, two = facts:moments(first, name), facts:moments(second, name)
  for i, seed in ipairs(one.seeds) do at[seed] = one.values[i] end
  for i, seed in ipairs(first.run.split_id == second.run.split_id and two.seeds or {}) do
    if at[seed] then a[#a + 1], b[#b + 1], seeds[#seeds + 1] = at[seed], two.values[i], seed end
  end
  return a, b, seeds
end

-- Δ of a group to the baseline: metric.paired_t's table, with seeds; nil without a common seed.
function verdict.delta(facts, group, name)
  local a, b, seeds = verdict.paired(facts, facts.base, group, name)
  if #a == 0 then return nil end
  local test = metric.paired_t(a, b, LEVEL)
  test.seeds = seeds
  if test.sd and test.sd < SAME then test.lo, test.hi, test.p = nil, nil, nil end
  return test
end

local function member_of(group, seed)
  for _, member in ipairs(group.members) do
    if member.seed == seed then return member end
  end
end

local function same(a, b)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function is_resampled(name)
  for _, known in ipairs(bootstrap.metrics) do
    if known == name then return true end
  end
  return false
end

-- The interval of the mean Δ over the images of one split, and how many they are; nil where
-- predictions are not stored or the metric is none that is resampled.
function verdict.over_images(facts, group, seeds)
  local images, predictions, weights = nil, {}, {}
  if not is_resampled(facts.metric) then return nil end
  for _, seed in ipairs(seeds) do
    for side, of in ipairs { facts.base, group } do
      local found = facts:predictions(member_of(of, seed))
      images = images or found and found.true_idx
      if not (found and same(found.true_idx, images)) then return nil end
      predictions[#predictions + 1] = found.pred_idx
      weights[#weights + 1] = (side == 1 and -1 or 1) / #seeds
    end
  end
  local shot = {}
  for j, class in ipairs(facts:classes(group)) do shot[j] = class.shot end
  local found = bootstrap.weighted(images, predictions, weights, #shot, { shot = shot, level = LEVEL })
  return found[facts.metric], #images
end

local PERCENT = ("%.3g %%"):format(100 * LEVEL)

-- "+0.0123", "−0.0040"
function verdict.signed(value) return (("%+.4f"):format(value):gsub("^%-", "−")) end
local signed = verdict.signed

local function interval(of) return ("[%s, %s]"):format(signed(of.lo), signed(of.hi)) end

local function plural(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

-- Whether Δ can be told from nothing, in words.
local function judgement(delta)
  if #delta.seeds < verdict.ENOUGH then
    return ("%s: too few to tell a difference from luck, at least %d are needed."):format(
      plural(#delta.seeds, "seed"), verdict.ENOUGH)
  end
  if not delta.lo then return "The difference is the same at each seed." end
  if delta.lo <= 0 and delta.hi >= 0 then return "The interval contains 0: within noise." end
  return ("The interval excludes 0 (paired t test, p = %.3g)."):format(delta.p)
end

local function caveat(facts)
  if #facts.groups <= 2 then return "" end
  return (" It is the best of %d by these same numbers, for which the interval is not corrected."):format(
    #facts.groups)
end

-- "Δ +0.0123 [−0.01, +0.03] over 3 seeds"
local function told(delta)
  return ("Δ %s%s over %s"):format(signed(delta.mean), delta.lo and " " .. interval(delta) or "",
    plural(#delta.seeds, "seed"))
end

local function first_line(facts, delta)
  local words, base = facts.words_of, facts.base.label
  if facts.best == facts.base then
    if not facts.other then return ("%s is the study's only configuration."):format(base) end
    return ("No configuration has a better %s than the baseline %s; next is %s%s."):format(words, base,
      facts.other.label, delta and ", " .. told(delta) or "")
  end
  local lead = ("%s has the %s %s"):format(facts.other.label, facts.higher and "highest" or "lowest", words)
  if not delta then
    return ("%s; it shares no seed on the same split with the baseline %s."):format(lead, base)
  end
  return ("%s: %s against the baseline %s."):format(lead, told(delta), base)
end

local function tiles(facts, delta)
  local best, out = facts:moments(facts.best), { '<dl class="tiles">' }
  local function tile(name, text)
    out[#out + 1] = ("<div><dt>%s</dt><dd>%s</dd></div>"):format(page.escape(name), page.escape(text))
  end
  tile(("%s of the best, mean ± sd"):format(facts.words_of),
    ("%.3f%s"):format(best.mean, best.sd and (" ± %.3f"):format(best.sd) or ""))
  if delta then
    tile(facts.best == facts.base and "Δ of the next" or "Δ to the baseline", signed(delta.mean))
    if delta.lo then tile(PERCENT .. " interval over seeds", interval(delta)) end
  end
  tile(delta and "paired seeds" or "seeds", delta and #delta.seeds or best.n)
  return table.concat(out) .. "</dl>"
end

-- → markup of the whole verdict
function verdict.text(facts)
  if not facts.best then
    return '<section class="verdict" aria-label="Verdict"><p class="first">'
      .. page.escape(("No configuration has a %s."):format(facts.words_of)) .. "</p></section>"
  end
  local delta = facts.other and verdict.delta(facts, facts.other)
  local more = {}
  if delta then
    more[1] = page.paragraph(judgement(delta) .. (facts.best ~= facts.base and caveat(facts) or ""))
    local images, n = verdict.over_images(facts, facts.other, delta.seeds)
    if images then
      more[2] = page.paragraph("Over the %d test images, with these trained models: %s interval of Δ %s "
        .. "(paired bootstrap, each image with all of its seeds).", n, PERCENT, interval(images))
    end
  end
  return ('<section class="verdict" aria-label="Verdict"><p class="first">%s</p>%s%s</section>'):format(
    page.escape(first_line(facts, delta)), tiles(facts, delta), table.concat(more))
end

return verdict
