-- Groups: the runs of one configuration on one split, one member per seed, and the moments of a metric
-- over the members. The folds of a cross-validation form one member per seed, whose metrics are those of
-- the pooled predictions. Runs and scores are plain tables, as db:runs() and db:scores() return them.
local catalog = require "aniso.stats.metric.catalog"
local paired = require "aniso.stats.paired"
local significance = require "aniso.stats.metric.significance"

local groups = {}

-- {n =, mean =, sd =} of a list of numbers; sd is nil for fewer than two.
groups.moments = significance.mean_sd

local function new_group(run, score)
  return { label = run.label or run.name, prior = score.prior, by = score.by, config_id = run.config_id,
    run = run, members = {}, folds = run.folds }
end

-- What identifies the images of a run: those of its split, or of all folds together.
function groups.images_of(run)
  return run.fold_set or run.split_id
end

-- Adds a fold's run to the member of its seed. A later run of the same fold replaces the earlier one.
local function add_fold(group, run, one)
  local member = group.by_seed[run.seed]
  if not member then
    member = { seed = run.seed, folds = run.folds, parts = {}, metrics = {} }
    group.by_seed[run.seed], group.members[#group.members + 1] = member, member
  end
  local part = { n_train = run.n_train, fold = run.fold, seed = run.seed, run_id = run.run_id,
    uid = run.uid, n = one.n, eval_id = one.eval_id, metrics = one.metrics }
  local at = #member.parts + 1
  while at > 1 and member.parts[at - 1].fold >= run.fold do at = at - 1 end
  local same = member.parts[at] and member.parts[at].fold == run.fold
  if same then member.parts[at] = part else table.insert(member.parts, at, part) end
end

-- The members that count: those with all of their folds or, if there are none, the others.
-- group.done and group.wanted: folds over all seeds; group.incomplete: members that lack folds.
local function close_folds(group)
  local complete, incomplete = {}, {}
  group.done, group.wanted, group.by_seed = 0, 0, nil
  for _, member in ipairs(group.members) do
    local first = member.parts[1]
    member.run_id, member.uid, member.eval_id, member.n = first.run_id, first.uid, first.eval_id, 0
    for _, part in ipairs(member.parts) do member.n = member.n + part.n end
    member.complete = #member.parts == member.folds
    table.insert(member.complete and complete or incomplete, member)
    group.done, group.wanted = group.done + #member.parts, group.wanted + member.folds
  end
  group.incomplete = incomplete
  group.members = #complete > 0 and complete or incomplete
end

-- Scores by run_id; of several evaluations of the prior only the newest.
local function by_run(scores)
  local out = {}
  for _, one in ipairs(scores) do
    local own = out[one.run_id] or {}
    out[one.run_id] = own
    if one.prior and own.prior then own[own.prior] = one else own[#own + 1] = one end
    if one.prior then own.prior = own.prior or #own end
  end
  return out
end

-- form(runs, scores [, complete]) → one group per configuration, split, label and kind of prediction, in
-- order of appearance: {label, prior = whether these are the prior's own predictions next to primary ones,
-- by = "chain", "prior" or a post_hoc: whose predictions they are, config_id, run = the first one, members
-- = {{seed, run_id, uid, eval_id, n, metrics}, …}}. With folds: one group for all folds, {folds, done,
-- wanted, incomplete = {member …}}, whose members have {folds, complete, parts = {{fold, run_id, uid,
-- eval_id, n, n_train, metrics}, …}}. complete(member) [opt]: called for every member, may complete its
-- metrics; those of parts come with the scores. A run of a fold needs n_train, its training images.
function groups.form(runs, scores, complete)
  local of, out, by_key = by_run(scores), {}, {}
  for _, run in ipairs(runs) do
    for _, one in ipairs(of[run.run_id] or {}) do
      local key = ("%d %s %s %s"):format(run.config_id, groups.images_of(run), one.prior, run.label)
      if not by_key[key] then
        by_key[key] = new_group(run, one)
        by_key[key].by_seed = {}
        out[#out + 1] = by_key[key]
      end
      if run.fold then
        add_fold(by_key[key], run, one)
      else
        table.insert(by_key[key].members, { seed = run.seed, run_id = run.run_id, uid = run.uid, n = one.n,
          eval_id = one.eval_id, metrics = one.metrics })
      end
    end
  end
  for _, group in ipairs(out) do
    if group.folds then close_folds(group) end
    group.by_seed = nil
    for _, member in ipairs(complete and group.members or {}) do
      complete(member)
    end
  end
  return out
end

-- ── all evaluations ─────────────────────────────────────────────────────────────────────
-- Seconds per image of a group's evaluations; nil if one was not measured. of: eval_id → its score.
local function image_seconds(group, of)
  local sum, n = 0, 0
  for _, member in ipairs(group.members) do
    for _, part in ipairs(member.parts or { member }) do
      local one = of[part.eval_id]
      if not one.image_s then return nil end
      sum, n = sum + one.n * one.image_s, n + one.n
    end
  end
  return sum / n
end

local function before(a, b)
  for _, field in ipairs { "place", "passes_first", "sampler", "draws", "steps", "noise" } do
    if a[field] ~= b[field] then return a[field] < b[field] end
  end
  return false
end

-- Scores by sampler, steps, draws and seed of the noise, in order of appearance.
local function by_kind(scores)
  local kinds, of = {}, {}
  for _, one in ipairs(scores) do
    local kind = ("%s\0%d\0%d\0%d"):format(one.sampler, one.steps, one.draws, one.noise)
    if not of[kind] then
      of[kind] = {}
      kinds[#kinds + 1] = of[kind]
    end
    table.insert(of[kind], one)
  end
  return kinds
end

-- of_evaluations(runs, scores, form) → primary and further evaluations as groups over seeds and folds: those
-- of form(runs, scores), one per configuration, sampler, steps, draws and seed of the noise, with these
-- (.sampler, .steps, .draws, .noise), .passes, .primary, and .image_s, the mean seconds per image or nil.
-- scores: as for form(), with those fields. Configurations are in the order of their runs; within one,
-- evaluations without chains come first.
function groups.of_evaluations(runs, scores, form)
  local of, out, place, first = {}, {}, {}, {}
  for _, one in ipairs(scores) do of[one.eval_id] = one end
  for i, run in ipairs(runs) do place[run.run_id] = i end
  for _, kind in ipairs(by_kind(scores)) do
    for _, group in ipairs(form(runs, kind)) do
      local one = kind[1]
      group.sampler, group.steps, group.draws, group.noise = one.sampler, one.steps, one.draws, one.noise
      group.passes, group.image_s = one.passes, image_seconds(group, of)
      group.primary = of[group.members[1].eval_id].primary
      group.configuration = ("%d %s %s"):format(group.config_id, groups.images_of(group.run), group.label)
      first[group.configuration] = math.min(first[group.configuration] or math.huge, place[group.run.run_id])
      out[#out + 1] = group
    end
  end
  for _, group in ipairs(out) do
    group.place, group.passes_first = first[group.configuration], math.min(group.passes, 1)
  end
  table.sort(out, before)
  return out
end

-- of(group, metric) → {n, mean, sd, seeds = {…}, values = {…}} over the members that have the metric.
function groups.of(group, name)
  local seeds, values = {}, {}
  name = catalog.aliases[name] or name
  local moments = paired.moments(group, function(member)
    local value = member.metrics[name]
    if value then seeds[#seeds + 1], values[#values + 1] = member.seed, value end
    return value
  end)
  moments.seeds, moments.values = seeds, values
  return moments
end

-- choose_baseline(groups, label, named, is_isotropic) → the group that the others are compared with: the
-- one labelled `label`; else the one that the recipe named; else the one labelled "baseline"; else
-- the only one for which is_isotropic(group) holds; else the first. nil, message if no group is
-- labelled `label`.
function groups.choose_baseline(list, label, named, is_isotropic)
  local isotropic, labels, by_label = {}, {}, {}
  for i, group in ipairs(list) do
    labels[i], by_label[group.label] = group.label, group
    if is_isotropic(group) then isotropic[#isotropic + 1] = group end
  end
  local found = by_label[label or named] or by_label[label or "baseline"]
  if found then return found end
  if label then
    return nil, ("no configuration of the study is called %s (it has: %s)"):format(label,
      table.concat(labels, ", "))
  end
  return #isotropic == 1 and isotropic[1] or list[1]
end

return groups
