-- Ranking: areas against a count of all pairs and of all thresholds, packed rows, and what is refused.

local core = require "aniso.core"
local lu = require "luaunit"
local ranking = require "aniso.stats.metric.ranking"

local T = {}

local K = 4

-- Scores in steps of a quarter, so that many are equal; no image has the class 2.
local function images(n)
  local true_, rows, packed = {}, {}, {}
  for i, u in ipairs(core.rng.below(3, "ranking", 0, n * K, 5)) do
    local at = (i - 1) // K + 1
    rows[at] = rows[at] or {}
    rows[at][(i - 1) % K + 1] = (u - 1) / 4
    true_[at] = ({ 0, 1, 3 })[at % 3 + 1]
  end
  for i, row in ipairs(rows) do packed[i] = ("<" .. ("f"):rep(K)):pack(table.unpack(row)) end
  return true_, rows, table.concat(packed)
end

-- Of all pairs of an image of the class and one of another, those in order.
local function by_pairs(true_, rows, k)
  local ordered, n = 0, 0
  for i, a in ipairs(rows) do
    for j, b in ipairs(rows) do
      if true_[i] == k and true_[j] ~= k then
        n = n + 1
        ordered = ordered + (a[k + 1] > b[k + 1] and 1 or a[k + 1] == b[k + 1] and 0.5 or 0)
      end
    end
  end
  return n > 0 and ordered / n
end

-- The recall that each threshold adds times the precision at it, from the highest threshold down.
local function by_thresholds(true_, rows, k)
  local area, before, total = 0, 0, 0
  for _, class in ipairs(true_) do total = total + (class == k and 1 or 0) end
  for step = 4, 0, -1 do
    local hits, called = 0, 0
    for i, row in ipairs(rows) do
      if row[k + 1] >= step / 4 then
        called = called + 1
        hits = hits + (true_[i] == k and 1 or 0)
      end
    end
    if hits > before then area = area + (hits - before) / total * hits / called end
    before = hits
  end
  return total > 0 and area
end

function T.test_areas()
  local true_, rows, packed = images(90)
  local of = ranking.of(true_, rows, K)
  for k = 0, K - 1 do
    local roc, precision = by_pairs(true_, rows, k), by_thresholds(true_, rows, k)
    if k == 2 then
      lu.assertEquals({ roc, precision, of.class_auc[3], of.class_auprc[3] }, { false, false, false, false })
    else
      lu.assertAlmostEquals(of.class_auc[k + 1], roc, 1e-12)
      lu.assertAlmostEquals(of.class_auprc[k + 1], precision, 1e-12)
    end
  end
  lu.assertAlmostEquals(of.auc, (of.class_auc[1] + of.class_auc[2] + of.class_auc[4]) / 3, 1e-12)
  lu.assertAlmostEquals(of.auprc, (of.class_auprc[1] + of.class_auprc[2] + of.class_auprc[4]) / 3, 1e-12)
  lu.assertEquals(ranking.of(true_, packed, K), of)
  local groups = ranking.auprc_of_groups(of.class_auprc, { "many", "medium", "medium", "few" })
  lu.assertEquals(groups, { auprc_many = of.class_auprc[1], auprc_medium = of.class_auprc[2],
    auprc_few = of.class_auprc[4] })
end

function T.test_one_class_alone()
  local of = ranking.of({ 1, 1 }, { { 0.2, 0.8 }, { 0.6, 0.4 } }, 2)
  lu.assertEquals({ of.class_auc, of.class_auprc }, { { false, false }, { false, 1 } })
  lu.assertNil(of.auc)
  lu.assertEquals(of.auprc, 1)
  lu.assertEquals(ranking.of({}, {}, 2), { class_auc = { false, false }, class_auprc = { false, false } })
end

function T.test_what_is_refused()
  local true_, rows = { 0, 1 }, { { 0.5, 0.5 }, { 0.1, 0.9 } }
  local function refused(text, ...) lu.assertErrorMsgContains(text, core.ranked.areas, ...) end
  refused("element 2: an integer from 0 to 1", { 0, 2 }, rows, 2)
  refused("element 2: an integer from 0 to 1", { 0, -1 }, rows, 2)
  refused("element 2: an integer from 0 to 1", { 0, 0.5 }, rows, 2)
  refused("a row per image", true_, { rows[1] }, 2)
  refused("a number per class", true_, { rows[1], { 0.5 } }, 2)
  refused("a number per class", true_, { rows[1], { 0.5, "0.5" } }, 2)
  refused("a list of rows", true_, { rows[1], 3 }, 2)
  refused("a float32 per class", true_, "123456789012345", 2)
  refused("a row per image", true_, "12345678", 2)
  refused("K = 0", true_, rows, 0)
  refused("a list of rows", true_, nil, 2)
  refused("table expected", nil, rows, 2)
end

return { TestRanking = T }
