-- One rung of successive halving (1502.07943): which candidates continue, and which one wins.
--   halving.rung(entries, {higher =, eta =, last =}) → verdict
-- entries, in a fixed order: {scores = one number per seed, the same seeds for all; nil if the candidate
-- failed, spread = how far its levels are from equal, ≥ 0, reference = true for the isotropic one}.
-- verdict: {order = indices of those with scores, the best mean first, rows = per entry {mean, delta, se},
-- nil if it failed, kept = indices in the order of the entries, winner = index or nil}.
--
-- Candidates are ordered by their means; of equal means the smaller spread comes first, then the earlier
-- entry. All entries have the same seeds, so means over seeds and means of paired differences give the same
-- order.
-- A rung that is not the last keeps one in eta of the candidates, rounded up, and the reference.
-- The last rung has a winner: of all candidates whose mean paired difference to the best one is at most its
-- standard error, the one with the smallest spread. With one seed there is no standard error, and the best
-- one wins. If an earlier rung keeps only one candidate, that one wins, without this rule.
local significance = require "aniso.stats.metric.significance"

local halving = {}

-- Mean and standard error of a − b over the seeds; the error is nil for one seed.
local function paired(a, b)
  local differences = {}
  for s, value in ipairs(a) do differences[s] = value - b[s] end
  local moments = significance.mean_sd(differences)
  return moments.mean, moments.sd and moments.sd / math.sqrt(moments.n)
end

local function means_of(entries)
  local out = {}
  for i, entry in ipairs(entries) do out[i] = entry.scores and significance.mean_sd(entry.scores).mean end
  return out
end

-- Indices of the entries with scores, the best first.
local function ordered(entries, means, higher)
  local order = {}
  for i in ipairs(entries) do
    if means[i] then order[#order + 1] = i end
  end
  table.sort(order, function(i, j)
    if means[i] ~= means[j] then return (means[i] > means[j]) == higher end
    if entries[i].spread ~= entries[j].spread then return entries[i].spread < entries[j].spread end
    return i < j
  end)
  return order
end

local function rows_of(entries, means)
  local rows, reference = {}, nil
  for _, entry in ipairs(entries) do reference = reference or entry.reference and entry.scores end
  for i, entry in ipairs(entries) do
    if means[i] then
      rows[i] = { mean = means[i] }
      if reference and not entry.reference then
        rows[i].delta, rows[i].se = paired(entry.scores, reference)
      end
    end
  end
  return rows
end

-- Of those within one standard error of the best, the one whose levels are nearest to equal.
local function nearest_to_equal(entries, order, higher)
  local best, winner = order[1], order[1]
  for k = 2, #order do
    local i = order[k]
    local lead, error_of = paired(entries[best].scores, entries[i].scores)
    if error_of and (higher and lead or -lead) <= error_of and entries[i].spread < entries[winner].spread then
      winner = i
    end
  end
  return winner
end

local function survivors(entries, order, eta)
  local stays, kept = {}, {}
  for k = 1, math.ceil(#order / eta) do stays[order[k]] = true end
  for i, entry in ipairs(entries) do
    if stays[i] or entry.reference and entry.scores then kept[#kept + 1] = i end
  end
  return kept
end

function halving.rung(entries, how)
  local means = means_of(entries)
  local order = ordered(entries, means, how.higher)
  local verdict = { order = order, rows = rows_of(entries, means), kept = {} }
  if #order == 0 then return verdict end
  if how.last then
    verdict.winner = nearest_to_equal(entries, order, how.higher)
    verdict.kept = { verdict.winner }
  else
    verdict.kept = survivors(entries, order, how.eta)
    verdict.winner = #verdict.kept == 1 and verdict.kept[1] or nil
  end
  return verdict
end

return halving
