-- The tests of a cross-validation: the corrected resampled t test against its formula, how often it errs
-- in simulations, and the bootstrap that draws whole clusters and seeds.
local lu = require "luaunit"
local core = require "aniso.core"
local bootstrap = require "aniso.stats.bootstrap"
local significance = require "aniso.stats.metric.significance"
local fixture = dofile "tests/lua/store_fixture.lua"
local own = dofile "tests/lua/independent.lua"

local T = {}

function T.test_the_formula()
  local d, ratio = { 0.02, 0.05, -0.01, 0.04, 0.03, 0.06 }, 2 / 7
  local test = significance.corrected_t(d, ratio)
  local n, mean, sd = own.moments(d)
  local se = math.sqrt((1 / n + ratio) * sd * sd)
  lu.assertAlmostEquals(test.se, se, 1e-15)
  lu.assertAlmostEquals(test.t, mean / se, 1e-12)
  lu.assertEquals(test.df, 5)
  lu.assertAlmostEquals(test.p, own.student(mean / se, 5), 1e-6)
  lu.assertAlmostEquals(own.student((test.hi - test.mean) / se, 5), 0.05, 1e-6)
  lu.assertAlmostEquals(test.mean - test.lo, test.hi - test.mean, 1e-15)
  lu.assertAlmostEquals(significance.corrected_t(d, ratio, 0.95, 0.1).t, 0.1 / se, 1e-12)
  -- without the correction it is the paired t test
  local plain = significance.paired_t({ 0, 0, 0, 0, 0, 0 }, d)
  lu.assertAlmostEquals(significance.corrected_t(d, 0).t, plain.t, 1e-12)
  lu.assertNil(significance.corrected_t({ 0.1, 0.1, 0.1 }, 0.25).p)
end

-- Standard normal numbers at addresses of their own.
local function normals(seed, n)
  local out, list = {}, core.rng.below(seed, "test", 1, 2 * n, 1 << 30)
  for i = 1, n do
    local u, v = list[2 * i - 1] / (1 << 30), list[2 * i] / (1 << 30)
    out[i] = math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)
  end
  return out
end

-- How often the test finds a difference that is not there. A difference of fold i and seed j is a_i + c +
-- e_ij: what the fold's images do, what all folds share since their training images overlap (correlation
-- n_test/(n_test + n_train), as Nadeau and Bengio assume), and the seed. apart: seeds as estimates of
-- their own, which stats/paired.lua avoids.
local function share_found(folds, seeds, of_seed, trials, apart)
  local ratio, found = 1 / (folds - 1), 0
  local rho = ratio / (1 + ratio)
  for trial = 1, trials do
    local z, d = normals(trial, 1 + folds + folds * seeds), {}
    for i = 1, folds do
      local sum = 0
      for j = 1, seeds do
        local one = math.sqrt(rho) * z[1] + math.sqrt(1 - rho) * z[1 + i]
          + of_seed * z[1 + folds + (i - 1) * seeds + j]
        if apart then d[#d + 1] = one end
        sum = sum + one
      end
      if not apart then d[#d + 1] = sum / seeds end
    end
    local p = significance.corrected_t(d, ratio).p
    found = found + (p < 0.05 and 1 or 0)
  end
  return found / trials
end

-- 0.05 and what 2,000 trials vary by.
function T.test_a_difference_that_is_not_there_is_found_in_one_of_twenty()
  lu.assertTrue(share_found(5, 1, 0, 2000) < 0.065)  -- folds alone
  lu.assertTrue(share_found(5, 3, 0, 2000) < 0.065)  -- seeds change nothing: the hardest case
  lu.assertTrue(share_found(5, 3, 1, 2000) < 0.05)
  lu.assertTrue(share_found(10, 10, 0.5, 2000) < 0.065)
  lu.assertTrue(share_found(5, 3, 0, 2000, true) > 0.15)
end

function T.test_and_one_that_is_there_is_found()
  local found = 0
  for trial = 1, 200 do
    local z, d = normals(trial, 15), {}
    for i = 1, 15 do d[i] = 1 + 0.3 * z[i] end
    found = found + (significance.corrected_t(d, 0.25).p < 0.05 and 1 or 0)
  end
  lu.assertTrue(found > 190)
end

-- ── the bootstrap ───────────────────────────────────────────────────────────────────────
local function data(n)
  local true_, pred, draw = {}, {}, core.rng.below(3, "test", 2, 2 * n, 100)
  for i = 1, n do
    true_[i] = draw[2 * i] <= 70 and 0 or 1
    pred[i] = draw[2 * i - 1] <= 75 and true_[i] or 1 - true_[i]
  end
  return true_, pred
end

-- Clusters of one image each give the same numbers as none.
function T.test_clusters_of_one_image_change_nothing()
  local t, p = data(60)
  local own_cluster = {}
  for i = 1, 60 do own_cluster[i] = 1000 + i end
  local options = { draws = 50, shot = { "many", "few" } }
  local plain = bootstrap.samples(t, { p }, 2, options)
  options.clusters = own_cluster
  lu.assertEquals(bootstrap.samples(t, { p }, 2, options), plain)
end

-- Resample r draws as many clusters as there are; its images are all of theirs.
function T.test_a_cluster_is_drawn_as_a_whole()
  local t, p = data(60)
  local cluster, members, numbers = {}, {}, {}
  for i = 1, 60 do
    cluster[i] = "c" .. (i * i) % 13
    if not members[cluster[i]] then members[cluster[i]], numbers[#numbers + 1] = {}, cluster[i] end
    table.insert(members[cluster[i]], i)
  end
  local options = { draws = 30, shot = { "many", "few" }, clusters = cluster }
  local drawn = bootstrap.samples(t, { p }, 2, options)[1].drawn
  for r = 1, 30 do
    local truth, called = {}, {}
    for _, which in ipairs(core.rng.below(0, "bootstrap", r, #numbers, #numbers)) do
      for _, i in ipairs(members[numbers[which]]) do truth[#truth + 1], called[#called + 1] = t[i], p[i] end
    end
    local rates = own.rates(own.matrix(truth, called, 2), { "many", "few" })
    for _, name in ipairs { "acc", "bacc", "macro_f1", "many", "few" } do
      lu.assertAlmostEquals(drawn[name][r] or 0, rates[name] or 0, 1e-12, name .. r)
    end
  end
end

-- Ten copies of each image are not more information than one.
function T.test_copies_in_a_cluster_do_not_narrow_the_interval()
  local t, p = data(80)
  local many_t, many_p, cluster = {}, {}, {}
  for i = 1, 80 do
    for _ = 1, 10 do many_t[#many_t + 1], many_p[#many_p + 1], cluster[#cluster + 1] = t[i], p[i], i end
  end
  local single = bootstrap.interval(t, p, 2, { draws = 300 }).acc
  local copies = bootstrap.interval(many_t, many_p, 2, { draws = 300, clusters = cluster }).acc
  local ignored = bootstrap.interval(many_t, many_p, 2, { draws = 300 }).acc
  lu.assertEquals({ copies.lo, copies.hi }, { single.lo, single.hi })
  lu.assertTrue(ignored.hi - ignored.lo < 0.5 * (single.hi - single.lo))
end

-- How often the interval over images and seeds has the true difference 0: predictions of two
-- configurations that are right on each image by the same chance.
function T.test_the_interval_over_images_and_seeds_covers()
  local trials, covered = 60, 0
  for trial = 1, trials do
    local n, S = 80, 4
    local draw = core.rng.below(trial, "test", 5, 2 * S * n, 1000)
    local t, lists, weights, of = {}, {}, {}, {}
    for i = 1, n do t[i] = i % 2 end
    for k = 1, 2 * S do
      lists[k], weights[k], of[k] = {}, (k % 2 == 1 and -1 or 1) / S, (k + 1) // 2
      for i = 1, n do lists[k][i] = draw[(k - 1) * n + i] <= 750 and t[i] or 1 - t[i] end
    end
    local acc = bootstrap.combined(bootstrap.samples(t, lists, 2, { draws = 200 }), weights, 0.95,
      { of = of, draws = 200, seed = 0 }).acc
    covered = covered + (acc.lo <= 0 and acc.hi >= 0 and 1 or 0)
  end
  lu.assertTrue(covered / trials > 0.85)
end

-- A test prior takes its shares from the training images of all folds: here 300 and 60 of 360.
function T.test_a_test_prior_of_folds()
  local db <close> = fixture.new()
  local matrices = { { { 8, 2 }, { 1, 3 } }, { { 9, 1 }, { 2, 2 } }, { { 7, 3 }, { 0, 4 } } }
  for fold, n_train in ipairs { { 100, 10 }, { 80, 30 }, { 120, 20 } } do
    local of = fixture.description { study = "s", label = "a", name = "a", fold = fold - 1 }
    of.split.sha256, of.split.folds, of.split.fold_set = "fold" .. fold, 3, "set"
    of.split.n_train = n_train
    local run = db:start_run(of)
    run:evaluation(fixture.evaluation(matrices[fold]))
    run:finish()
  end
  local metrics = db:groups("s")[1].members[1].metrics
  lu.assertAlmostEquals(metrics["acc@uniform"], (24 / 30 + 9 / 12) / 2, 1e-12)
  lu.assertAlmostEquals(metrics["acc@reversed"], (60 * 24 / 30 + 300 * 9 / 12) / 360, 1e-12)
end

return T
