-- Runs without a denoiser: nothing of a denoiser is trained or stored, the prior's predictions are the
-- primary ones everywhere, the first stage is shared, and a killed run goes on to the same bits.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local group_rows = require "aniso.show.group_rows"
local lockstep = require "aniso.train.lockstep"
local objective = require "aniso.method.objective"
local status = require "aniso.store.status"
local fixture = dofile "tests/lua/store_fixture.lua"
local plain = dofile "tests/lua/plain_fixture.lua"

local T = {}

local function epochs(db, uid)
  return fixture.one(db, "SELECT count(*) FROM metric_value JOIN metric USING(metric_id) JOIN run "
    .. "USING(run_id) WHERE metric.name = 'loss' AND part = 'train' AND uid = ?1", uid)
end

function T.test_nothing_of_a_denoiser_is_made_or_stored()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local result = plain.run(db)
  for name in pairs(plain.weights(db, result.uid)) do lu.assertStrMatches(name, "net%..*") end
  local last = ("%s/%s/last.safetensors"):format(db:folder(), result.uid)
  for name in pairs(assert(core.checkpoint.load(last))) do
    lu.assertNil(name:find("den", 1, true), name)
  end
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM lambda"), 0)
  lu.assertEquals(epochs(db, result.uid), 2)
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM metric WHERE name LIKE 'loss_denoising'"), 0)
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM evaluation WHERE sampler <> 'prior'"), 0)
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM evaluation WHERE is_primary = 1"), 2)
end

function T.test_its_predictions_are_the_primary_ones()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local result = plain.run(db)
  local scores = assert(db:scores { prior = true })
  lu.assertEquals(#scores, 1)
  lu.assertEquals({ scores[1].by, scores[1].prior }, { "prior", false })
  lu.assertAlmostEquals(scores[1].metrics.macro_f1, result.metrics.macro_f1, 1e-12)
  lu.assertEquals(assert(db:find "@best:macro_f1").uid, result.uid)
  lu.assertEquals(#db:select { "macro_f1>=0" }, 1)
  lu.assertEquals(#db:select { "method=card" }, 0) -- a key even where no run has a method
  local columns, rows = group_rows.finished(db, { { uid = result.uid } })
  lu.assertEquals({ columns[2], rows[1][2], #rows }, { "by", "prior", 1 })
  lu.assertAlmostEquals(db:groups "sweep"[1]:of "macro_f1".mean, result.metrics.macro_f1, 1e-12)
  lu.assertNotNil(db:predictions(scores[1].eval_id))
end

function T.test_its_progress_is_that_of_the_prior()
  local db <close> = plain.new_db(fixture.folder(), "a")
  for i, expected in ipairs { 2, 5 } do -- the second takes its first stage from the first
    local result = plain.run(db, { post_hoc = i == 2 and { "crt", epochs = 3 } or nil })
    assert(db:exec("UPDATE run SET ended_at = NULL, heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') "
      .. "WHERE uid = ?1", result.uid))
    local row = status.of_run(db, assert(db:find(result.uid)), config.complete).rows[1]
    lu.assertEquals({ row.state, row.epochs, row.val.name }, { "running", expected, "macro_f1" })
    local curves = assert(db:curves(db:find(result.uid))).val
    local own = i == 1 and curves.prior_macro_f1 or curves.macro_f1
    lu.assertEquals(row.val.value, own.value[#own.value])
  end
end

-- The prior's own predictions of a run with a denoiser on the same first stage are the same.
function T.test_it_shares_the_first_stage_and_the_predictions_of_card()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local softmax = plain.run(db)
  local card = aniso.trainer.run(plain.jobs_of(db, { { denoiser = { "film", dim = 8 },
    ["prior.mode"] = "global", ["prior.top_percent"] = 100, ["train.prior_epochs"] = 2,
    ["train.epochs"] = 1 } })[1])
  lu.assertEquals({ epochs(db, softmax.uid), epochs(db, card.uid) }, { 2, 1 })
  local confusion = [[SELECT group_concat(true_idx || ' ' || pred_idx || ' ' || c.n) AS text FROM confusion c
    JOIN evaluation USING(eval_id) JOIN run USING(run_id) WHERE uid = ?1 AND sampler = 'prior'
     AND part = 'test']]
  lu.assertEquals(fixture.one(db, confusion, softmax.uid), fixture.one(db, confusion, card.uid))
end

function T.test_a_run_that_finds_its_first_stage_ends_like_the_one_that_trained_it()
  local folder = fixture.folder()
  local a <close> = plain.new_db(folder, "a")
  local b <close> = plain.new_db(folder, "b")
  local trained, found = plain.run(a), plain.run(b)
  lu.assertEquals(epochs(b, found.uid), 0)
  lu.assertEquals(found.metrics.nll, trained.metrics.nll)
  local function best(db)
    local row = assert(db:query "SELECT step, sha256 FROM checkpoint WHERE kind = 'best'")[1]
    local of = assert(db:query "SELECT DISTINCT step FROM evaluation")
    return { row.step, row.sha256, of[1].step, #of }
  end
  lu.assertEquals(best(b), best(a))
end

function T.test_a_killed_run_goes_on_to_the_same_bits()
  for _, mixup in ipairs { 0, 0.5 } do
    local db <close> = plain.new_db(fixture.folder(), "a")
    local result = plain.run(db, { ["train.mixup"] = mixup })
    local whole = plain.stored(db, result.uid)
    plain.rewind(db, result.uid, true)
    aniso.trainer.resume(db, assert(db:find(result.uid)), assert(io.open("/dev/null", "w")))
    lu.assertEquals(fixture.one(db, "SELECT resumes FROM run"), 1)
    lu.assertEquals(epochs(db, result.uid), 2)
    lu.assertEquals(plain.stored(db, result.uid), whole, "mixup " .. mixup)
  end
end

function T.test_any_number_of_threads_gives_the_same_bits()
  local before, stored = core.sys.threads(), {}
  for threads = 1, 2 do
    local db <close> = plain.new_db(fixture.folder(), "a")
    core.sys.threads(threads)
    local ok, result = pcall(plain.run, db, { ["train.mixup"] = 0.5, post_hoc = { "crt", epochs = 1 } })
    core.sys.threads(before)
    assert(ok, result)
    stored[threads] = plain.stored(db, result.uid)
  end
  lu.assertEquals(stored[1], stored[2])
end

-- Shares of the classes over all steps, against 1910.09217: π, 1/K, ∝ √n, and (1−u) π + u/K with u from
-- 0 to 1 over the epochs, whose mean is halfway.
function T.test_the_sampling_of_classes_reaches_the_training()
  local counts = aniso.data { "lesions", n = 140, size = 12 }.counts
  local n, roots = 0, 0
  for _, count in ipairs(counts) do n, roots = n + count, roots + math.sqrt(count) end
  local share = { instance = function(c) return c / n end,
    class_balanced = function() return 1 / #counts end,
    square_root = function(c) return math.sqrt(c) / roots end,
    progressive = function(c) return (c / n + 1 / #counts) / 2 end }
  for sampling, of in pairs(share) do
    local db <close> = plain.new_db(fixture.folder(), "a")
    local seen, all, step = {}, 0, objective.step
    objective.step = function(self, images, labels, ...)
      for _, label in ipairs(labels:list()) do seen[label], all = (seen[label] or 0) + 1, all + 1 end
      return step(self, images, labels, ...)
    end
    local ok, problem = pcall(plain.run, db, { ["train.sampling"] = sampling, ["train.prior_epochs"] = 20,
      ["select.every"] = 20 })
    objective.step = step
    assert(ok, problem)
    lu.assertEquals(all, 20 * n)
    for j, count in ipairs(counts) do
      local p = of(count)
      local tolerance = sampling == "instance" and 1e-12 or 4.5 * math.sqrt(p * (1 - p) / all)
      lu.assertAlmostEquals((seen[j - 1] or 0) / all, p, tolerance, sampling)
    end
  end
end

-- u is 0 in the first and 1 in the last epoch of each stage.
function T.test_progressive_sampling_spans_each_stage()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local counts, seen, step = aniso.data { "lesions", n = 140, size = 12 }.counts, {}, objective.step
  objective.step = function(self, images, labels, ...)
    local at = self.epoch + 1 -- of both stages
    seen[at] = seen[at] or { n = 0, most = 0 }
    for _, label in ipairs(labels:list()) do
      seen[at].n, seen[at].most = seen[at].n + 1, seen[at].most + (label == 0 and 1 or 0)
    end
    return step(self, images, labels, ...)
  end
  local ok, problem = pcall(aniso.trainer.run, plain.jobs_of(db, { { denoiser = { "film", dim = 8 },
    ["train.sampling"] = "progressive", ["train.prior_epochs"] = 5, ["train.epochs"] = 5 } })[1])
  objective.step = step
  assert(ok, problem)
  local p = counts[1] / 84
  for _, first in ipairs { 1, 6 } do
    for i = 0, 4 do
      local expected, epoch = (1 - i / 4) * p + i / 4 / #counts, seen[first + i]
      lu.assertEquals(epoch.n, 84)
      lu.assertAlmostEquals(epoch.most / 84, expected, 3.5 * math.sqrt(expected * (1 - expected) / 84))
    end
  end
end

function T.test_it_never_goes_in_lock_step()
  local jobs = plain.jobs_of(nil, { plain.softmax(), plain.softmax { post_hoc = "crt" }, {}, {} })
  local sizes = {}
  for i, group in ipairs(lockstep.groups(jobs)) do sizes[i] = #group end
  lu.assertEquals(sizes, { 1, 1, 2 })
end

function T.test_there_is_no_sampler_to_evaluate_with()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local result = plain.run(db)
  lu.assertErrorMsgContains("the run has no denoiser (denoiser = none), so there is no sampler",
    aniso.trainer.evaluate, db, assert(db:find(result.uid)), { "ddim", steps = 2 })
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM evaluation"), 2)
end

return T
