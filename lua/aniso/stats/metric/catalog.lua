-- The metrics by name: what each measures, which direction is better, and the names that papers use.
local catalog = {}

-- Every number that can be stored or compared. `higher`: higher is better.
catalog.metrics = {
  { name = "acc", higher = true, label = "accuracy" },
  { name = "bacc", higher = true, label = "balanced accuracy: mean recall over classes" },
  { name = "macro_precision", higher = true, label = "mean precision over classes" },
  { name = "macro_recall", higher = true, label = "mean recall over classes" },
  { name = "macro_f1", higher = true, label = "mean F1 over classes" },
  { name = "many", higher = true, label = "mean recall, the head: classes with many images" },
  { name = "medium", higher = true, label = "mean recall, classes in between" },
  { name = "few", higher = true, label = "mean recall, the tail: classes with few images" },
  { name = "worst_class", higher = true, label = "lowest recall of a class" },
  { name = "kappa", higher = true, label = "Cohen's kappa" },
  { name = "kappa_quadratic", higher = true, label = "Cohen's kappa, quadratic weights" },
  { name = "mcc", higher = true, label = "Matthews' correlation" },
  { name = "auc", higher = true, label = "mean one-vs-rest area under the ROC curve" },
  { name = "auprc", higher = true, label = "mean one-vs-rest area under the precision-recall curve" },
  { name = "auprc_many", higher = true, label = "the same, classes with many images" },
  { name = "auprc_medium", higher = true, label = "the same, classes in between" },
  { name = "auprc_few", higher = true, label = "the same, classes with few images" },
  { name = "nll", higher = false, label = "mean negative log-likelihood, nats" },
  { name = "brier", higher = false, label = "Brier score, 0 … 2" },
  { name = "ece", higher = false, label = "expected calibration error" },
  { name = "interval_width", higher = false, label = "mean interval width over chains" },
  { name = "agreement", higher = true, label = "mean share of chains that agree" },
}

-- The names of the literature on long-tailed data, accepted wherever a metric is named.
catalog.aliases = { all = "acc", head = "many", tail = "few", auprc_head = "auprc_many",
  auprc_tail = "auprc_few" }

-- The names that people read. Databases, CSV and JSON have the stored names, `many` and `few`.
local PRINTED = { many = "head", few = "tail", auprc_many = "auprc_head", auprc_few = "auprc_tail" }

-- The printed name of a metric or of a group of classes.
function catalog.printed(name)
  return PRINTED[name] or name
end

-- Metrics that are not shares and make no sense in percent.
local NO_SHARE = { nll = true, brier = true, interval_width = true, loss = true, seconds = true }

-- Whether a metric is a share, which can be given in percent.
function catalog.is_share(name)
  return not NO_SHARE[name]
end

return catalog
