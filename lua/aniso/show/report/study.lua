-- A study as one HTML page: require "aniso.show.report.study" (facts, examples) → text, failure. facts: from
-- facts.lua; examples: markup of example images, nil to leave them out; failure: why the page lacks the
-- commands that reproduce a run, nil if it has them.
local core = require "aniso.core"
local curve = require "aniso.show.report.curve"
local levels = require "aniso.show.report.levels"
local matrix = require "aniso.show.report.matrix"
local operating = require "aniso.show.report.operating"
local overview = require "aniso.show.report.overview"
local page = require "aniso.show.report.page"
local recall = require "aniso.show.report.recall"
local reliability = require "aniso.show.report.reliability"
local risk = require "aniso.show.report.risk"
local samplers = require "aniso.show.report.samplers"
local settings = require "aniso.show.report.settings"
local training = require "aniso.show.report.training"
local verdict = require "aniso.show.report.verdict"
local warnings = require "aniso.show.report.warnings"

local function plural(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

-- The numbers of seeds and runs, and the first and last day.
local function counted(facts)
  local seeds, count, runs, first, last = {}, 0, 0, nil, nil
  for _, group in ipairs(facts.groups) do
    for _, member in ipairs(group.members) do
      if not seeds[member.seed] then seeds[member.seed], count = true, count + 1 end
      runs = runs + 1
    end
  end
  for _, run in ipairs(facts.runs) do
    local day = run.started_at:sub(1, 10)
    if not first or day < first then first = day end
    if not last or day > last then last = day end
  end
  return count, runs, first, last
end

local function lead(facts)
  local seeds, runs, first, last = counted(facts)
  local split, tested = facts.split, 0
  for _, class in ipairs(split.classes) do tested = tested + class.n_test end
  local out = { ("%s, %s, %s, on %s: %d classes, %d test images"):format(
    plural(#facts.groups, "configuration"), plural(seeds, "seed"), plural(runs, "run"),
    split.dataset, #split.classes, tested) }
  if split.width then out[#out + 1] = ("%d×%d pixels"):format(split.width, split.height) end
  if split.imbalance_factor then out[#out + 1] = ("imbalance %.3g"):format(split.imbalance_factor) end
  return ("%s. %s."):format(table.concat(out, ", "), first == last and first or first .. " to " .. last)
end

-- option: the one along which the curve is drawn, or nil.
local function curve_name(option)
  if not option then return "Results by configuration" end
  return option:match "^schedule%.lambda" and "λ curve" or "Curve over " .. option
end

return function(facts, examples)
  facts:read_predictions()
  local drawn, option = curve(facts)
  local sections = {
    page.section("warnings", "Warnings", warnings(facts)),
    page.section("summary", "Summary", { overview.table(facts), overview.deltas(facts) }),
    page.section("curve-of", curve_name(option), drawn),
    page.section("noise", "Noise levels", levels(facts)),
    page.section("classes", "Recall per class", recall(facts)),
    page.section("operating", "Operating curves", operating(facts)
      or page.paragraph "No configuration has stored predictions of a head and a tail."),
    page.section("confusion", "Confusion", matrix(facts)),
    page.section("calibration", "Reliability", reliability(facts)),
  }
  local selective = risk(facts)
  if selective then sections[#sections + 1] = page.section("risk", "Abstention", selective) end
  sections[#sections + 1] = page.section("training", "Training", training(facts))
  local cost = samplers(facts)
  if cost then sections[#sections + 1] = page.section("samplers", "Samplers", cost) end
  if examples then sections[#sections + 1] = page.section("examples", "Example images", examples) end
  sections[#sections + 1] = page.section("options", "Configuration differences", settings.differences(facts))
  local repetition, failure = settings.repetition(facts)
  sections[#sections + 1] = page.section("repeat", "How to repeat", repetition)
  return page.whole { title = "Study " .. facts.name, lead = lead(facts), opening = verdict.text(facts),
    sections = sections, footer = ("Made by aniso %s from %s. Intervals are 95 %%; the numbers are those of "
      .. "aniso table and aniso compare."):format(core.sys.version, facts.db.path:match "[^/]*$") }, failure
end
