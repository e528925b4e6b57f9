-- Frozen parts of the backbone and gradual unfreezing: what changes and what does not, also across an
-- interruption.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local checkpoint = require "aniso.train.checkpoint"
local config = require "aniso.method.config"
local first_stage = require "aniso.train.first_stage"
local parameter_groups = require "aniso.train.parameter_groups"
local remove = dofile "tests/lua/remove_tree.lua"

local nowhere = assert(io.open("/dev/null", "w"))

local fixture = dofile "tests/lua/freezing_fixture.lua"
local complete, begun, take_steps, SCALE = fixture.complete, fixture.begun, fixture.take_steps, fixture.SCALE
local assert_same = fixture.assert_same

-- Copies of all tensors of a module by name.
local function copies(module)
  local out = {}
  for name, x in pairs(module:state()) do out[name] = x:list() end
  return out
end

-- Names of the tensors of the session's net that differ from `before`, the backbone's by part.
local function changed_parts(net, before)
  local parts, unchanged = {}, {}
  for name, x in pairs(net:state()) do
    local part = name:match "^backbone%.(layer%d)" or name:match "^backbone%." and "stem" or "prior"
    local now, same = x:list(), true
    for i, value in ipairs(before[name]) do same = same and now[i] == value end
    local set = same and unchanged or parts
    set[part] = (set[part] or 0) + 1
  end
  return parts, unchanged
end

local function names_of(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, " ")
end

local Frozen = {}

-- Every value and every running moment of the frozen parts keeps its bits, in the averages too; all of the
-- others move.
function Frozen.test_frozen_parts_keep_their_bits()
  local cases = { stem = "layer1 layer2 layer3 prior", layer2 = "layer3 prior", [true] = "prior" }
  for freeze, moving in pairs(cases) do
    local session = begun { ["train.freeze"] = freeze }
    local net, before = session.model.net, copies(session.model.net)
    take_steps(session, 3)
    for _, averaged in ipairs { false, true } do
      if averaged then session.emas[1]:swap() end
      local changed, unchanged = changed_parts(net, before)
      lu.assertEquals(names_of(changed), moving, tostring(freeze))
      for part in pairs(changed) do lu.assertNil(unchanged[part], part) end
    end
  end
end

-- The optimiser has state for what it trains, and the tape records nothing of the frozen part.
function Frozen.test_frozen_parts_take_no_state_and_no_tape()
  local session = begun { ["train.freeze"] = "layer2" }
  take_steps(session, 2)
  local net, elements = session.model.net, 0
  for piece in parameter_groups.pieces(session.groups[1]) do
    elements = elements + (piece.optimiser.state.m and piece.optimiser.state.m:numel() or 0)
  end
  local trained = 0
  for _, prefix in ipairs { "backbone.layer3.", "prior." } do
    for _, range in ipairs(net:decay_ranges(prefix)) do trained = trained + range.length end
  end
  lu.assertEquals(elements, trained)
  lu.assertTrue(trained < net:count())
  local images = session.dataset:batch("train", 0, 4)
  session = begun { ["train.freeze"] = true }
  lu.assertNil(session.model.backbone:forward(images).grad)
  lu.assertFalse(pcall(function() session.model.backbone:forward(images):sum():backward() end))
end

-- Without the options there is one group, stepped as a whole.
function Frozen.test_a_module_is_one_group_by_default()
  local session = begun()
  lu.assertEquals(#session.groups[1], 1)
  lu.assertIs(session.groups[1][1].pieces[1].module, session.model.net)
end

-- Factors of 1 change no bit.
function Frozen.test_groups_take_the_steps_of_the_whole()
  local plain, split = begun(), begun { ["train.lr_scale"] = { backbone = 1 } }
  lu.assertEquals(#split.groups[1], 5)
  take_steps(plain, 3)
  take_steps(split, 3)
  for i, part in ipairs { "net", "den" } do
    assert_same(split.model[part]:flat():list(), plain.model[part]:flat():list(), part)
    assert_same(split.emas[i].values:list(), plain.emas[i].values:list(), part)
    assert_same(split.emas[i].buffers:list(), plain.emas[i].buffers:list(), part)
  end
end

-- ── the schedule of unfreezing ──────────────────────────────────────────────────────────
local Unfreezing = {}

function Unfreezing.test_one_part_every_n_epochs_from_the_last()
  local of = complete { ["train.freeze"] = true, ["train.unfreeze_every"] = 2 }
  local counts = {}
  for done = 0, 9 do counts[done + 1] = parameter_groups.count_frozen(of, done) end
  lu.assertEquals(counts, { 4, 4, 3, 3, 2, 2, 1, 1, 0, 0 })
  of = complete { ["train.freeze"] = "layer1", ["train.unfreeze_every"] = 1 }
  lu.assertEquals({ parameter_groups.count_frozen(of, 0), parameter_groups.count_frozen(of, 1),
    parameter_groups.count_frozen(of, 2), parameter_groups.count_frozen(of, 9) }, { 2, 1, 0, 0 })
end

-- The optimiser of a part begins when the part is trained: with Adam's first step.
function Unfreezing.test_a_part_begins_with_its_first_step()
  local session = begun { ["train.freeze"] = true, ["train.unfreeze_every"] = 1 }
  local function steps_of(name)
    for piece in parameter_groups.pieces(session.groups[1]) do
      if piece.name:find(name, 1, true) then return piece.optimiser.state.t end
    end
  end
  take_steps(session, 2)
  lu.assertEquals({ steps_of "/prior/", steps_of "/layer3/" }, { 2, 0 })
  session.epoch = 1
  lu.assertEquals(parameter_groups.follow(session), "layer3")
  lu.assertNil(parameter_groups.follow(session))
  local before = copies(session.model.net)
  take_steps(session, 1)
  lu.assertEquals({ steps_of "/prior/", steps_of "/layer3/", steps_of "/layer2/" }, { 3, 1, 0 })
  lu.assertEquals(names_of(changed_parts(session.model.net, before)), "layer3 prior")
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
local Options = {}

function Options.test_mistakes()
  lu.assertErrorMsgEquals("option train.freeze is layer4, but the backbone resnet has stem, layer1, layer2, "
    .. "layer3", complete, { ["train.freeze"] = "layer4" })
  lu.assertErrorMsgContains("option train.freeze must be one of false, true, stem, layer1", complete,
    { ["train.freeze"] = 3 })
  lu.assertErrorMsgContains("unknown option train.lr_scale.local", complete, { ["train.lr_scale.local"] = 1 })
  lu.assertErrorMsgContains("option train.lr_scale.backbone must be above 0", complete,
    { ["train.lr_scale.backbone"] = 0 })
  lu.assertEquals(complete({ ["train.lr_scale.backbone"] = 0.1 }).train.lr_scale,
    { backbone = 0.1, prior = 1, denoiser = 1, layer_decay = 1 })
  lu.assertNil(complete().train.freeze)
end

function Options.test_what_has_no_effect_is_named()
  local function unused(changes) return config.unused(complete(changes))[1] end
  lu.assertStrContains(unused { ["train.unfreeze_every"] = 2 }, "no part is frozen")
  lu.assertStrContains(unused { ["train.freeze"] = true }, "random values")
  lu.assertNil(unused { ["train.freeze"] = true, ["backbone.weights"] = "w" })
end

-- A first stage is shared by runs that differ in the denoiser's factor alone.
function Options.test_the_first_stage_does_not_depend_on_the_denoiser()
  local function key(changes)
    changes["train.mode"] = "staged"
    return core.json.encode(first_stage.part_of(complete(changes)))
  end
  local function of_denoiser(factor) return key { ["train.lr_scale"] = { denoiser = factor } } end
  lu.assertEquals(of_denoiser(0.5), of_denoiser(0.1))
  for _, other in ipairs { { ["train.lr_scale"] = { backbone = 0.5 } }, { ["train.freeze"] = "stem" },
    { ["train.freeze"] = true, ["train.unfreeze_every"] = 2 } } do
    lu.assertNotEquals(key(other), key {})
  end
end

-- ── an interruption ─────────────────────────────────────────────────────────────────────
local Resume = {}
local root, db

function Resume.setUp()
  root = assert(core.sys.mkdtemp())
  db = assert(aniso.store.open(root .. "/runs.db"))
end

function Resume.tearDown()
  db:close()
  remove(root)
end

-- Runs f while the run fails once its epoch `last` is saved.
local function failing_after(last, f)
  local save = checkpoint.save_last
  checkpoint.save_last = function(session)
    save(session)
    if session.epoch == last then error("stopped", 0) end
  end
  local ok = pcall(f)
  checkpoint.save_last = save
  lu.assertFalse(ok)
end

local function result_of(row)
  local tensors = assert(core.checkpoint.load(("%s/best.safetensors"):format(db:run_folder(row.uid))))
  local out = {}
  for name, x in pairs(tensors) do out[name] = x:list() end
  return out
end

local function check_resumed(changes)
  local job = { config = complete(changes), seed = 0, label = "a", study = "s", db = db, stream = nowhere }
  aniso.trainer.run(job)
  local expected = result_of(db:find "@last")
  for _, last in ipairs { 2, 3 } do
    job.label = "stopped after " .. last
    remove(db:first_stage_folder()) -- else it would not be trained again
    failing_after(last, function() aniso.trainer.run(job) end)
    local row = assert(db:find "@last")
    aniso.trainer.resume(db, row, nowhere)
    assert_same(result_of(row), expected, job.label)
  end
end

function Resume.test_in_the_middle_of_unfreezing()
  check_resumed { ["train.freeze"] = true, ["train.unfreeze_every"] = 1, ["train.lr_scale"] = SCALE,
    ["train.augment"] = { flip = true } }
end

function Resume.test_of_a_staged_run_with_sgd()
  check_resumed { ["train.mode"] = "staged", ["train.freeze"] = "layer2", ["train.unfreeze_every"] = 2,
    ["train.optimiser"] = "sgd", ["train.lr_scale"] = SCALE, ["train.epochs"] = 4,
    ["train.prior_epochs"] = 4 }
end

function Resume.test_the_log_names_what_is_trained()
  aniso.trainer.run { config = complete { ["train.freeze"] = true, ["train.unfreeze_every"] = 2 }, seed = 0,
    label = "a", study = "s", db = db, stream = nowhere }
  local lines = {}
  local sql = "SELECT message FROM log WHERE message LIKE '%backbone is%' ORDER BY 1"
  for _, row in ipairs(assert(db:query(sql))) do
    lines[#lines + 1] = row.message
  end
  lu.assertEquals(lines, { "epoch 3: the backbone is trained from layer3 on",
    "epoch 5: the backbone is trained from layer2 on" })
end

return { test_frozen = Frozen, test_unfreezing = Unfreezing, test_options = Options,
  test_resume = Resume }
