-- The judgement of a difference: each branch of the rule, and the sentence of the report and the note of
-- `aniso compare` for the same runs.
local lu = require "luaunit"
local bootstrap = require "aniso.stats.bootstrap"
local noise = require "aniso.stats.noise"
local quantile = require "aniso.stats.quantile"
local verdict = require "aniso.show.report.verdict"
local markup = dofile "tests/lua/markup.lua"
local report = dofile "tests/lua/report_fixture.lua"
local store = dofile "tests/lua/store_fixture.lua"
local every = store.every

-- Wrong on 17 or 16 images, other ones than every(6).
local function between(last)
  return function(i) return i % 6 == 3 and i <= last end
end

local IMAGES, SEEDS = "beyond the variation over images; seeds untested",
  "beyond the variation over seeds; images untested"
local FIRST_SIX = { every(4), every(4), every(4) }

-- {what the seeds show, what the images show, judgement, errors of the baseline and of the other per seed}.
-- "untested" images have no stored predictions. There are 120 images.
local CASES = {
  { "few", "untested", "untested", { every(2) }, { every(20) } },
  { "few", "excludes", IMAGES, { every(2) }, { every(20) } },
  { "few", "contains", "within noise", { every(10) }, { every(10, 5) } },
  { "zero", "untested", "within noise", FIRST_SIX, { every(4, 1), every(4, 2), every(4, 3) } },
  { "constant", "untested", "untested", FIRST_SIX, { every(10), every(10), every(10) } },
  { "constant", "excludes", IMAGES, FIRST_SIX, { every(10), every(10), every(10) } },
  { "contains", "untested", "within noise", FIRST_SIX, { every(5), every(3), every(4) } },
  { "contains", "excludes", "within noise", { every(2), every(3), every(4) },
    { every(20), every(6), every(8) } },
  { "excludes", "untested", SEEDS, FIRST_SIX, { every(10), every(12), every(15) } },
  { "excludes", "excludes", "beyond noise", FIRST_SIX, { every(10), every(12), every(15) } },
  { "excludes", "contains", "within noise", { every(6), every(6), every(6) },
    { between(102), between(102), between(96) } },
  { "unpaired", "untested", "untested", FIRST_SIX, { every(10), every(10), every(10) }, other_split = true },
}

local function stored(case)
  local db = store.new()
  for side, label in ipairs { "base", "other" } do
    for seed, wrong in ipairs(case[3 + side]) do
      local split = store.description().split
      split.sha256 = case.other_split and label or split.sha256
      store.record(db, label, seed, wrong, { silent = case[2] == "untested", split = split })
    end
  end
  return db
end

local T = {}

function T.test_the_report_and_compare_give_the_judgement_of_the_rule()
  for number, case in ipairs(CASES) do
    local db <close> = stored(case)
    local facts = report.facts_of(db, { metric = "acc", baseline = "base" })
    local over_images = (facts:images(facts.other, facts.metric).intervals or {}).acc
    local judged = noise.judge(facts:delta(facts.other), over_images)
    lu.assertEquals(judged, { seeds = case[1], images = case[2], verdict = case[3] }, number)
    local note = assert(db:compare { "base", "other" }).notes[1]
    lu.assertStrContains(note, "other against base: acc ", number)
    lu.assertEquals(note:match "acc [-+.%d]+ %((.-)%)", case[3], number)
    local seen = markup.text(markup.read(verdict.text(facts)))
    local lead = case[3]:gsub("^%l", string.upper)
    lu.assertStrContains(seen, lead .. ": ", number)
    for _, other in ipairs { "Within noise", "Beyond noise", "Beyond the variation", "Untested" } do
      lu.assertEquals(seen:find(other .. "[:; ]") ~= nil, lead:find(other, 1, true) == 1, number)
    end
  end
end

-- A new state or judgement without a case fails here.
function T.test_every_branch_has_a_case()
  local seen = {}
  for _, case in ipairs(CASES) do
    for column = 1, 3 do seen[column .. case[column]] = true end
  end
  for column, states in ipairs { { "unpaired", "few", "zero", "constant", "contains", "excludes" },
    { "untested", "contains", "excludes" },
    { "within noise", "beyond noise", SEEDS, IMAGES, "untested" } } do
    for _, state in ipairs(states) do
      lu.assertTrue(seen[column .. state], state)
      seen[column .. state] = nil
    end
  end
  lu.assertEquals(seen, {})
end

-- The definition, independently: the inverse of the piecewise linear function through ((k − 1)/(n − 1), x_k).
function T.test_the_quantile_is_the_linear_one()
  local sorted = { -1, 0.5, 2, 2, 7 }
  local function inverse(share)
    for k = 1, 4 do
      local from, to = (k - 1) / 4, k / 4
      if share <= to then return sorted[k] + (share - from) / (to - from) * (sorted[k + 1] - sorted[k]) end
    end
  end
  for _, share in ipairs { 0, 0.05, 0.25, 0.4, 0.5, 0.77, 0.975, 1 } do
    lu.assertAlmostEquals(quantile(sorted, share), inverse(share), 1e-12)
  end
  lu.assertEquals(quantile({ 3 }, 0.4), 3)
end

-- The bootstrap's bounds are quantiles of its resamples.
function T.test_the_bootstrap_takes_it()
  local true_, pred = { 0, 0, 0, 1, 1 }, { 0, 1, 0, 1, 0 }
  local how = { draws = 40, level = 0.9, seed = 3 }
  local drawn = bootstrap.samples(true_, { pred }, 2, how)[1].drawn.acc
  table.sort(drawn)
  local interval = bootstrap.interval(true_, pred, 2, how).acc
  lu.assertEquals({ interval.lo, interval.hi }, { quantile(drawn, 0.05), quantile(drawn, 0.95) })
end

return { Noise = T }
