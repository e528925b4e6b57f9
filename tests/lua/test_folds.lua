-- Cross-validation: the runs of a study, every image tested once per seed, metrics of pooled predictions,
-- incomplete folds, and resuming a fold.
local lu = require "luaunit"
local aniso = require "aniso"
local config = require "aniso.method.config"
local store = require "aniso.store"
local study = require "aniso.recipe.study"
local fixture = dofile "tests/lua/store_fixture.lua"
local own = dofile "tests/lua/independent.lua"

local Folds = {}
local nowhere = assert(io.open("/dev/null", "w"))

local function recipe(changes)
  local of = { name = "cv", data = { "lesions", n = 140, size = 8 }, base = {}, folds = 3, seeds = 2,
    variants = { { label = "a" }, { label = "b", ["train.lr"] = 0.1 } } }
  for key, value in pairs(changes or {}) do of[key] = value or nil end
  return study.new(of)
end

local function listed(jobs)
  local out = {}
  for i, job in ipairs(jobs) do
    out[i] = ("%s%d%s"):format(job.label, job.seed, job.cross and "." .. job.cross.fold or "")
  end
  return table.concat(out, " ")
end

function Folds.test_each_variant_has_its_first_result_early()
  lu.assertEquals(listed(study.expand(recipe())),
    "a0.0 b0.0 a0.1 b0.1 a0.2 b0.2 a1.0 b1.0 a1.1 b1.1 a1.2 b1.2")
  lu.assertEquals(listed(study.expand(recipe(), nil, "5", "0,2")), "a5.0 b5.0 a5.2 b5.2")
  lu.assertEquals(listed(study.expand(recipe(), nil, "5", "1..2")), "a5.1 b5.1 a5.2 b5.2")
  lu.assertEquals(listed(study.expand(recipe { folds = false, seeds = 1 })), "a0 b0")
  local official = study.expand(recipe { folds = "official", seeds = 1 }, nil, nil, nil, 2)
  lu.assertEquals(listed(official), "a0.0 b0.0 a0.1 b0.1")
  lu.assertTrue(official[1].cross.official)
end

function Folds.test_mistakes()
  lu.assertErrorMsgEquals("--fold takes folds from 0 to 2, such as 0,2 or 0..2; got 3", study.expand,
    recipe(), nil, nil, "3")
  lu.assertErrorMsgContains("folds must be a number from 2 to 100 or \"official\", got 1", study.expand,
    recipe { folds = 1 })
  lu.assertErrorMsgContains("the study has none", study.expand, recipe { folds = false }, nil, nil, "0")
end

function Folds.test_runs_of_a_fold_go_in_lock_step()
  local jobs = study.expand(recipe { base = { train = { mode = "staged" } },
    variants = { { label = "a" }, { label = "b", ["schedule.lambda"] = "bound" } } })
  for _, job in ipairs(jobs) do job.config = config.complete(job.config) end
  local groups = require("aniso.train.lockstep").groups(jobs)
  lu.assertEquals(#groups, 6)
  for _, group in ipairs(groups) do lu.assertEquals(group[1].cross.fold, group[2].cross.fold) end
end

function Folds.test_every_image_is_tested_once_and_groups_are_equal()
  local tested, n = {}, 0
  local shot = aniso.data({ "lesions", n = 210, size = 4 }, { folds = 4, fold = 0 }).split.shot
  for fold = 0, 3 do
    local ds = aniso.data({ "lesions", n = 210, size = 4 }, { folds = 4, fold = fold })
    for _, key in ipairs(ds:keys "test") do tested[key], n = (tested[key] or 0) + 1, n + 1 end
    lu.assertEquals(ds.split.shot, shot)
    local seen = {}
    for _, part in ipairs { "train", "val", "test" } do
      for _, key in ipairs(ds:keys(part)) do
        lu.assertNil(seen[key])
        seen[key] = true
      end
    end
  end
  lu.assertEquals(n, 210)
  for key, times in pairs(tested) do lu.assertEquals(times, 1, key) end
end

-- ── a real cross-validation ─────────────────────────────────────────────────────────────
local function job_of(db, seed, fold, changes)
  local given = { data = { "lesions", n = 140, size = 8 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 4, local_width = 4, attention = 4 }, schedule = { T = 20 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    select = { steps = 2, draws = 1, metric = "acc" }, sampler = { "ddim", steps = 2, draws = 2 },
    train = { epochs = 2, batch = 28, draws = 2, lr = 1e-2 } }
  return { db = db, seed = seed, label = "run", study = "cv", stream = nowhere, cross = { folds = 3,
    fold = fold }, config = aniso.options.apply(given, changes or {}) }
end

local function run_all(db, seed)
  for fold = 0, 2 do aniso.trainer.run(job_of(db, seed, fold)) end
end

function Folds.test_metrics_are_those_of_the_pooled_predictions()
  local db <close> = assert(store.open(fixture.folder() .. "/runs.db"))
  run_all(db, 0)
  local runs = db:runs()
  lu.assertEquals({ runs[1].fold, runs[2].fold, runs[3].fold, runs[1].folds }, { 0, 1, 2, 3 })
  lu.assertEquals(runs[1].config_id, runs[3].config_id)
  lu.assertEquals(runs[1].fold_set, runs[3].fold_set)
  local all, widths = { t = {}, pred = {}, probs = {} }, 0
  for _, run in ipairs(runs) do
    local one = assert(db:predictions(run))
    table.move(one.true_idx, 1, #one.true_idx, #all.t + 1, all.t)
    table.move(one.pred_idx, 1, #one.pred_idx, #all.pred + 1, all.pred)
    table.move(one.probs, 1, #one.probs, #all.probs + 1, all.probs)
    widths = widths + #one.true_idx * db:scores({ runs = { run } })[1].metrics.interval_width
  end
  lu.assertEquals(#all.t, 140)
  local group = db:groups("cv")[1]
  lu.assertEquals({ group.done, group.wanted, #group.members }, { 3, 3, 1 })
  local shot, metrics = {}, group.members[1].metrics
  for j, class in ipairs(db:split_of(runs[1]).classes) do shot[j] = class.shot end
  local expected = own.rates(own.matrix(all.t, all.pred, 7), shot)
  for name, value in pairs(own.probabilistic(all.t, all.pred, all.probs, shot)) do expected[name] = value end
  expected.interval_width = widths / 140
  for name, value in pairs(expected) do lu.assertAlmostEquals(metrics[name], value, 2e-7, name) end
end

function Folds.test_a_finished_fold_is_not_repeated_and_a_stored_one_goes_on()
  local folder = fixture.folder()
  local db <close> = assert(store.open(folder .. "/runs.db"))
  local finished = require("aniso.store.attempts").finished
  local job = job_of(db, 0, 1)
  local uid = aniso.trainer.run(job).uid
  lu.assertEquals(finished(db, "cv", job), uid)
  job.cross = { folds = 3, fold = 2 }
  lu.assertNil(finished(db, "cv", job))
  job.cross = { folds = 4, fold = 1 }
  lu.assertNil(finished(db, "cv", job))
  job.cross = nil
  lu.assertNil(finished(db, "cv", job))
  local whole = db:scores()[1].metrics.nll
  local last = ("%s/runs/%s/last"):format(folder, uid)
  assert(os.rename(last .. ".previous.safetensors", last .. ".safetensors"))
  assert(db:exec "UPDATE run SET status = 'crashed', ended_at = NULL")
  aniso.trainer.resume(db, assert(db:find(uid)), nowhere)
  lu.assertEquals(db:find(uid).resumes, 1)
  lu.assertEquals(db:scores()[1].metrics.nll, whole)
end

-- Each fold of a plan waits for its own run.
function Folds.test_a_plan_has_the_folds()
  local db <close> = assert(store.open(fixture.folder() .. "/runs.db"))
  local jobs = { job_of(db, 0, 0), job_of(db, 0, 1), job_of(db, 0, 2) }
  for _, job in ipairs(jobs) do job.config = config.complete(job.config) end
  assert(db:set_plan("cv", jobs))
  aniso.trainer.run(jobs[2])
  local rows = require("aniso.store.status").of_study(db, "cv", config.complete).rows
  lu.assertEquals({ rows[1].fold, rows[2].fold, rows[3].fold }, { 0, 1, 2 })
  lu.assertEquals({ rows[1].state, rows[2].state, rows[3].state }, { "waiting", "finished", "waiting" })
end

-- ── stored folds ────────────────────────────────────────────────────────────────────────
-- A run of one fold of the fixture: 120 images, wrong on those for which wrong(i).
local function record(db, label, seed, fold, wrong)
  local of = fixture.description { label = label, name = label, seed = seed, study = "s", fold = fold,
    config = { method = label } }
  of.split.sha256, of.split.folds, of.split.fold_set = "fold" .. fold, 3, "set"
  local run, t, pred, m = db:start_run(of), fixture.truth(), {}, { { 0, 0 }, { 0, 0 } }
  for i, class in ipairs(t) do
    pred[i] = wrong(i) and 1 - class or class
    m[class + 1][pred[i] + 1] = m[class + 1][pred[i] + 1] + 1
  end
  run:evaluation(fixture.evaluation(m, { predictions = { true_idx = t, pred_idx = pred } }))
  run:finish()
  return run
end

local function fill(db, folds_of_b)
  for seed = 0, 1 do
    for fold = 0, 2 do
      record(db, "a", seed, fold, fixture.every(4 + fold, seed))
      if fold < folds_of_b then record(db, "b", seed, fold, fixture.every(7 + 2 * fold + seed, seed)) end
    end
  end
end

function Folds.test_the_test_is_the_corrected_one_over_folds_and_seeds()
  local db <close> = fixture.new()
  fill(db, 3)
  local result = assert(db:compare "s")
  local acc = result.metrics[1]
  local differences = { 0, 0, 0 } -- of each fold, the mean over two seeds
  for seed = 0, 1 do
    for fold = 0, 2 do
      local function right(step)
        local n = 0
        for i = 1, 120 do n = n + ((i + seed) % step == 0 and 0 or 1) end
        return n / 120
      end
      differences[fold + 1] = differences[fold + 1] + (right(7 + 2 * fold + seed) - right(4 + fold)) / 2
    end
  end
  local _, mean, sd = own.moments(differences)
  local se = sd * math.sqrt(1 / 3 + 120 / 110) -- the fixture's splits have 110 training images
  lu.assertAlmostEquals(acc.delta[2].mean, mean, 1e-12)
  lu.assertAlmostEquals(acc.delta[2].t, mean / se, 1e-9)
  lu.assertAlmostEquals(acc.delta[2].p, own.student(mean / se, 2), 1e-6)
  lu.assertEquals({ acc.delta[2].n, acc.delta[2].folds, acc.delta[2].df }, { 2, 3, 2 })
  lu.assertEquals(result.pairs[2].n, 360)
  lu.assertEquals(#result.pairs[2].mcnemar, 2)
  lu.assertStrContains(table.concat(result.notes, "\n"),
    "b: the test over folds and seeds is the corrected resampled t test (3 folds, 2 seeds each)")
end

function Folds.test_incomplete_folds_are_shown_and_not_compared()
  local db <close> = fixture.new()
  fill(db, 2)
  local groups = db:groups "s"
  lu.assertEquals({ groups[2].label, groups[2].done, groups[2].wanted, #groups[2].incomplete },
    { "b", 4, 6, 2 })
  local rows_of = require "aniso.show.group_rows"
  local _, rows = rows_of.rows(groups, rows_of.repetitions(groups),
    { { name = "acc", metric = "acc", higher = true } }, {})
  lu.assertEquals({ rows[1][2], rows[2][2] }, { "6/6", "4/6" })
  lu.assertTrue(rows[1][3].bold)
  lu.assertNil(rows[2][3].bold) -- better, and not all of it
  lu.assertTrue(rows[2][3].value > rows[1][3].value)
  local result = assert(db:compare "s")
  lu.assertNil(result.metrics[1].delta[2].mean)
  lu.assertStrContains(table.concat(result.notes, "\n"),
    "b: incomplete folds are not compared (seed 0 has 2/3, seed 1 has 2/3)")
  record(db, "b", 1, 2, fixture.every(9)) -- now one seed is whole: it alone counts
  groups = db:groups "s"
  lu.assertEquals({ #groups[2].members, groups[2].members[1].seed, groups[2].done }, { 1, 1, 5 })
  result = assert(db:compare "s")
  lu.assertEquals(result.metrics[1].delta[2].n, 1)
  lu.assertNotNil(result.metrics[1].delta[2].p)
end

-- Folds of another cut are other images: the difference of the means is shown, nothing is tested.
function Folds.test_folds_of_another_cut_are_not_paired()
  local db <close> = fixture.new()
  fill(db, 3)
  assert(db:exec [[
    INSERT INTO data_split(split_id, dataset_id, name, profile, sha256, folds, fold_set)
    SELECT split_id + 100, dataset_id, name, profile, sha256 || 'x', folds, 'another' FROM data_split]])
  assert(db:exec [[
    INSERT INTO split_class SELECT split_id + 100, class_idx, n_train, n_val, n_test, shot FROM split_class]])
  assert(db:exec "UPDATE run SET split_id = split_id + 100 WHERE label = 'b'")
  local result = assert(db:compare "s")
  lu.assertEquals(result.metrics[1].delta[2].n, 0)
  lu.assertTrue(result.metrics[1].delta[2].mean > 0)
  lu.assertStrContains(table.concat(result.notes, "\n"),
    "Δ is the difference of the means, and nothing is tested")
end

return { Folds = Folds }
