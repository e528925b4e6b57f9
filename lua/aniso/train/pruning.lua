-- Carries out the option `prune` of a study: the seeds of its runs are trained in turn, and after each seed,
-- once all folds of all variants have ended, variants that are worse than the leader on validation get no
-- further seeds (stats/pruning.lua). A decision depends only on stored results: a study that is killed and
-- started again makes the same decisions, whatever the order in which its runs end.
--   pruning.rule(study, jobs) → {metric, higher, min_seeds, level}; nil for a study that prunes nothing
--   local rounds = pruning.new { rounds = of search.lua, rule =, db =, study = name, seeds = of the recipe,
--     jobs =, all =, say = function(line) }
--   rounds:next() → list of jobs to train now, as that of search.lua; a job that is pruned gets `pruned`, the
--                   decision (store/pruned.lua), and is in no list
-- jobs, all: those of search.lua.
--
-- The seeds that count are those that the command carries out and, of the recipe's others, those that all
-- variants have in the database. A variant that lacks one of them, because a run failed, is neither pruned
-- nor the leader. A search for levels uses the seeds of its rungs, whatever is pruned.
local attempts = require "aniso.store.attempts"
local catalog = require "aniso.stats.metric.catalog"
local data = require "aniso.method.data"
local latest_data = require "aniso.train.latest_data"
local metric_name = require "aniso.stats.metric_name"
local stats = require "aniso.stats.pruning"

local pruning = {}

local Rounds = {}
Rounds.__index = Rounds

-- ── the rule ────────────────────────────────────────────────────────────────────────────
-- The metric by which the runs choose their epochs, if all use the same one.
local function common_metric(jobs)
  local metric
  for _, job in ipairs(jobs) do
    local own = job.config.select.metric
    if metric and own ~= metric then
      error(("option prune: the variants choose their epochs by %s and %s; give prune.metric")
        :format(catalog.printed(metric), catalog.printed(own)), 0)
    end
    metric = own
  end
  return metric
end

-- Raises if no metric has that name. jobs: all of the study, complete.
function pruning.rule(study, jobs)
  local given = study.prune
  if not given then return nil end
  local metric = metric_name.entry(given.metric or common_metric(jobs), "prune.metric")
  return { metric = metric.name, higher = metric.higher, min_seeds = given.min_seeds, level = given.level }
end

-- Raises if the validation part is the test part, in the data of the first of these jobs to be trained.
function pruning.check_validation(jobs)
  local job
  for _, one in ipairs(jobs) do job = job or not one.uid and one or nil end
  if not job then return end
  local dataset = latest_data.load(data.seen_from(job.config.data, job.folder), job.cross)
  if dataset.split.test_is_val ~= 0 then
    error("option prune compares on validation, and the data has no validation part: give data.val", 0)
  end
end

-- ── what is stored ──────────────────────────────────────────────────────────────────────
-- {uid, value, n, n_train} of a finished run; nil if the metric is not defined.
local function part_of(self, uid)
  local run = assert(self.db:find(uid))
  for _, score in ipairs(assert(self.db:scores { part = "val", runs = { run } })) do
    local value = score.run_id == run.run_id and not score.prior and score.metrics[self.rule.metric]
    if value and value == value then
      return { uid = uid, value = value, n = score.n, n_train = self.db:training_images(run) }
    end
  end
end

-- The uid of a variant's finished run: of the command's job, or else a stored one.
local function uid_of(self, variant, seed, fold)
  local job = variant.jobs[("%d %d"):format(seed, fold)]
  if job then return job.uid end
  local of = variant.cross
  local cross = of and { folds = of.folds, fold = fold, official = of.official }
  return attempts.finished(self.db, self.study, { label = variant.label, config = variant.config,
    moved_from = variant.moved_from, seed = seed, cross = cross })
end

-- A variant's member for a seed, in the form of stats/pruning.lua; nil if a fold has no value.
local function member_of(self, variant, seed)
  if variant.members[seed] then return variant.members[seed] end
  local parts, sum = {}, 0
  for fold = 0, variant.cross and variant.cross.folds - 1 or 0 do
    local uid = uid_of(self, variant, seed, fold)
    local part = uid and part_of(self, uid)
    if not part then return nil end
    parts[#parts + 1], sum = part, sum + part.value
  end
  local member = { seed = seed, value = sum / #parts, parts = variant.cross and parts or nil,
    uid = parts[#parts].uid }
  variant.members[seed] = member
  return member
end

-- ── decisions ───────────────────────────────────────────────────────────────────────────
-- The seeds that count, up to the current one.
local function counted(self)
  local out = {}
  for i = 1, self.at do
    local seed = self.order[i]
    local all = true
    for _, variant in ipairs(self.variants) do
      all = all and (variant.pruned or member_of(self, variant, seed)) ~= nil
    end
    if self.carried[seed] or all then out[#out + 1] = seed end
  end
  return out
end

-- The variants that are compared: {variant =, members =}, one member for each of the seeds.
local function compared(self, seeds)
  local out = {}
  for _, variant in ipairs(self.variants) do
    local members = {}
    for _, seed in ipairs(variant.pruned and {} or seeds) do
      members[#members + 1] = member_of(self, variant, seed)
    end
    if #members == #seeds and #seeds > 0 then out[#out + 1] = { variant = variant, members = members } end
  end
  return out
end

-- Whether a later seed of a variant is not finished.
local function lacks_seeds(self, variant)
  for i = self.at + 1, #self.order do
    if not member_of(self, variant, self.order[i]) then return true end
  end
  return false
end

-- Ends a variant: drops its jobs that have not begun, and records why.
local function prune(self, variant, record, last)
  local n = 0
  variant.pruned = record
  for _, job in pairs(variant.jobs) do
    if job.held and not job.uid then job.pruned, n = record, n + 1 end
  end
  variant.kept = lacks_seeds(self, variant)
  if variant.kept then assert(self.db:set_pruned(last.uid, record)) end
  if n > 0 then
    self.say(("%s is pruned %s; %d %s not started"):format(variant.label, stats.sentence(record), n,
      n == 1 and "run is" or "runs are"))
  end
end

-- Compares the variants over the seeds so far.
local function judge(self)
  local seeds, rule = counted(self), self.rule
  if #seeds < rule.min_seeds then return end
  local list = compared(self, seeds)
  local best, worse = stats.decide(list, rule)
  for _, one in ipairs(worse) do
    local variant, delta = list[one.index].variant, one.delta
    prune(self, variant, { metric = rule.metric, seeds = #seeds, leader = list[best].variant.label,
      delta = delta.mean, lo = delta.lo, hi = delta.hi, level = rule.level }, list[one.index].members[#seeds])
  end
end

-- ── rounds ──────────────────────────────────────────────────────────────────────────────
-- The recipe's seeds in their order, then the command's others.
local function order_of(seeds, jobs)
  local out, known = {}, {}
  local function add(seed)
    if not known[seed] then known[seed], out[#out + 1] = true, seed end
  end
  for _, seed in ipairs(seeds) do add(seed) end
  for _, job in ipairs(jobs) do add(job.seed) end
  return out
end

function pruning.new(of)
  local self = setmetatable({ rounds = of.rounds, trials = of.rounds.trials, rule = of.rule, db = of.db,
    study = of.study, say = of.say, order = order_of(of.seeds, of.jobs), at = 0, variants = {}, carried = {},
    by_seed = {} }, Rounds)
  local by_label = {}
  for _, job in ipairs(of.all) do
    if not by_label[job.label] then
      local variant = { label = job.label, config = job.config, moved_from = job.moved_from,
        cross = job.cross, jobs = {}, members = {} }
      by_label[job.label], self.variants[#self.variants + 1] = variant, variant
    end
  end
  for _, job in ipairs(of.jobs) do
    local variant = by_label[job.label]
    if variant then variant.jobs[("%d %d"):format(job.seed, job.cross and job.cross.fold or 0)] = job end
    self.by_seed[job.seed] = self.by_seed[job.seed] or {}
    table.insert(self.by_seed[job.seed], job)
    self.carried[job.seed], job.held = true, true
  end
  return self
end

-- Removes decisions of earlier commands that no longer hold.
local function remove_former(self)
  local labels = {}
  for _, variant in ipairs(self.variants) do
    if not variant.kept then labels[#labels + 1] = variant.label end
  end
  assert(self.db:clear_pruned(self.study, labels))
end

function Rounds:next()
  local ready = self.at > 0 and self.rounds:next() or {}
  while #ready == 0 and self.at < #self.order do
    if self.at > 0 then judge(self) end
    self.at = self.at + 1
    for _, job in ipairs(self.by_seed[self.order[self.at]] or {}) do job.held = job.pruned ~= nil end
    ready = self.rounds:next()
  end
  if #ready == 0 then remove_former(self) end
  return ready
end

return pruning
