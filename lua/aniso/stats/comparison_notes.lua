-- The sentences that accompany a comparison: where there is too little data for a statement, what could
-- not be tested and why, and which differences are within noise.
local paired = require "aniso.stats.paired"
local pruning = require "aniso.stats.pruning"
local enough = paired.enough
local printed = require("aniso.stats.metric.catalog").printed
local noise = require "aniso.stats.noise"

local MOST_SHOWN = require("aniso.stats.metric.confusion").MOST_SHOWN

local NAMED = 12 -- rare classes in a note

local notes = {}

-- +0.012, and 0.000 for a value that rounds to zero.
function notes.signed(value)
  return (("%+.3f"):format(value):gsub("^[+-]0%.000$", "0.000"))
end

-- "df 6, vasc 7", the rarest first and at most NAMED of them, and how much one image is worth.
local function rare_classes(result, add)
  local rare, fewest, place = {}, math.huge, {}
  for i, class in ipairs(result.classes) do
    if class.support > 0 and class.support < enough.images then
      rare[#rare + 1], fewest, place[class] = class, math.min(fewest, class.support), i
    end
  end
  if #rare == 0 then return end
  table.sort(rare, function(a, b)
    if a.support ~= b.support then return a.support < b.support end
    return place[a] < place[b]
  end)
  local texts = {}
  for i = 1, math.min(NAMED, #rare) do texts[i] = ("%s %d"):format(rare[i].name, rare[i].support) end
  if #rare > NAMED then texts[NAMED + 1] = ("and %d more classes"):format(#rare - NAMED) end
  add("few test images (%s; fewer than %d): one image is up to %.2f of a recall", table.concat(texts, ", "),
    enough.images, 1 / fewest)
end

-- The incomplete folds of a group, for each seed.
local function about_folds(group, add)
  local lacking = {}
  for i, member in ipairs(group.incomplete or {}) do
    lacking[i] = ("seed %d has %d/%d"):format(member.seed, #member.parts, member.folds)
  end
  if #lacking > 0 then
    add("%s: incomplete folds are not compared (%s)", group.label, table.concat(lacking, ", "))
  end
end

-- Why a group has fewer seeds than others.
local function about_pruning(group, add)
  if group.pruned then
    add("%s has fewer seeds because it was pruned %s", group.label, pruning.sentence(group.pruned))
  end
end

local function seeds_of(pair)
  local list = {}
  for i, two in ipairs(pair.seeds) do list[i] = two[1] end
  return table.concat(list, ", ")
end

local function about_seeds(first, second, pair, add)
  local n = #pair.seeds
  if pair.unpaired and n == 0 and first.run.fold and paired.same_images(first, second) then
    add("%s and %s have no seed with all folds in both: nothing is compared", pair.label, pair.baseline)
    return
  end
  if pair.unpaired and n == 0 then
    add("%s and %s have no pair of runs: Δ is the difference of the means, and nothing is tested",
      pair.label, pair.baseline)
    return
  end
  if first.run.fold then
    add("%s: the test over folds and seeds is the corrected resampled t test (%d folds, %d %s each)",
      pair.label, first.run.folds, n, n == 1 and "seed" or "seeds")
    return
  end
  if #first.members == 1 and #second.members == 1 then
    local a, b = pair.seeds[1][1], pair.seeds[1][2]
    add("%s: one run each: another seed may reverse the difference", pair.label)
    if a ~= b then
      add("%s: seed %d against seed %d, so Δ includes the variation of both", pair.label, b, a)
    end
    return
  end
  if n < #first.members or n < #second.members then
    add("%s: Δ is over the seeds that both have (%s)", pair.label, seeds_of(pair))
  end
  if n < enough.seeds then
    add("%s: %d paired %s too few for a test over seeds: at least %d", pair.label, n,
      n == 1 and "seed is" or "seeds are", enough.seeds)
  end
end

local function about_images(pair, add)
  if pair.unpaired then
    add("%s: no test over images: %s", pair.label, pair.unpaired)
    return
  end
  local seeds, counts = {}, {}
  for _, test in ipairs(pair.mcnemar) do
    if test.b + test.c < enough.discordant then
      seeds[#seeds + 1], counts[#counts + 1] = test.second, test.b + test.c
    end
  end
  if #seeds > 0 then
    add("%s: at seed %s only %s of %d images are right in one and wrong in the other: too few for McNemar",
      pair.label, table.concat(seeds, ", "), table.concat(counts, ", "), pair.n)
  end
end

-- The verdict on what matters most, in one sentence.
local function verdict(result, k, add)
  local pair, out = result.pairs[k], {}
  for _, one in ipairs(result.metrics) do
    local delta = one.delta[k]
    if delta.mean and (one.name == "acc" or one.name == "macro_f1" or one.name == "few") then
      out[#out + 1] = ("%s %s (%s)"):format(printed(one.name), notes.signed(delta.mean),
        noise.judge(delta, pair.intervals and pair.intervals[one.name]).verdict)
    end
  end
  if #out > 0 then add("%s against %s: %s", pair.label, pair.baseline, table.concat(out, ", ")) end
end

-- → list of sentences
function notes.of(result)
  local out, first = {}, result.groups[1]
  local function add(...) out[#out + 1] = string.format(...) end
  for k = 2, #result.groups do verdict(result, k, add) end
  for _, group in ipairs(result.groups) do
    about_folds(group, add)
    about_pruning(group, add)
  end
  for k = 2, #result.groups do
    about_seeds(first, result.groups[k], result.pairs[k], add)
    about_images(result.pairs[k], add)
  end
  rare_classes(result, add)
  if #result.classes > MOST_SHOWN then
    add("the matrices of %d classes are not compared, at most %d are", #result.classes, MOST_SHOWN)
  end
  if #result.groups > 2 then
    add("%d comparisons with one baseline: intervals and p are not corrected for that", #result.groups - 1)
  end
  for _, group in ipairs(result.groups) do
    for _, run in ipairs(group.runs) do
      if run.test_is_val == 1 then
        add "validation and test are the same images: what was selected was selected on them"
        return out
      end
    end
  end
  return out
end

return notes
