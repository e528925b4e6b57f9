-- Early stopping: a run ends after select.patience validations without a better value, also when it is
-- resumed in between, in lock-step with others, and when the last epoch is kept.
local lu = require "luaunit"
local aniso = require "aniso"
local core = require "aniso.core"
local early_stop = require "aniso.train.early_stop"
local fixture = dofile "tests/lua/store_fixture.lua"
local recorder = require "aniso.store.recorder"

local T = {}
local nowhere = assert(io.open("/dev/null", "w"))

-- With a learning rate of almost zero, no epoch is better than the first.
local function config_of(changes)
  local config = {
    data = { "lesions", n = 140, size = 12 }, backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 }, schedule = { "cosine", T = 40 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { epochs = 8, batch = 28, draws = 2, lr = 1e-12 },
    select = { steps = 2, draws = 1, patience = 2, metric = "acc" },
    sampler = { "ddim", steps = 3, draws = 2 },
  }
  return aniso.options.apply(config, changes or {})
end

local function new_db(name)
  local folder = fixture.folder()
  return assert(aniso.store.open(("%s/%s.db"):format(folder, name)))
end

local function job(db, changes, label)
  return { config = config_of(changes), seed = 0, label = label or "a", study = "s", db = db,
    stream = nowhere }
end

local EPOCHS = "SELECT max(step) FROM metric_value JOIN metric USING(metric_id) JOIN run USING(run_id) "
  .. "WHERE metric.name = 'loss' AND part = 'train' AND label = ?1"

local function stops(db)
  return fixture.one(db, "SELECT message FROM log WHERE message LIKE 'stopped %' LIMIT 1")
end

function T.test_a_run_stops_and_is_finished()
  for _, keep in ipairs { "best", "last" } do
    local db <close> = new_db "a"
    aniso.trainer.run(job(db, { ["select.keep"] = keep }))
    lu.assertEquals(fixture.one(db, EPOCHS, "a"), 3, keep)
    lu.assertEquals(fixture.one(db, "SELECT status FROM run"), "finished")
    lu.assertEquals(stops(db), "stopped after epoch 3 of 8: no better acc in 2 validations")
    lu.assertEquals(fixture.one(db, "SELECT step FROM evaluation WHERE part = 'test' AND is_primary = 1"),
      keep == "best" and 1 or 3)
  end
end

function T.test_without_patience_no_epoch_is_left_out()
  local db <close> = new_db "a"
  local config = job(db, { ["train.epochs"] = 4 })
  config.config.select.patience = nil
  aniso.trainer.run(config)
  lu.assertEquals(fixture.one(db, EPOCHS, "a"), 4)
  lu.assertNil(stops(db))
end

function T.test_validations_are_counted_and_not_epochs()
  local db <close> = new_db "a"
  aniso.trainer.run(job(db, { ["select.every"] = 2 }))
  lu.assertEquals(fixture.one(db, EPOCHS, "a"), 6)
end

function T.test_a_better_value_begins_the_count_again()
  local session = { stage = "joint", best = { epoch = 0 }, config = { select = { patience = 2 } } }
  local over = {}
  for i, value in ipairs { 0.5, 0.4, 0.6, 0.6, 0 / 0 } do
    local before = session.best
    session.best = { epoch = i, value = value } -- as with keep = "last"
    early_stop.validated(session, before, value)
    over[i] = early_stop.is_over(session)
  end
  lu.assertEquals(over, { false, false, false, false, true })
  session.stage = "prior" -- which runs share
  lu.assertFalse(early_stop.is_over(session))
end

function T.test_a_resumed_run_stops_after_the_same_epoch()
  local db <close> = new_db "a"
  local write = recorder.methods.checkpoint
  recorder.methods.checkpoint = function(self, of)
    if of.kind == "last" and of.step == 2 then error("the process ends here", 0) end
    return write(self, of)
  end
  lu.assertFalse((pcall(aniso.trainer.run, job(db))))
  recorder.methods.checkpoint = write
  aniso.trainer.resume(db, assert(db:find "@last"), nowhere)
  lu.assertEquals(fixture.one(db, "SELECT resumes FROM run"), 1)
  lu.assertEquals(fixture.one(db, EPOCHS, "a"), 3)
end

-- The one that stops does not end the other, and each has the bits that it has alone.
function T.test_in_lock_step_each_run_stops_for_itself()
  local together <close> = new_db "a"
  local alone <close> = new_db "b"
  local staged = { ["train.mode"] = "staged", ["train.prior_epochs"] = 1, ["train.lr"] = 1e-2,
    ["select.metric"] = "nll" }
  local hashes = {}
  local function both(db)
    local list = {}
    for i, gamma in ipairs { 0, 1 } do
      staged["schedule.lambda"] = { "power", gamma = gamma }
      list[i] = job(db, staged, "gamma " .. gamma)
    end
    return list
  end
  aniso.trainer.run_together(both(together))
  for _, one in ipairs(both(alone)) do aniso.trainer.run(one) end
  for i, db in ipairs { together, alone } do
    hashes[i] = {}
    for k, row in ipairs(assert(db:query "SELECT label, uid FROM run ORDER BY label")) do
      local tensors = assert(core.checkpoint.load(db:run_folder(row.uid) .. "/best.safetensors"))
      hashes[i][k] = { fixture.one(db, EPOCHS, row.label), tensors["den.denoiser.out.weight"]
        and tensors["den.denoiser.out.weight"]:list() }
    end
  end
  lu.assertEquals(hashes[1], hashes[2])
  lu.assertTrue(math.min(hashes[1][1][1], hashes[1][2][1]) < 9)
  lu.assertNotEquals(hashes[1][1][1], hashes[1][2][1]) -- one goes on when the other has stopped
end

return T
