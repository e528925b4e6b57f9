-- The first lines of a report: which configuration is best, by how much, and how certain that is. The
-- interval of Δ over the seeds follows stats/paired.lua; if predictions are stored, the interval
-- over the images follows stats/paired_images.lua. stats/noise.lua judges by both.
local noise = require "aniso.stats.noise"
local page = require "aniso.show.report.page"
local paired = require "aniso.stats.paired"
local paired_images = require "aniso.stats.paired_images"

local verdict = {}

local PERCENT = ("%.3g %%"):format(100 * paired.LEVEL)

-- "+0.0123", "−0.0040"
function verdict.signed(value) return (("%+.4f"):format(value):gsub("^%-", "−")) end
local signed = verdict.signed

local function interval(of) return ("[%s, %s]"):format(signed(of.lo), signed(of.hi)) end

local function plural(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

-- "3 seeds", "5 folds × 3 seeds"; two single runs with different seeds are one pair.
local function pairs_in_words(delta)
  if delta.folds then return ("%d folds × %s"):format(delta.folds, plural(delta.n, "seed")) end
  local two = delta.pairs[1]
  if delta.n == 1 and two[1].seed ~= two[2].seed then
    return ("1 pair of runs (seeds %d and %d)"):format(two[1].seed, two[2].seed)
  end
  return plural(delta.n, "seed")
end

-- What a test varies.
local function over(delta)
  return delta.folds and "folds and seeds" or "seeds"
end

-- The result of stats/noise.lua for the seeds, or for folds and seeds, in words.
local SEEDS = {
  unpaired = function() return "they share no seed on the same split, or on all of its folds" end,
  few = function(delta)
    return ("%s %s too few to distinguish a difference from chance (at least %d are required)"):format(
      pairs_in_words(delta), delta.n == 1 and "is" or "are", paired.enough.seeds)
  end,
  zero = function(delta)
    return delta.folds and "the difference is 0 in each fold" or "the difference is 0 at each seed"
  end,
  constant = function(delta)
    return ("the difference is the same %s, which gives no interval"):format(
      delta.folds and "in each fold" or "at each seed")
  end,
  contains = function(delta) return ("the interval over %s contains 0"):format(over(delta)) end,
  excludes = function(delta)
    return ("the interval over %s excludes 0 (%s, p = %.3g)"):format(over(delta),
      delta.folds and "corrected resampled t test" or "paired t test", delta.p)
  end,
}
local IMAGES = { contains = "; the interval over images contains 0",
  excludes = "; the interval over images excludes 0" }

-- Whether Δ is more than chance, and why: "Within noise: the interval over seeds contains 0."
local function judgement(delta, over_images)
  local judged = noise.judge(delta, over_images)
  local lead = judged.verdict:gsub("^%l", string.upper)
  return ("%s: %s%s."):format(lead, SEEDS[judged.seeds](delta), IMAGES[judged.images] or "")
end

local function caveat(facts)
  if #facts.groups <= 2 then return "" end
  return (" It is the best of %d by these same numbers, for which the interval is not corrected."):format(
    #facts.groups)
end

-- "Δ +0.0123 [−0.01, +0.03] over 3 seeds"
local function delta_in_words(delta)
  return ("Δ %s%s over %s"):format(signed(delta.mean), delta.lo and " " .. interval(delta) or "",
    pairs_in_words(delta))
end

local function first_line(facts, delta)
  delta = delta and delta.n > 0 and delta or nil
  local words, base = facts.words_of, facts.base.label
  if facts.best == facts.base then
    if not facts.other then return ("%s is the study's only configuration."):format(base) end
    return ("No configuration has a better %s than the baseline %s; next is %s%s."):format(words, base,
      facts.other.label, delta and ", " .. delta_in_words(delta) or "")
  end
  local lead = ("%s has the %s %s"):format(facts.other.label, facts.higher and "highest" or "lowest", words)
  if not delta then
    return ("%s; it shares no seed on the same split with the baseline %s."):format(lead, base)
  end
  return ("%s: %s against the baseline %s."):format(lead, delta_in_words(delta), base)
end

local function tiles(facts, delta)
  local best, out = facts:moments(facts.best), { '<dl class="tiles">' }
  local function tile(name, text)
    out[#out + 1] = ("<div><dt>%s</dt><dd>%s</dd></div>"):format(page.escape(name), page.escape(text))
  end
  tile(("%s of the best, mean ± sd"):format(facts.words_of),
    ("%.3f%s"):format(best.mean, best.sd and (" ± %.3f"):format(best.sd) or ""))
  if delta and delta.n > 0 then
    tile(facts.best == facts.base and "Δ of the next" or "Δ to the baseline", signed(delta.mean))
    if delta.lo then
      tile(("%s interval over %s"):format(PERCENT, over(delta)), interval(delta))
    end
  end
  local is_paired = delta and delta.n > 0
  tile(is_paired and "paired seeds" or "seeds", is_paired and delta.n or best.n)
  return table.concat(out) .. "</dl>"
end

-- → markup of the whole verdict
function verdict.text(facts)
  if not facts.best then
    return '<section class="verdict" aria-label="Verdict"><p class="first">'
      .. page.escape(("No configuration has a %s."):format(facts.words_of)) .. "</p></section>"
  end
  local delta, more = facts.other and facts:delta(facts.other), {}
  if delta then
    local images = paired_images.has_interval(facts.metric) and facts:images(facts.other, facts.metric) or {}
    local over_images = images.intervals and images.intervals[facts.metric]
    more[1] = page.paragraph(judgement(delta, over_images)
      .. (facts.best ~= facts.base and delta.n > 0 and caveat(facts) or ""))
    if over_images then
      more[2] = page.paragraph("Over the %d test images and the seeds: %s interval of Δ %s (paired "
        .. "bootstrap; images of one lesion or patient are drawn together).", images.n, PERCENT,
        interval(over_images))
    end
  end
  return ('<section class="verdict" aria-label="Verdict"><p class="first">%s</p>%s%s</section>'):format(
    page.escape(first_line(facts, delta)), tiles(facts, delta), table.concat(more))
end

return verdict
