-- The data of a report, read once: the groups of a study, its baseline and its best group, and what is
-- stored of their evaluations. Every figure takes its numbers from here; `aniso table` and `aniso compare`
-- use the same functions of stats/.
--   facts.new(db, name, groups, runs, {metric = key, baseline = label}) → facts
-- facts.base, facts.best; facts.other: the best other than the baseline, nil if there is none.
local confusions = require "aniso.stats.metric.confusion"
local groups_of = require "aniso.store.groups"
local keys = require "aniso.store.keys"
local member_predictions = require "aniso.store.member_predictions"
local members = require "aniso.store.members"
local paired = require "aniso.stats.paired"
local paired_images = require "aniso.stats.paired_images"
local resampler = require "aniso.stats.resampler"
local stats = require "aniso.stats.groups"

local facts = { value = groups_of.value }
facts.__index = facts

local BASELINE_STYLE, OTHER_STYLE = 7, 1
local MOST_LINES = 8 -- lines named in a chart, as many as there are colours

-- The names of metrics as used in sentences.
local WORDS = { macro_f1 = "macro F1", acc = "accuracy", bacc = "balanced accuracy", many = "head recall",
  medium = "medium recall", few = "tail recall", worst_class = "recall of the worst class", nll = "NLL",
  ["tail@head=0.9"] = "tail recall at head recall 0.90", ece = "calibration error",
  auc = "AUC", kappa = "κ", mcc = "MCC" }

function facts.words(metric)
  return WORDS[metric] or metric
end

-- The group with the best mean of a metric, `except` excluded; nil if none has it.
local function best_of(self, metric, higher, except)
  local best, top
  for _, group in ipairs(self.groups) do
    local mean = stats.of(group, metric).mean
    local is_better = mean and (not top or higher and mean > top or not higher and mean < top)
    if is_better and group ~= except then best, top = group, mean end
  end
  return best
end

-- A colour for each group: grey for the baseline, the first for the best other, the rest in their order.
local function give_styles(self)
  local next_style = 2
  for _, group in ipairs(self.groups) do
    if group == self.base then
      group.style = BASELINE_STYLE
    elseif group == self.other then
      group.style = OTHER_STYLE
    else
      group.style = next_style
      next_style = next_style == 6 and 8 or next_style == 8 and 2 or next_style + 1
    end
  end
end

function facts.new(db, name, groups, runs, how)
  local self = setmetatable({ db = db, name = name, groups = groups, runs = runs, catalog = keys.new(db),
    cached = {}, resampler = resampler.new() }, facts)
  groups_of.distinguish(groups, self.catalog)
  local key = self.catalog:key(how and how.metric or "macro_f1")
  if key.kind ~= "metric" then
    error(("--by takes a metric, and %s is not a metric"):format(key.name), 0)
  end
  self.metric, self.words_of, self.higher = key.metric, facts.words(key.metric), key.higher
  self.base = groups_of.baseline(db, groups, how and how.baseline)
  self.other = best_of(self, self.metric, self.higher, self.base)
  self.best = best_of(self, self.metric, self.higher)
  give_styles(self)
  self.split = assert(db:split_of(groups[1].run))
  self.one_split = true
  for _, group in ipairs(groups) do
    self.one_split = self.one_split and paired.same_images(group, groups[1])
  end
  return self
end

-- The names of the options that differ, sorted.
function facts:differing()
  if not self.differ then
    local runs = {}
    for i, group in ipairs(self.groups) do runs[i] = group.run end
    self.differ = self.catalog:varying(runs)
  end
  return self.differ
end

-- Calls make() once per name and group or member, and caches the result.
local function cached(self, what, of, make)
  local own = self.cached[what] or {}
  self.cached[what] = own
  if own[of] == nil then own[of] = make() end
  return own[of]
end

-- Whether a chart with a line for each group names this one: all if they are few; else the baseline, the best
-- other one and the chart's own best.
function facts:is_named(group, best)
  return #self.groups <= MOST_LINES or group == self.base or group == self.other or group == best
end

function facts:moments(group, metric)
  return stats.of(group, metric or self.metric)
end

-- Per class, in class order: {name, n_train, shot, recall = {n, mean, sd, values, seeds}}.
function facts:classes(group)
  return cached(self, "classes", group, function()
    local out = {}
    for _, member in ipairs(group.members) do
      for j, class in ipairs(members.classes(self.db, member, false)) do
        out[j] = out[j] or { name = class.class, n_train = class.n_train, shot = class.shot, values = {},
          seeds = {} }
        if class.recall then
          table.insert(out[j].values, class.recall)
          table.insert(out[j].seeds, member.seed)
        end
      end
    end
    for _, class in ipairs(out) do
      class.recall = stats.moments(class.values)
      class.recall.values, class.recall.seeds = class.values, class.seeds
    end
    return out
  end)
end

-- Counts summed over the seeds, true classes down.
function facts:confusion(group)
  return cached(self, "confusion", group, function()
    local matrices = {}
    for i, member in ipairs(group.members) do
      matrices[i] = members.confusion(self.db, member)
    end
    return confusions.sum(matrices)
  end)
end

-- Bins of the calibration error, summed over the seeds; an empty list if none are stored.
function facts:bins(group)
  return cached(self, "bins", group, function()
    local sum = {}
    for _, member in ipairs(group.members) do
      for b, bin in ipairs(members.bins(self.db, member)) do
        sum[b] = sum[b] or { n = 0, sum_conf = 0, n_correct = 0 }
        for key, value in pairs(sum[b]) do sum[b][key] = value + bin[key] end
      end
    end
    return sum
  end)
end

-- Δ of a group to the baseline, as paired.delta() returns it; metric [opt].
function facts:delta(group, metric)
  metric = metric or self.metric
  return paired.delta(self.base, group, function(member) return member.metrics[metric] end)
end

-- Results from a member's stored predictions: {operating =, risk =} are its curves, and `called` is for
-- tests over the images; each is nil if it is unavailable.
function facts:predicted(member)
  return cached(self, "predicted", member, function() return member_predictions.all(self.db, member) end)
end

-- Reads the predictions of all members, once for all figures.
function facts:read_predictions()
  for _, group in ipairs(self.groups) do
    for _, member in ipairs(group.members) do self:predicted(member) end
  end
end

-- The test of a group against the baseline over the images, as paired_images.test() returns it, with the
-- interval of one metric.
function facts:images(group, metric)
  return cached(self, "images of " .. metric, group, function()
    local shot = {}
    for j, class in ipairs(self:classes(group)) do shot[j] = class.shot end
    return paired_images.test(self.base, group, paired.members(self.base, group), function(member)
      return self:predicted(member).called
    end, shot, { metrics = { metric }, mcnemar = false, resampler = self.resampler })
  end)
end

-- {true_idx, pred_idx, conf, …} of one run of a member | nil, message, code: ENOTFOUND if none are stored.
function facts:predictions(part)
  return self.db:predictions(part.eval_id)
end

-- The class numbers, 1 …, the largest class first.
function facts:order()
  local order, classes = {}, self.split.classes
  for i in ipairs(classes) do order[i] = i end
  table.sort(order, function(i, j)
    local a, b = classes[i].n_train, classes[j].n_train
    if a ~= b then return a > b end
    return i < j
  end)
  return order
end

return facts
