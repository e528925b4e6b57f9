-- trainer: every training mode runs from start to stored evaluation on a tiny set, stages are shared,
-- seeds give the same results, and a run that cannot be trained is an error.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local stage = require "aniso.train.stage"
local remove = dofile "tests/lua/remove_tree.lua"

local T = {}
local root, db

function T:setUp()
  root = assert(core.sys.mkdtemp())
  db = assert(aniso.store.open(root .. "/runs.db"))
end

function T:tearDown()
  db:close()
  remove(root)
end

local function tiny()
  return {
    data = { "lesions", n = 140, size = 12 },
    backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40, lambda = "bound" },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { epochs = 2, batch = 28, draws = 2 },
    select = { steps = 2, draws = 1 },
    sampler = { "ddim", steps = 3, draws = 2 },
  }
end

local nowhere = assert(io.open("/dev/null", "w"))

local function run(changes, seed)
  return aniso.trainer.run { config = aniso.options.apply(tiny(), changes or {}), seed = seed or 0,
    label = "tiny", study = "test", db = db, stream = nowhere }
end

local function one(sql, ...)
  local rows = assert(db:query(sql, ...))
  local _, value = next(rows[1] or {})
  return value
end

local function weights(uid)
  local tensors = assert(core.checkpoint.load(("%s/runs/%s/best.safetensors"):format(root, uid)))
  return tensors
end

local function same(a, b)
  for name, x in pairs(a) do
    if b[name] == nil then return false, name end
    local u, v = x:list(), b[name]:list()
    for i = 1, #u do if u[i] ~= v[i] then return false, name end end
  end
  return true
end

local variations = {
  default = {},
  sample = { ["schedule.coupling"] = "sample", ["sampler"] = "ddpm" },
  speed_v = { ["schedule.coupling"] = "speed", ["train.prediction"] = "v", ["sampler"] = "dpmpp" },
  epsilon = { ["train.prediction"] = "epsilon", ["train.lr_schedule"] = "one_cycle",
    ["train.optimiser"] = "sgd", ["train.lr"] = 0.01 },
  film = { ["denoiser"] = { "film", dim = 8 }, ["prior.mode"] = "global" },
  ["local"] = { ["prior.mode"] = "local", ["loss.prior"] = "ldam" },
  frequency = { ["prior.mode"] = "frequency", ["loss.mmd"] = 0 },
  zero = { ["prior.mode"] = "zero" },
  gradient = { ["prior.gradient"] = true, ["loss.unbiased"] = true, ["train.ema_decay"] = 0 },
  balanced = { ["train.sampling"] = "class_balanced", ["loss.prior"] = "balanced_softmax",
    ["train.augment"] = { flip = true, transpose = true, shift = 2, noise = 0.1 } },
  one_draw = { ["train.draws"] = 1, ["train.clip"] = 0, ["select.keep"] = "last",
    ["train.lr_schedule"] = "constant", ["sampler.eta"] = 1 },
}

for name, changes in pairs(variations) do
  T["test_" .. name .. "_runs_to_its_end"] = function()
    local result = run(changes)
    lu.assertEquals(one("SELECT status FROM run"), "finished")
    lu.assertEquals(one("SELECT evaluation.n FROM evaluation WHERE part = 'test' AND is_primary = 1"), 42)
    lu.assertEquals(one("SELECT sum(confusion.n) FROM confusion JOIN evaluation USING(eval_id) "
      .. "WHERE part = 'test' AND is_primary = 1"), 42)
    local constant = name == "frequency" or name == "zero"
    lu.assertEquals(one("SELECT count(*) FROM evaluation WHERE sampler = 'prior'"), constant and 0 or 2)
    lu.assertTrue(result.metrics.acc >= 0 and result.metrics.acc <= 1)
    lu.assertEquals(one("SELECT count(*) FROM metric_value JOIN metric USING(metric_id) "
      .. "WHERE name = 'loss' AND part = 'train'"), 2)
  end
end

function T:test_the_same_seed_gives_the_same_weights_and_another_seed_others()
  local a, b, c = run(nil, 3), run(nil, 3), run(nil, 4)
  lu.assertTrue(same(weights(a.uid), weights(b.uid)))
  lu.assertFalse(same(weights(a.uid), weights(c.uid)))
  lu.assertEquals(a.metrics.nll, b.metrics.nll)
end

function T:test_lambda_of_one_is_the_isotropic_process_to_the_bit()
  local a = run { ["schedule.lambda"] = "isotropic" }
  local b = run { ["schedule.lambda"] = { "power", gamma = 0 } }
  lu.assertTrue(same(weights(a.uid), weights(b.uid)))
end

function T:test_a_staged_sweep_trains_the_first_stage_once()
  local staged = { ["train.mode"] = "staged", ["train.prior_epochs"] = 1 }
  local a = run(staged)
  staged["schedule.lambda"] = "isotropic"
  local b = run(staged)
  local function epochs(uid)
    return one("SELECT count(*) FROM metric_value JOIN metric USING(metric_id) JOIN run "
      .. "USING(run_id) WHERE metric.name = 'loss' AND part = 'train' AND uid = ?1", uid)
  end
  lu.assertEquals(epochs(a.uid), 3)
  lu.assertEquals(epochs(b.uid), 2)
  local x, y = weights(a.uid), weights(b.uid)
  lu.assertEquals(x["net.backbone.conv1.weight"]:list(), y["net.backbone.conv1.weight"]:list())
  lu.assertNotEquals(x["den.denoiser.out.weight"] and x["den.denoiser.out.weight"]:list(),
    y["den.denoiser.out.weight"] and y["den.denoiser.out.weight"]:list() or nil)
end

function T:test_the_second_stage_does_not_change_the_first()
  local a = run { ["train.mode"] = "staged", ["train.prior_epochs"] = 1, ["train.epochs"] = 1 }
  local b = run { ["train.mode"] = "staged", ["train.prior_epochs"] = 1, ["train.epochs"] = 2 }
  local x, y = weights(a.uid), weights(b.uid)
  for name, tensor in pairs(x) do
    if name:match "^net%." then lu.assertEquals(tensor:list(), y[name]:list(), name) end
  end
end

-- Lua's collector would also free them, but some steps later.
function T:test_a_step_frees_its_images()
  for number, mode in ipairs { "joint", "staged" } do
    local session = aniso.trainer.prepare { seed = 0,
      config = config.complete(aniso.options.apply(tiny(), { ["train.mode"] = mode })) }
    stage.begin(session, number)
    session.lr_schedule = function() return 1 end
    session.model:train(true)
    local made, model = {}, session.model
    for _, name in ipairs { "encode", "context" } do
      local make = model[name]
      model[name] = function(...)
        made[name] = table.pack(make(...))
        return table.unpack(made[name])
      end
    end
    do
      local batch <close> = stage.batch(session, session.dataset:order("train", { sampling = "instance",
        seed = 0, epoch = 1, epochs = 1 }):narrow(1, 1, 28))
      stage.step_on(session, batch, 10)
      made.batch = { batch.images }
    end
    lu.assertEquals(tostring(made.encode[1]), "Tensor (closed)", mode)
    lu.assertEquals(tostring(made.context[1]), "Context (closed)", mode)
    lu.assertEquals(tostring(made.batch[1]), "Tensor (closed)", mode)
  end
end

function T:test_nothing_to_train_is_an_error()
  lu.assertErrorMsgContains("nothing to train", run,
    { ["train.mode"] = "staged", ["prior.mode"] = "zero" })
  lu.assertEquals(one "SELECT status FROM run", "failed")
end

function T:test_an_unknown_selection_metric_is_an_error()
  lu.assertErrorMsgContains("select.metric", run, { ["select.metric"] = "beauty" })
end

function T:test_a_run_that_ran_out_of_memory_can_be_resumed()
  core.sys.fail_at(3000)
  local ok, message = pcall(run)
  core.sys.fail_at(0)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(message), "memory")
  lu.assertEquals(one "SELECT status FROM run", "failed")
  local result = aniso.trainer.resume(db, assert(db:find "@last"), nowhere)
  local whole = run()
  lu.assertTrue(same(weights(result.uid), weights(whole.uid)))
end

return { Training = T }
