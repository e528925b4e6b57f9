-- Runs with select.calibrate: what the validation part chooses is what a plain search over the stored
-- predictions finds; both evaluations are stored, and the test part's calibrated one follows from its plain
-- one.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local metric = require "aniso.stats.metric"
local shift = require "aniso.stats.tilt"
local fixture = dofile "tests/lua/store_fixture.lua"

local nowhere = assert(io.open("/dev/null", "w"))

local Run = {}
local db

function Run.setUp()
  db = assert(aniso.store.open(fixture.folder() .. "/runs.db"))
end

function Run.tearDown()
  db:close()
end

local function job(changes)
  return { db = db, seed = 1, label = "run", study = "s", stream = nowhere, config = aniso.options.apply({
    data = { "lesions", n = 210, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40, lambda = "bound" }, denoiser = { "film", dim = 8 },
    select = { steps = 2, draws = 1 }, sampler = { "ddpm", steps = 3, draws = 3 },
    train = { epochs = 2, batch = 28, draws = 2, lr = 0.01 } }, changes) }
end

-- "part sampler" → {row of evaluation, probs = N rows, labels}
local function evaluations()
  local out = {}
  for _, row in ipairs(assert(db:query "SELECT * FROM evaluation ORDER BY eval_id")) do
    row.probs, row.labels = {}, {}
    for i, one in ipairs(assert(db:query("SELECT true_idx, probs FROM prediction WHERE eval_id = ?1 "
      .. "ORDER BY sample_idx", row.eval_id))) do
      row.probs[i] = { (("f"):rep(#one.probs // 4)):unpack(one.probs) }
      table.remove(row.probs[i]) -- the position after the last
      row.labels[i] = one.true_idx
    end
    row.calibration = row.calibration and core.json.decode(row.calibration)
    out[row.part .. " " .. row.sampler] = row
  end
  return out
end

-- The first best τ of the option's default list, by a search over stored probabilities.
local function searched(rows, labels, counts, name)
  local best, chosen
  for i = 0, 15 do
    local tilted = shift.apply(rows, shift.prior(counts, i / 10))
    local value = metric.evaluate({ ["true"] = labels, probs = i == 0 and rows or tilted })[name]
    if best == nil or value > best then best, chosen = value, i / 10 end
  end
  return chosen, best
end

function Run.test_the_validation_chooses_and_the_test_follows()
  local uid = aniso.trainer.run(job { ["select.calibrate"] = "bacc" }).uid
  local e, counts = evaluations(), {}
  for j, class in ipairs(db:split_of(db:find(uid)).classes) do counts[j] = class.n_train end
  for by, plain in pairs { ["ddpm + calibrated"] = "ddpm", ["prior + calibrated"] = "prior" } do
    local val, test = e["val " .. by], e["test " .. by]
    local tau, value = searched(e["val " .. plain].probs, e["val " .. plain].labels, counts, "bacc")
    local record = val.calibration
    lu.assertEquals({ record.tau, record.rule.metric, record.part }, { tau, "bacc", "val" })
    lu.assertAlmostEquals(record.value, value, 1e-12)
    lu.assertEquals(test.calibration, record)
    local kappa = shift.prior(counts, tau)
    for _, part in ipairs { "val", "test" } do
      local before, after = e[part .. " " .. plain], e[part .. " " .. by]
      lu.assertEquals(after.probs, tau == 0 and before.probs or shift.apply(before.probs, kappa):totable())
      lu.assertEquals({ before.is_primary, before.calibration }, { 0, nil })
      lu.assertEquals(after.is_primary, plain == "ddpm" and 1 or 0)
    end
  end
  lu.assertEquals(#assert(db:query "SELECT 1 FROM evaluation"), 8)
end

-- Without a denoiser the prior's own predictions are primary, and as calibrated where they are.
function Run.test_a_classifier_is_calibrated_alike()
  local uid = aniso.trainer.run(job { denoiser = "none", ["select.calibrate"] = "bacc" }).uid
  local e, counts = evaluations(), {}
  for j, class in ipairs(db:split_of(db:find(uid)).classes) do counts[j] = class.n_train end
  local tau = searched(e["val prior"].probs, e["val prior"].labels, counts, "bacc")
  for _, part in ipairs { "val", "test" } do
    local before, after = e[part .. " prior"], e[part .. " prior + calibrated"]
    lu.assertEquals({ before.is_primary, after.is_primary, after.calibration.tau }, { 0, 1, tau })
  end
  lu.assertEquals(#assert(db:query "SELECT 1 FROM evaluation"), 4)
  lu.assertEquals(assert(db:scores {})[1].by, "prior")
end

function Run.test_without_the_rule_nothing_changes()
  aniso.trainer.run(job { ["select.calibrate"] = "bacc" })
  local with = evaluations()
  db:close()
  Run.setUp()
  aniso.trainer.run(job {})
  local without = evaluations()
  for _, name in ipairs { "val ddpm", "test ddpm", "val prior", "test prior" } do
    lu.assertEquals(without[name].probs, with[name].probs)
  end
  lu.assertEquals(without["test ddpm"].is_primary, 1)
  lu.assertEquals(#assert(db:query "SELECT 1 FROM evaluation"), 4)
end

-- Levels and tilts inside the chain need chains of their own; the chosen one's test part is what an
-- evaluation by those very options stores.
function Run.test_levels_and_tilts_inside_the_chain()
  local uid = aniso.trainer.run(job { ["schedule.coupling"] = "sample",
    ["select.calibrate"] = { metric = "nll", tau = { 0.5, 1 }, temperature = { 0.1, 1 },
      level = { "max", 0.7 }, where = "chain" } }).uid
  local test = evaluations()["test ddpm + calibrated"]
  local chosen = test.calibration
  lu.assertTrue(chosen.tau == 0.5 or chosen.tau == 1)
  lu.assertTrue(chosen.level == "max" or chosen.level == 0.7)
  local run = assert(db:find(uid))
  local how = db:config(run).sampler
  how.level, how.temperature = chosen.level, chosen.temperature
  how.tilt = { "prior", tau = chosen.tau, where = "chain" }
  aniso.trainer.evaluate(db, run, how)
  local name = ("test ddpm + level %s, tilt prior (tau %g, chain), temperature %g"):format(chosen.level,
    chosen.tau, chosen.temperature)
  local again = evaluations()[name]
  lu.assertEquals(again.probs, test.probs)
  lu.assertEquals(again.is_primary, 0)
end

-- A finished run is calibrated later to what it would have stored at its end.
function Run.test_a_stored_run_is_calibrated_again()
  local rule = { metric = "macro_f1", temperature = { 0.1, 0.25, 1 } }
  aniso.trainer.run(job { ["select.calibrate"] = rule })
  local expected = evaluations()
  db:close()
  Run.setUp()
  local uid = aniso.trainer.run(job {}).uid
  local run = assert(db:find(uid))
  aniso.trainer.evaluate(db, run, db:config(run).sampler, rule)
  local got = {}
  for name, one in pairs(evaluations()) do got[name:gsub("(calibrated) macro_f1 %x+$", "%1")] = one end
  for _, name in ipairs { "val ddpm + calibrated", "test ddpm + calibrated", "test prior + calibrated" } do
    lu.assertEquals(got[name].probs, expected[name].probs)
    lu.assertEquals(got[name].calibration, expected[name].calibration)
    lu.assertEquals(got[name].is_primary, 0)
  end
  lu.assertEquals(got["test ddpm"].is_primary, 1)
end

-- Calibrations by two rules are two evaluations; the run's own stays the primary one.
function Run.test_another_rule_replaces_nothing()
  local uid = aniso.trainer.run(job { ["select.calibrate"] = "bacc" }).uid
  local run, before = assert(db:find(uid)), evaluations()
  local sampler = db:config(run).sampler
  aniso.trainer.evaluate(db, run, sampler, { metric = "macro_f1" })
  aniso.trainer.evaluate(db, run, sampler, { metric = "bacc", tau = { 1.5 } })
  local after, others = evaluations(), 0
  for name, one in pairs(before) do
    lu.assertEquals({ after[name].probs, after[name].is_primary, after[name].calibration },
      { one.probs, one.is_primary, one.calibration })
  end
  for name, one in pairs(after) do
    if not before[name] then
      lu.assertEquals(one.is_primary, 0)
      others = others + (name:match "^test %a+ %+ calibrated %a[%a_%d]* %x+$" and 1 or 0)
    end
  end
  lu.assertEquals(others, 4)
end

-- Repeated with its own settings, the evaluation of a run is the same and primary, even where a file of an
-- earlier version has no primary one of the part (any more).
function Run.test_the_evaluation_of_a_run_is_repeated()
  local uid = aniso.trainer.run(job {}).uid
  local run, before = assert(db:find(uid)), evaluations()["test ddpm"]
  for _, is_primary in ipairs { 1, 0 } do
    local set = "UPDATE evaluation SET is_primary = ?1 WHERE is_primary = 1 AND part = 'test'"
    assert(db:exec(set, is_primary))
    aniso.trainer.evaluate(db, run, db:config(run).sampler)
    local after = evaluations()["test ddpm"]
    lu.assertEquals({ after.is_primary, after.probs }, { 1, before.probs })
  end
  lu.assertEquals(fixture.one(db, "SELECT count(*) FROM evaluation WHERE is_primary = 1"), 2)
end

return { Run = Run }
