-- Carries out the searches of a study (policy `search`, METHOD §3): which runs can be trained now, round
-- after round, until every run has its levels. A search belongs to one configuration and, with folds, to
-- one fold. Its trials are runs of the study: the configuration of the search with a candidate's levels and
-- the seeds 0, 1, …, whatever seeds the study has. A finished run of that configuration, seed and fold is
-- the trial, under any label, and is not trained again. Trials are compared by their primary evaluation of
-- the validation part; stats/halving.lua is the rule. A process trains every trial that its database lacks.
--   local rounds = search.new { db =, study = name, jobs =, all =, after =, say = function(line) }
--   rounds:next() → list of jobs to train now; empty at the end. A trained job has `uid` or `problem`.
--   rounds.trials   the trials so far that are not jobs, numbered after them
-- jobs: those that the command carries out; all: those of the whole recipe; after [opt]: a run_id, only
-- later runs count. A job with `held` is listed only as a trial (pruning.lua). A job whose
-- levels were chosen gets `levels`, `log` = lines for its record, and `chosen_from` = a run on whose data
-- they were chosen. The levels of a finished run are those of the other seeds of its configuration and fold.
local attempts = require "aniso.store.attempts"
local catalog = require "aniso.stats.metric.catalog"
local core = require "aniso.core"
local halving = require "aniso.stats.halving"
local policy = require "aniso.method.search"
local significance = require "aniso.stats.metric.significance"
local trials = require "aniso.train.trials"

local search = {}

local Rounds = {}
Rounds.__index = Rounds

-- ── one search ──────────────────────────────────────────────────────────────────────────
-- The job that is the trial of a candidate with a seed: one of the command's, or a new one.
function Rounds:trial(of, candidate, seed)
  local job = trials.of(of, candidate, seed)
  local key = trials.key(job.config, seed, of.cross)
  if not self.known[key] then
    self.known[key] = job
    job.label = self.labels[key] or job.label
    job.uid = attempts.finished(self.db, self.study, { config = job.config, seed = seed, cross = of.cross },
      self.after)
    self.trials[#self.trials + 1] = job
    job.number = #self.jobs + #self.trials
  end
  return self.known[key]
end

-- How far levels are from equal: the standard deviation of ln λ_j, 0 for one class.
local function spread_of(levels)
  local logs = {}
  for j, level in ipairs(levels) do logs[j] = math.log(level) end
  return significance.mean_sd(logs).sd or 0
end

local function new_search(job)
  local choice = job.config.schedule.lambda
  return { config = job.config, cross = job.cross, choice = choice, metric = policy.metric(choice), jobs = {},
    name = job.label .. (job.cross and (", fold %d"):format(job.cross.fold) or ""),
    candidates = policy.candidates(choice), rung = 1, rungs = {}, log = {} }
end

-- The value of a trial on the validation part, or nil, why.
local function value_of(self, one, trial)
  if not trial.uid then return nil, trial.problem end
  local run = assert(self.db:find(trial.uid))
  for _, score in ipairs(assert(self.db:scores { part = "val", runs = { run } })) do
    if score.run_id == run.run_id and not score.prior then
      local value = score.metrics[one.metric.name]
      if value and value == value then return value end
    end
  end
  return nil, ("%s is not defined on its validation part"):format(catalog.printed(one.metric.name))
end

-- The entry of a candidate for halving.rung(). A candidate whose trial failed has no scores.
local function entry_of(self, one, candidate)
  local scores, entry = {}, { reference = candidate.lambda[1] == "isotropic" }
  for seed = 0, one.choice.seeds[one.rung] - 1 do
    local trial = self:trial(one, candidate, seed)
    local value, why = value_of(self, one, trial)
    if not value then
      entry.problem = why
      self.say(("warning: search of %s: %s drops out, seed %d: %s"):format(one.name, candidate.name, seed,
        why))
      return entry
    end
    scores[#scores + 1] = value
    entry.run = entry.run or assert(self.db:find(trial.uid))
  end
  entry.scores, entry.levels = scores, assert(self.db:lambda(entry.run))
  entry.spread = spread_of(entry.levels)
  return entry
end

local function state_of(verdict, row, kept, i)
  if not row then return "failed" end
  return verdict.winner == i and "chosen" or kept[i] and "kept" or "dropped"
end

-- Records a rung, and prints it in one line.
local function report_rung(self, one, entries, verdict)
  local rung = { seeds = one.choice.seeds[one.rung], candidates = core.json.array {} }
  local kept, parts, names = {}, {}, {}
  for _, i in ipairs(verdict.kept) do kept[i], names[#names + 1] = true, one.candidates[i].name end
  for i, candidate in ipairs(one.candidates) do
    local row = verdict.rows[i]
    rung.candidates[i] = { name = candidate.name, mean = row and row.mean, delta = row and row.delta,
      se = row and row.se, state = state_of(verdict, row, kept, i) }
  end
  for k, i in ipairs(verdict.order) do
    local row = verdict.rows[i]
    parts[k] = ("%s %.3f%s"):format(one.candidates[i].name, row.mean,
      row.delta and (" (%+.3f%s)"):format(row.delta, row.se and (" ± %.3f"):format(row.se) or "") or "")
  end
  one.rungs[one.rung] = rung
  local line = ("search of %s, rung %d of %d, %s on validation, %s: %s; %s %s"):format(one.name, one.rung,
    #one.choice.seeds, catalog.printed(one.metric.name),
    rung.seeds == 1 and "seed 0" or ("seeds 0..%d"):format(rung.seeds - 1), table.concat(parts, ", "),
    verdict.winner and "chosen:" or "continue:", table.concat(names, ", "))
  self.say(line)
  one.log[#one.log + 1] = { level = "info", message = line }
  for i, entry in ipairs(entries) do
    if not entry.scores then
      one.log[#one.log + 1] = { level = "warn",
        message = ("search of %s: %s dropped out: %s"):format(one.name, one.candidates[i].name,
          entry.problem) }
    end
  end
end

local function choose(one, levels, run, record)
  one.levels, one.chosen_from = levels, run
  one.log[#one.log + 1] = { level = "debug", message = core.json.encode { search = record } }
end

-- Compares the trials of a rung, which gives the next rung, the levels, or a failure.
local function judge(self, one)
  local entries, left = {}, {}
  for i, candidate in ipairs(one.candidates) do entries[i] = entry_of(self, one, candidate) end
  local verdict = halving.rung(entries, { higher = one.metric.higher, eta = one.choice.eta,
    last = one.rung == #one.choice.seeds })
  if #verdict.order == 0 then
    one.problem = ("search of %s: no candidate is left, all trials failed: %s"):format(one.name,
      entries[1].problem)
    return
  end
  report_rung(self, one, entries, verdict)
  local winner = verdict.winner and entries[verdict.winner]
  if winner then
    choose(one, winner.levels, winner.run, { metric = one.metric.name, rungs = core.json.array(one.rungs),
      chosen = one.candidates[verdict.winner].name })
  end
  for k, i in ipairs(verdict.kept) do left[k] = one.candidates[i] end
  one.candidates, one.rung = left, one.rung + 1
end

-- The trials that have to be trained before the next comparison.
local function missing(self, one)
  local out = {}
  for _, candidate in ipairs(one.candidates) do
    local own, failed = {}, false
    for seed = 0, one.choice.seeds[one.rung] - 1 do
      local trial = self:trial(one, candidate, seed)
      failed = failed or trial.problem ~= nil
      if not trial.uid and not trial.problem then own[#own + 1] = trial end
    end
    for _, trial in ipairs(failed and {} or own) do out[#out + 1] = trial end
  end
  return out
end

-- Advances as far as finished runs allow → the trials that it needs now.
local function advance(self, one)
  while not one.levels and not one.problem do
    local waiting = missing(self, one)
    if #waiting > 0 then return waiting end
    judge(self, one)
  end
  return {}
end

-- The levels of a finished run of the same search, with another seed.
local function take_earlier(self, one)
  local uid = attempts.finished_with_any_seed(self.db, self.study, one, self.after)
  local record = uid and self.db:search_of(uid)
  if not record then return end
  self.say(("search of %s: the levels of %s, chosen for run %s"):format(one.name, record.chosen, uid))
  for _, line in ipairs(assert(self.db:log_of(uid))) do
    if line.level ~= "debug" and line.message:match "^search of " then one.log[#one.log + 1] = line end
  end
  choose(one, assert(self.db:lambda(uid)), assert(self.db:find(uid)), record)
end

-- ── rounds ──────────────────────────────────────────────────────────────────────────────
function search.new(of)
  local self = setmetatable({ db = of.db, study = of.study, after = of.after, say = of.say, jobs = of.jobs,
    known = {}, labels = {}, trials = {}, searches = {} }, Rounds)
  for _, job in ipairs(of.all) do self.labels[trials.key(job.config, job.seed, job.cross)] = job.label end
  for _, job in ipairs(of.jobs) do
    if policy.is_needed(job.config) then
      job.waits = not job.uid
    else
      self.known[trials.key(job.config, job.seed, job.cross)] = job
    end
  end
  return self
end

-- The searches of the jobs that are not finished, in the order of their first jobs.
local function begin(self)
  local by_key = {}
  for _, job in ipairs(self.jobs) do
    if job.waits then
      local key = trials.key(job.config, 0, job.cross)
      local one = by_key[key]
      if not one then
        one = new_search(job)
        by_key[key], self.searches[#self.searches + 1] = one, one
        take_earlier(self, one)
      end
      one.jobs[#one.jobs + 1] = job
    end
  end
end

-- Passes the choice of a search to its jobs, once. A failed search fails all of them.
local function release(self, one)
  if one.released or not (one.levels or one.problem) then return end
  one.released = true
  if one.problem then self.say(one.problem) end
  for _, job in ipairs(one.jobs) do
    job.waits = false
    job.levels, job.log, job.chosen_from, job.problem = one.levels, one.log, one.chosen_from, one.problem
  end
end

function Rounds:next()
  if not self.begun then begin(self) end
  self.begun = true
  local waiting, out, listed = {}, {}, {}
  for _, one in ipairs(self.searches) do
    for _, trial in ipairs(advance(self, one)) do waiting[#waiting + 1] = trial end
    release(self, one)
  end
  for _, list in ipairs { self.jobs, waiting } do
    for _, job in ipairs(list) do
      if not (job.uid or job.problem or job.waits or listed[job] or job.held and list == self.jobs) then
        listed[job], out[#out + 1] = true, job
      end
    end
  end
  return out
end

return search
