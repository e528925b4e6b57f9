-- train.memory: what a step needs is known before it is taken, as few blocks as the budget requires are
-- recomputed, and no bit of a result changes.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local byte_size = require "aniso.recipe.byte_size"
local config = require "aniso.method.config"
local config_hash = require "aniso.store.config_hash"
local equal_variants = require "aniso.recipe.equal_variants"
local lockstep = require "aniso.train.lockstep"
local stage = require "aniso.train.stage"
local step_memory = require "aniso.train.step_memory"

local fixture = dofile "tests/lua/freezing_fixture.lua"
local remove_tree = dofile "tests/lua/remove_tree.lua"
local complete, begun, assert_same = fixture.complete, fixture.begun, fixture.assert_same
core.tensor.zeros { 1 }

-- ── the option ──────────────────────────────────────────────────────────────────────────
local Option = {}

function Option.test_sizes()
  local sizes = { ["512M"] = 2 ^ 29, ["2G"] = 2 ^ 31, ["1.5G"] = 1.5 * 2 ^ 30, ["3K"] = 3072 }
  for text, bytes in pairs(sizes) do
    lu.assertEquals(byte_size.read(text), bytes)
  end
  for _, text in ipairs { "", "2", "G", "2g", "2GB", "-1G", "0M", "1e3M", "1.2.3M", "2 G", "99999999999G" } do
    lu.assertNil(byte_size.read(text), text)
  end
  lu.assertEquals(byte_size.text(3 * 2 ^ 29), "1.50G")
  lu.assertEquals(byte_size.text(3 * 2 ^ 29 + 1), "1.51G")
  lu.assertEquals(byte_size.text(100.5 * 2 ^ 20), "101M")
  lu.assertEquals(byte_size.text(0), "0.00K")
  for _, bytes in ipairs { 1, 1025, 5 * 2 ^ 20 + 1, 77 * 2 ^ 20 + 1, 2 ^ 31 - 1, 2 ^ 40 + 1 } do
    lu.assertTrue(byte_size.read(byte_size.text(bytes)) >= bytes)
  end
end

function Option.test_values()
  lu.assertEquals(complete { ["train.memory"] = "2G" }.train.memory, "2G")
  lu.assertNil(complete { ["train.memory"] = "none" }.train.memory)
  lu.assertNil(complete().train.memory)
  for _, wrong in ipairs { "2", "much", 2000000, true } do
    lu.assertErrorMsgContains('option train.memory must be a size such as "512M" or "2G", or "none", got',
      complete, { ["train.memory"] = wrong })
  end
end

function Option.test_it_does_not_identify_a_run()
  local plain, limited = complete(), complete { ["train.memory"] = "2G" }
  lu.assertEquals(config_hash(limited), config_hash(plain))
  lu.assertEquals(limited.train.memory, "2G")
  local jobs = { { label = "a", config = plain }, { label = "b", config = limited } }
  lu.assertEquals({ equal_variants.find(jobs) }, { "a", "b" })
  lu.assertNotEquals(config_hash(complete { ["train.freeze"] = false }), config_hash(plain))
end

-- In lock-step one run trains the first stage of all.
function Option.test_runs_in_lock_step_have_one_budget()
  local function job(memory)
    return { seed = 0, config = complete { ["train.mode"] = "staged", ["train.memory"] = memory } }
  end
  lu.assertEquals(#lockstep.groups { job "2G", job "2G" }, 1)
  lu.assertEquals(#lockstep.groups { job "2G", job() }, 2)
end

function Option.test_features_have_no_blocks()
  local of = complete { ["train.memory"] = "2G" }
  lu.assertEquals(config.unused(of), {})
  of.backbone = { "none" }
  lu.assertStrContains(config.unused(of)[1], "option train.memory has no effect: features have no backbone")
end

-- ── the choice ──────────────────────────────────────────────────────────────────────────
local Choice = {}

-- The most bytes in use at once during three steps of a session.
local function peak_of_steps(session)
  collectgarbage()
  stage.step(session, core.tensor.arange(session.config.train.batch), 100)
  core.sys.tensor_peak()
  for _ = 1, 3 do stage.step(session, core.tensor.arange(session.config.train.batch), 100) end
  return core.sys.tensor_peak()
end

-- A ResNet-18 at 64 pixels with a budget between what no and what every recomputed block needs.
function Choice.test_the_measured_peak_is_below_the_budget()
  local session = begun { ["data.size"] = 64, backbone = "resnet18", ["train.batch"] = 12 }
  local needs, blocks, batch = step_memory.expect(session)
  lu.assertEquals({ blocks, batch }, { 9, 12 })
  local limit = (needs(0) + needs(blocks)) // 2
  session.config.train.memory = ("%dK"):format(limit // 1024)
  local chosen = step_memory.choose(session)
  lu.assertTrue(chosen.recomputed > 0 and chosen.recomputed < blocks, chosen.recomputed)
  lu.assertTrue(needs(chosen.recomputed - 1) > limit - 1024 and chosen.need <= limit)
  local peak = peak_of_steps(session)
  lu.assertTrue(peak <= limit, ("%d bytes of %d"):format(peak, limit))
  lu.assertTrue(peak >= 0.97 * chosen.need, ("%d bytes, %d expected"):format(peak, chosen.need))
  session.model.backbone:recompute(0)
  lu.assertTrue(peak_of_steps(session) > limit, "without recomputation")
end

-- The weights, averages and running moments of a session, and its gradient.
local function state_of(session)
  local out = {}
  for i, part in ipairs(session.model.modules) do
    local values, gradient = part.module:flat()
    out[i] = { values:list(), gradient:list(), part.module:flat_buffers():list(),
      session.emas[i] and session.emas[i].values:list() }
  end
  return out
end

function Choice.test_it_leaves_no_trace_and_changes_no_bit()
  for _, mode in ipairs { "joint", "staged" } do
    local changes = { ["train.mode"] = mode, ["data.size"] = 16 }
    if mode == "staged" then changes["train.mixup"] = 1 end
    local plain = begun(changes)
    local before = state_of(plain)
    local _, blocks = step_memory.expect(plain)
    assert_same(state_of(plain), before, "measuring leaves a trace")
    fixture.take_steps(plain, 3)
    for _, n in ipairs { 1, blocks // 2, blocks } do
      local limited = begun(changes)
      local needs = step_memory.expect(limited)
      limited.config.train.memory = ("%.3fK"):format(needs(n) / 1024 + 0.001)
      local chosen = step_memory.choose(limited)
      lu.assertTrue(chosen.recomputed > 0)
      assert_same(state_of(limited), before, "choosing leaves a trace")
      fixture.take_steps(limited, 3)
      assert_same(state_of(limited), state_of(plain), mode .. ", blocks recomputed: " .. chosen.recomputed)
    end
  end
end

function Choice.test_a_budget_that_is_too_small()
  local session = begun { ["train.memory"] = "20K" }
  local ok, problem = pcall(step_memory.choose, session)
  lu.assertFalse(ok)
  local least = problem:match("^option train.memory is 20K, but a training step on 28 images of 12×12 needs "
    .. "about (%S+) with every block of the backbone recomputed: lower train.batch or data.size, or give "
    .. "more$")
  lu.assertNotNil(least, problem)
  session.config.train.memory = least
  lu.assertEquals(step_memory.choose(session).recomputed, 4)
end

-- Once the stage's last part is unfrozen, a step needs most.
function Choice.test_it_holds_when_parts_are_unfrozen()
  local session = begun { ["data.size"] = 32, ["train.freeze"] = true, ["train.unfreeze_every"] = 1 }
  local needs = step_memory.expect(session)
  lu.assertTrue(session.groups[1][1].frozen)
  local frozen = peak_of_steps(session)
  session.epoch = 4
  require("aniso.train.parameter_groups").follow(session)
  local peak = peak_of_steps(session)
  lu.assertTrue(peak > frozen)
  lu.assertTrue(peak <= 1.02 * needs(0), ("%d bytes, %d expected"):format(peak, needs(0)))
end

function Choice.test_stages_behind_a_frozen_net_have_no_choice()
  local session = begun { ["train.mode"] = "staged", ["train.memory"] = "1K" }
  stage.begin(session, 2)
  lu.assertNil(step_memory.choose(session))
end

-- ── stored runs ─────────────────────────────────────────────────────────────────────────
local Stored = {}
local nowhere = assert(io.open("/dev/null", "w"))
local folder, db

function Stored.setUp()
  folder = assert(core.sys.mkdtemp())
  db = assert(aniso.store.open(folder .. "/runs.db"))
end

function Stored.tearDown()
  db:close()
  remove_tree(folder)
end

local function job_of(memory)
  return { config = complete { ["train.memory"] = memory, ["train.epochs"] = 2 }, seed = 0, label = "a",
    study = "s", db = db, stream = nowhere }
end

local function weights_of(row)
  local out = {}
  for name, x in pairs(assert(core.checkpoint.load(db:run_folder(row.uid) .. "/best.safetensors"))) do
    out[name] = x:list()
  end
  return out
end

function Stored.test_a_run_that_fails_for_its_budget_goes_on_with_another()
  aniso.trainer.run(job_of())
  local plain = weights_of(db:find "@last")
  lu.assertErrorMsgContains("option train.memory is 1K", aniso.trainer.run, job_of "1K")
  local row = assert(db:find "@last")
  lu.assertEquals(row.status, "failed")
  local trainer = require "aniso.train.run"
  local job = trainer.stored_job(db, row, nowhere)
  lu.assertEquals(job.config.train.memory, "1K")
  lu.assertNil(db:config(row).train.memory)
  job.config.train.memory = "1G"
  trainer.resume_together { job }
  assert_same(weights_of(row), plain)
  local logged = db:query "SELECT message FROM log WHERE message LIKE 'train.memory%'"
  lu.assertEquals(#logged, 1)
  lu.assertStrMatches(logged[1].message,
    "train.memory = 1G: a step needs about %S+; none of the backbone's 4 blocks recomputed")
end

-- A text from a database is a size or nothing.
function Stored.test_what_an_environment_records()
  local with = step_memory.with_recorded
  lu.assertEquals(with({ train = {} }, { memory = "3M" }), { train = { memory = "3M" } })
  for _, env in ipairs { { memory = "no size" }, { memory = 7 }, { memory = {} }, {} } do
    lu.assertEquals(with({ train = {} }, env), { train = {} })
  end
  lu.assertEquals(with({}, { memory = "3M" }), {})
end

return { test_option = Option, test_choice = Choice, test_stored = Stored }
