-- Pruning: the decision by numbers computed by hand, the option of a study, and rounds over a database, whose
-- decisions depend on what is stored and not on the order in which it was.
local lu = require "luaunit"
local pruning = require "aniso.train.pruning"
local stats = require "aniso.stats.pruning"
local study = require "aniso.recipe.study"
local fixture = dofile "tests/lua/store_fixture.lua"

local T = {}

-- A variant with a value per seed.
local function variant(values)
  local members = {}
  for s, value in ipairs(values) do members[s] = { seed = s - 1, value = value } end
  return { members = members }
end

-- The same of one seed with folds, each tested on 20 images after training on 100.
local function folded(values)
  local parts, sum = {}, 0
  for f, value in ipairs(values) do parts[f], sum = { value = value, n = 20, n_train = 100 }, sum + value end
  return { members = { { seed = 0, value = sum / #values, parts = parts } } }
end

local function indices(list)
  local out = {}
  for i, one in ipairs(list) do out[i] = one.index end
  return out
end

-- Differences -0.10, -0.07, -0.10: mean -0.09, standard error 0.01; t quantiles of 2 degrees 4.30 and 9.92.
local A, B, C = { 0.50, 0.52, 0.54 }, { 0.40, 0.45, 0.44 }, { 0.49, 0.47, 0.56 }

function T.test_a_variant_is_pruned_where_its_interval_ends_below_0()
  local best, worse = stats.decide({ variant(B), variant(A), variant(C) }, { higher = true, level = 0.95 })
  lu.assertEquals({ best, indices(worse) }, { 2, { 1 } })
  lu.assertAlmostEquals(worse[1].delta.mean, -0.09, 1e-12)
  lu.assertAlmostEquals(worse[1].delta.hi, -0.09 + 0.01 * 4.302652729911, 1e-9)
  lu.assertAlmostEquals(worse[1].delta.lo, -0.09 - 0.01 * 4.302652729911, 1e-9)
end

function T.test_the_level_is_that_of_the_interval()
  for level, expected in pairs { [0.98] = { 2 }, [0.99] = {} } do -- hi = -0.020 and +0.009
    local _, worse = stats.decide({ variant(A), variant(B) }, { higher = true, level = level })
    lu.assertEquals(indices(worse), expected)
  end
end

function T.test_of_a_loss_the_smallest_leads()
  local best, worse = stats.decide({ variant(A), variant(B), variant(C) }, { higher = false, level = 0.95 })
  lu.assertEquals({ best, indices(worse) }, { 2, { 1 } })
end

function T.test_folds_take_the_corrected_interval()
  local first, second = folded { 0.50, 0.52, 0.54, 0.50 }, folded { 0.40, 0.45, 0.44, 0.43 }
  local best, worse = stats.decide({ first, second }, { higher = true, level = 0.95 })
  lu.assertEquals({ best, indices(worse) }, { 1, { 2 } })
  local error_of = math.sqrt((1 / 4 + 20 / 100) * 0.0003)
  lu.assertAlmostEquals(worse[1].delta.hi, -0.085 + 3.182446305284 * error_of, 1e-9)
end

function T.test_equal_differences_and_few_seeds_prune_nothing()
  for _, pair in ipairs { { { 0.5, 0.6, 0.7 }, { 0.25, 0.35, 0.45 } }, { { 0.5, 0.6 }, { 0.1, 0.3 } } } do
    local _, worse = stats.decide({ variant(pair[1]), variant(pair[2]) }, { higher = true, level = 0.95 })
    lu.assertEquals(worse, {})
  end
end

-- ── the option ──────────────────────────────────────────────────────────────────────────
local function of(prune, more)
  local given = { name = "s", data = "lesions", base = {}, prune = prune }
  for key, value in pairs(more or {}) do given[key] = value end
  return study.new(given)
end

function T.test_the_option_has_defaults()
  lu.assertEquals({ of(true).prune, of(false).prune, of(nil).prune }, { { min_seeds = 3, level = 0.95 } })
  lu.assertEquals(of({ min_seeds = 1 }, { folds = 3 }).prune.min_seeds, 1)
end

function T.test_a_wrong_option_is_one_line()
  for _, case in ipairs {
    { 3, "option prune must be true, false or a table such as { min_seeds = 3, level = 0.95 }, got 3" },
    { { seeds = 3 }, "unknown option prune.seeds (known here: level, metric, min_seeds)" },
    { { level = 95 }, "option prune.level must be below 1, got 95" },
    { { min_seeds = 2.5 }, "option prune.min_seeds must be a whole number, got 2.5" },
    { { min_seeds = 2 },
      "option prune.min_seeds must be at least 3 without folds, got 2: fewer seeds have no interval" },
  } do
    lu.assertErrorMsgEquals(case[2], of, case[1])
  end
  lu.assertErrorMsgEquals("option prune: 2 folds are too few for the test over folds; give at least 3", of,
    true, { folds = 2 })
end

function T.test_the_metric_is_that_of_the_epochs_or_has_to_be_named()
  local function rule(prune, ...)
    local jobs = {}
    for i, metric in ipairs { ... } do jobs[i] = { config = { select = { metric = metric } } } end
    return pruning.rule(of(prune), jobs)
  end
  lu.assertEquals(rule(true, "nll", "nll"), { metric = "nll", higher = false, min_seeds = 3, level = 0.95 })
  lu.assertEquals(rule({ metric = "tail" }, "nll", "acc").metric, "few")
  lu.assertNil(rule(nil, "nll"))
  lu.assertErrorMsgEquals("option prune: the variants choose their epochs by nll and tail; give prune.metric",
    rule, true, "nll", "few")
  lu.assertErrorMsgContains("option prune.metric: there is no metric acd (did you mean acc?)", rule,
    { metric = "acd" }, "nll")
end

-- ── rounds ──────────────────────────────────────────────────────────────────────────────
local SCORES = { a = { 0.50, 0.52, 0.54, 0.5, 0.5 }, b = { 0.40, 0.45, 0.44, 0.9, 0.9 },
  c = { 0.49, 0.47, 0.56, 0.5, 0.5 } }

-- Jobs of three variants and five seeds.
local function new_jobs()
  local jobs = {}
  for seed = 0, 4 do
    for _, label in ipairs { "a", "b", "c" } do
      jobs[#jobs + 1] = { label = label, seed = seed,
        config = { train = { lr = 0.1 }, method = label, select = { metric = "auc" } } }
    end
  end
  return jobs
end

-- A finished run whose score on validation is that of its label and seed; on test it is the opposite.
local function train(db, job)
  local run = db:start_run(fixture.description { label = job.label, name = job.label, seed = job.seed,
    study = "s", config = job.config })
  local value = SCORES[job.label][job.seed + 1]
  for part, auc in pairs { val = value, test = 1 - value } do
    run:evaluation(fixture.evaluation({ { 9, 1 }, { 2, 2 } }, { part = part, results = { auc = auc } }))
  end
  run:finish()
  job.uid = run.uid
end

-- What is left to be trained by the search's rounds where nothing is searched.
local function plain(jobs)
  return { trials = {}, next = function()
    local out = {}
    for _, job in ipairs(jobs) do
      if not (job.uid or job.problem or job.held) then out[#out + 1] = job end
    end
    return out
  end }
end

-- Carries out a study until it ends, or until `most` runs have been trained. → names of what was trained
local function carry_out(db, jobs, how)
  local names, lines = {}, {}
  local chosen = how.chosen or jobs
  local rounds = pruning.new { rounds = plain(chosen), db = db, study = "s", jobs = chosen, all = jobs,
    rule = { metric = "auc", higher = true, min_seeds = 3, level = 0.95 }, seeds = { 0, 1, 2, 3, 4 },
    say = function(line) lines[#lines + 1] = line end }
  local ready = rounds:next()
  while #ready > 0 do
    for i = 1, #ready do
      local job = ready[how.backwards and #ready + 1 - i or i]
      if #names == how.most then return names, lines end
      train(db, job)
      names[#names + 1] = job.label .. job.seed
    end
    ready = rounds:next()
  end
  return names, lines
end

local function decisions(db)
  local out = {}
  for _, record in pairs(assert(db:pruned_of "s")) do
    out[record.label] = ("%d %s %s"):format(record.seeds, record.leader, record.delta)
  end
  return out
end

function T.test_a_variant_that_is_worse_after_three_seeds_gets_no_more()
  local db <close> = fixture.new()
  local names, lines = carry_out(db, new_jobs(), {})
  lu.assertEquals(table.concat(names, " "), "a0 b0 c0 a1 b1 c1 a2 b2 c2 a3 c3 a4 c4")
  lu.assertEquals(lines, { "b is pruned after 3 seeds: auc -0.090 [-0.133, -0.047] to a on validation; "
    .. "2 runs are not started" })
  lu.assertEquals(decisions(db), { b = "3 a -0.09" })
  local groups = db:groups "s"
  lu.assertEquals({ groups[2].label, groups[2].pruned.seeds, groups[1].pruned }, { "b", 3, nil })
end

function T.test_the_order_in_which_runs_end_changes_nothing()
  local db <close> = fixture.new()
  lu.assertEquals(table.concat(carry_out(db, new_jobs(), { backwards = true }), " "),
    "c0 b0 a0 c1 b1 a1 c2 b2 a2 c3 a3 c4 a4")
  lu.assertEquals(decisions(db), { b = "3 a -0.09" })
end

-- A study that ended after n of its runs, begun again.
function T.test_a_study_that_is_continued_makes_the_same_decision()
  local attempts = require "aniso.store.attempts"
  for most = 0, 13 do
    local db <close> = fixture.new()
    local all, jobs = carry_out(db, new_jobs(), { most = most }), new_jobs()
    for _, job in ipairs(jobs) do job.uid = attempts.finished(db, "s", job) end
    for _, name in ipairs(carry_out(db, jobs, {})) do all[#all + 1] = name end
    lu.assertEquals(table.concat(all, " "), "a0 b0 c0 a1 b1 c1 a2 b2 c2 a3 c3 a4 c4")
    lu.assertEquals(decisions(db), { b = "3 a -0.09" })
    local rows = db:query "SELECT count(*) AS n FROM log WHERE message LIKE '{\"pruned\"%'"
    lu.assertEquals(rows[1].n, 1)
  end
end

function T.test_a_failed_run_is_not_compared_and_does_not_stop_the_study()
  local db <close> = fixture.new()
  local jobs = new_jobs()
  jobs[5].problem = "out of memory" -- b1
  lu.assertEquals(#carry_out(db, jobs, {}), 14)
  lu.assertEquals(decisions(db), {})
end

function T.test_one_variant_alone_is_pruned_by_what_is_stored()
  local db <close> = fixture.new()
  local jobs = new_jobs()
  for i = 1, 9 do train(db, jobs[i]) end
  lu.assertEquals(carry_out(db, jobs, { chosen = { jobs[2], jobs[5], jobs[8], jobs[11], jobs[14] } }), {})
  lu.assertEquals(decisions(db), { b = "3 a -0.09" })
end

function T.test_a_decision_is_forgotten_where_all_seeds_are_there()
  local db <close> = fixture.new()
  local jobs = new_jobs()
  carry_out(db, jobs, {})
  for _, job in ipairs(jobs) do
    if not job.uid then train(db, job) end
  end
  lu.assertEquals(carry_out(db, jobs, {}), {})
  lu.assertEquals(decisions(db), {})
end

function T.test_a_foreign_record_is_no_decision()
  local db <close> = fixture.new()
  local jobs = new_jobs()
  train(db, jobs[1])
  for i, text in ipairs { '1}', '{"seeds":"x"}}', '',
    '{"seeds":0.5,"metric":"a","leader":"b","delta":1,"lo":1,"hi":1,"level":1}}' } do
    assert(db:exec("INSERT INTO log(run_id, seq, at, level, message) VALUES(1, ?1, '', 'debug', ?2)", 100 + i,
      '{"pruned":' .. text))
  end
  lu.assertEquals(db:pruned_of(), {})
end

return T
