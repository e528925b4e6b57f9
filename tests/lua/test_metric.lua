-- Metrics against values computed by hand, and the AUC against all pairs.

local lu = require "luaunit"
local metric = require "aniso.stats.metric"

local function assert_near(got, expected, tolerance)
  lu.assertAlmostEquals(got, expected, tolerance or 1e-12)
end

-- 10 images, 3 classes. Rows of the matrix: {3,1,0}, {1,2,0}, {1,0,2}.
local TRUE = { 0, 0, 0, 0, 1, 1, 1, 2, 2, 2 }
local PRED = { 0, 0, 0, 1, 1, 1, 0, 2, 2, 0 }

-- Fixed pseudo-probabilities with many ties (multiples of 1/8 before normalisation).
local function random_predictions(N, K)
  local true_, rows = {}, {}
  for i = 1, N do
    local row, sum = {}, 0
    true_[i] = (i * i + i // 3) % K
    for j = 1, K do
      row[j] = 1 + (i * 7 + j * 5 + i * j) % 8 + (true_[i] == j - 1 and i % 3 * 2 or 0)
      sum = sum + row[j]
    end
    for j = 1, K do row[j] = row[j] / sum end
    rows[i] = row
  end
  return true_, rows
end

local Counts = {}

function Counts.test_by_hand()
  local m = metric.evaluate { ["true"] = TRUE, pred = PRED, K = 3 }
  lu.assertEquals(m.confusion, { { 3, 1, 0 }, { 1, 2, 0 }, { 1, 0, 2 } })
  lu.assertEquals(m.n, 10)
  assert_near(m.acc, 0.7)
  assert_near(m.bacc, (3 / 4 + 2 / 3 + 2 / 3) / 3)
  assert_near(m.macro_recall, m.bacc)
  assert_near(m.macro_precision, (3 / 5 + 2 / 3 + 2 / 2) / 3)
  assert_near(m.macro_f1, (6 / 9 + 4 / 6 + 4 / 5) / 3)
  assert_near(m.class[1].recall, 3 / 4)
  assert_near(m.class[1].precision, 3 / 5)
  assert_near(m.class[1].f1, 2 / 3)
  assert_near(m.worst_class, 2 / 3)
  lu.assertEquals(m.worst_class_idx, 1)
  -- support {4,3,3}, predicted {5,3,2}: chance agreement (20+9+6)/100
  assert_near(m.kappa, (0.7 - 0.35) / (1 - 0.35))
  -- squared distances: observed 1 + 1 + 4; expected Σ (i−j)² support_i predicted_j / 10
  assert_near(m.kappa_quadratic, 1 - 6 / ((4 * 3 + 4 * 2 * 4 + 3 * 5 + 3 * 2 + 3 * 5 * 4 + 3 * 3) / 10))
  assert_near(m.mcc, (7 * 10 - 35) / math.sqrt((100 - 34) * (100 - 38)))
  lu.assertNil(m.auc)
  lu.assertNil(m.ece)
end

function Counts.test_groups_and_the_empty_group()
  local m = metric.evaluate { ["true"] = TRUE, pred = PRED, K = 3,
    shot = { "many", "few", "few" }, counts = { 500, 10, 7 } }
  assert_near(m.many, 3 / 4)
  assert_near(m.few, 2 / 3)
  lu.assertNil(m.medium)
  lu.assertEquals(m.class[2].n_train, 10)
  lu.assertEquals(m.class[3].shot, "few")
end

function Counts.test_class_without_images_is_not_zero()
  -- class 2 has no image but is predicted once; class 3 neither: f1 is 0, then n/a
  local m = metric.evaluate { ["true"] = { 0, 0, 1, 1 }, pred = { 0, 2, 1, 1 }, K = 4 }
  lu.assertNil(m.class[3].recall)
  assert_near(m.class[3].f1, 0)
  lu.assertNil(m.class[4].f1)
  lu.assertNil(m.class[4].precision)
  assert_near(m.bacc, (0.5 + 1) / 2)
  assert_near(m.macro_f1, (2 / 3 + 1 + 0) / 3)
  assert_near(m.worst_class, 0.5)
end

function Counts.test_never_predicted_class_has_macro_precision_zero()
  local m = metric.evaluate { ["true"] = { 0, 0, 1 }, pred = { 0, 0, 0 }, K = 2 }
  lu.assertNil(m.class[2].precision)
  assert_near(m.macro_precision, (2 / 3 + 0) / 2)
  assert_near(m.mcc, 0)
  assert_near(m.kappa, 0)
end

function Counts.test_one_class_only_has_no_kappa()
  local m = metric.evaluate { ["true"] = { 1, 1 }, pred = { 1, 1 }, K = 2 }
  lu.assertNil(m.kappa)
  lu.assertNil(m.mcc)
  assert_near(m.acc, 1)
end

function Counts.test_mcc_is_the_correlation_of_two_classes()
  local tp, fn, fp, tn = 6, 2, 1, 9
  local m = metric.from_confusion { { tp, fn }, { fp, tn } }
  assert_near(m.mcc, (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
end

local Probabilities = {}

function Probabilities.test_auc_equals_all_pairs()
  local K = 4
  local true_, rows = random_predictions(97, K)
  local m = metric.evaluate { ["true"] = true_, probs = rows }
  local sum = 0
  for j = 1, K do
    local ordered, pairs_ = 0, 0
    for a = 1, #rows do
      for b = 1, #rows do
        if true_[a] == j - 1 and true_[b] ~= j - 1 then
          local x, y = rows[a][j], rows[b][j]
          ordered = ordered + (x > y and 1 or x == y and 0.5 or 0)
          pairs_ = pairs_ + 1
        end
      end
    end
    assert_near(m.class[j].auc, ordered / pairs_)
    sum = sum + ordered / pairs_
  end
  assert_near(m.auc, sum / K)
end

function Probabilities.test_auc_skips_absent_classes_and_halves_ties()
  local m = metric.evaluate { ["true"] = { 0, 1, 0, 1 },
    probs = { { 0.5, 0.5, 0 }, { 0.5, 0.5, 0 }, { 0.5, 0.5, 0 }, { 0.25, 0.75, 0 } } }
  lu.assertNil(m.class[3].auc)
  lu.assertEquals(m.class_auc[3], false)
  assert_near(m.class[1].auc, (0.5 + 1 + 0.5 + 1) / 4)
  assert_near(m.auc, 0.75)
end

function Probabilities.test_nll_and_brier_by_hand()
  local m = metric.evaluate { ["true"] = { 0, 1 }, probs = { { 0.8, 0.2 }, { 1.0, 0.0 } } }
  assert_near(m.nll, (-math.log(0.8) - math.log(1e-12)) / 2)
  assert_near(m.brier, (0.04 + 0.04 + 1 + 1) / 2)
  lu.assertEquals(m.pred, { 0, 0 })
end

function Probabilities.test_ece_by_hand()
  -- confidences 0.55, 0.6 (right, wrong) in bin (0.5, 0.6]; 0.95 right; 1.0 right
  local m = metric.evaluate { bins = 10, ["true"] = { 0, 1, 0, 1 },
    probs = { { 0.55, 0.45 }, { 0.6, 0.4 }, { 0.95, 0.05 }, { 0, 1 } } }
  lu.assertEquals(#m.bins, 10)
  lu.assertEquals(m.bins[6].n, 2)
  lu.assertEquals(m.bins[6].n_correct, 1)
  assert_near(m.bins[6].sum_conf, 1.15)
  lu.assertEquals(m.bins[10].n, 2)
  assert_near(m.ece, (math.abs(1.15 - 1) + math.abs(1.95 - 2)) / 4)
  lu.assertEquals(#metric.evaluate({ ["true"] = { 0 }, probs = { { 1, 0 } } }).bins, 15)
end

function Probabilities.test_widths_per_class_and_per_image()
  local given = { ["true"] = { 0, 1 }, pred = { 0, 1 }, K = 2, width = { 0.1, 0.3 } }
  assert_near(metric.evaluate(given).interval_width, 0.2)
  given.width = { { 0.1, 0.2 }, { 0.3, 0.6 } }
  local m = metric.evaluate(given)
  lu.assertNil(m.agreement)
  assert_near(m.class[1].width, 0.2)
  assert_near(m.class[2].width, 0.4)
  assert_near(m.class_width[2], 0.4)
  given.agreement = { 1, 0.5 }
  assert_near(metric.evaluate(given).agreement, 0.75)
end

function Probabilities.test_tensors_are_accepted_like_lists()
  local core = require "aniso.core"
  local true_, rows = random_predictions(20, 3)
  local a = metric.evaluate { ["true"] = true_, probs = rows }
  local b = metric.evaluate { ["true"] = core.tensor.from(true_, "int64"),
    probs = core.tensor.from(rows) }
  lu.assertEquals(b.confusion, a.confusion)
  assert_near(b.nll, a.nll, 1e-6)
  assert_near(b.auc, a.auc, 1e-6)
end

local Mistakes = {}

function Mistakes.test_each_names_the_argument()
  local function assert_error(pattern, options)
    local ok, message = pcall(metric.evaluate, options)
    lu.assertFalse(ok)
    lu.assertStrContains(message, pattern)
  end
  assert_error("true[2] is 3", { ["true"] = { 0, 3 }, pred = { 0, 0 }, K = 3 })
  assert_error("pred has 1 entries, expected 2", { ["true"] = { 0, 1 }, pred = { 0 }, K = 3 })
  assert_error("row 2, class 0", { ["true"] = { 0, 1 }, probs = { { 1, 0 }, { 0 / 0, 1 } } })
  assert_error("row 2 has 1 numbers", { ["true"] = { 0, 1 }, probs = { { 1, 0 }, { 1 } } })
  assert_error("did you mean probs?", { ["true"] = { 0 }, prob = { { 1, 0 } } })
  assert_error("give probs", { ["true"] = { 0 } })
  assert_error("shot has 1 entries", { ["true"] = { 0 }, pred = { 0 }, K = 2, shot = { "many" } })
end

return { TestCounts = Counts, TestProbabilities = Probabilities, TestMistakes = Mistakes }
