-- train.precision: the products of a training step take bfloat16 factors, and the backbone stores its maps
-- so; all else stays float32. The bits depend neither on the number of threads nor on what is recomputed.
local lu = require "luaunit"
local core = require "aniso.core"
local first_stage = require "aniso.train.first_stage"
local lockstep = require "aniso.train.lockstep"
local precision = require "aniso.train.precision"

local worse = dofile "tests/lua/worse.lua"
local fixture = dofile "tests/lua/freezing_fixture.lua"
local complete, begun = fixture.complete, fixture.begun
local NARROW = { ["train.precision"] = "bfloat16" }

-- ── the option ──────────────────────────────────────────────────────────────────────────
local Option = {}

function Option.test_values()
  lu.assertNil(complete().train.precision)
  lu.assertEquals(complete(NARROW).train.precision, "bfloat16")
  for _, wrong in ipairs { "bf16", "half", 16, true } do
    lu.assertErrorMsgContains("option train.precision must be one of", complete,
      { ["train.precision"] = wrong })
  end
end

function Option.test_it_identifies_a_first_stage()
  lu.assertNotEquals(core.json.encode(first_stage.part_of(complete(NARROW))),
    core.json.encode(first_stage.part_of(complete())))
  local function key(changes)
    local config = complete(changes)
    config.train.mode = "staged"
    return lockstep.key { config = config, seed = 0 }
  end
  lu.assertNotEquals(key(NARROW), key())
  lu.assertEquals(key(), key())
end

-- ── the setting ─────────────────────────────────────────────────────────────────────────
local Setting = {}

function Setting.test_of_the_process()
  lu.assertEquals(core.sys.precision(), "float32")
  lu.assertEquals(core.sys.precision "bfloat16", "bfloat16")
  lu.assertEquals(core.sys.precision(), "bfloat16")
  lu.assertEquals(core.sys.precision "float32", "float32")
  lu.assertErrorMsgContains("invalid option 'half'", core.sys.precision, "half")
end

function Setting.test_it_ends_with_the_block_that_needs_it()
  local function fails()
    local _ <close> = precision.of_steps { train = { precision = "bfloat16" } }
    lu.assertEquals(core.sys.precision(), "bfloat16")
    error("stop", 0)
  end
  lu.assertFalse((pcall(fails)))
  lu.assertEquals(core.sys.precision(), "float32")
end

local function product(name)
  core.sys.precision(name)
  local x = core.tensor.randn { shape = { 40, 32 }, seed = 1, stream = "x" }
  local w = core.tensor.randn { shape = { 16, 32 }, seed = 2, stream = "w" }
  local y = core.ops.linear(x, w)
  core.sys.precision "float32"
  return y:list()
end

function Setting.test_products_are_rounded()
  local wide, narrow, worst = product "float32", product "bfloat16", 0
  for i, value in ipairs(wide) do worst = worse(worst, math.abs(value - narrow[i])) end
  lu.assertTrue(worst > 0.001 and worst < 0.2, worst) -- 32 terms of size 1, each within 2⁻⁸
end

-- ── steps ───────────────────────────────────────────────────────────────────────────────
local Steps = {}

-- Networks whose channels are multiples of 16, and their weights after three steps.
local function trained(name, threads, recomputed)
  local before = core.sys.threads()
  core.sys.threads(threads or before)
  local session = begun { ["train.precision"] = name, ["backbone.width"] = 16, ["prior.local_width"] = 16,
    ["denoiser.dim"] = 32 }
  session.model.backbone:recompute(recomputed or 0)
  fixture.take_steps(session, 3)
  core.sys.threads(before)
  lu.assertEquals(core.sys.precision(), "float32")
  local out = {}
  for _, part in ipairs(session.trained) do
    local weights = part.module:flat():list()
    table.move(weights, 1, #weights, #out + 1, out)
  end
  return out
end

function Steps.test_other_weights_than_float32_but_close()
  local wide, narrow, differing, worst = trained "float32", trained "bfloat16", 0, 0
  for i, value in ipairs(wide) do
    if value ~= narrow[i] then differing = differing + 1 end
    worst = worse(worst, math.abs(value - narrow[i]))
  end
  lu.assertTrue(differing > #wide / 2, differing)
  lu.assertTrue(worst < 0.02, worst)
end

function Steps.test_same_bits_at_any_number_of_threads()
  fixture.assert_same(trained("bfloat16", 1), trained("bfloat16", 3))
end

function Steps.test_same_bits_where_blocks_are_recomputed()
  fixture.assert_same(trained "bfloat16", trained("bfloat16", nil, 2))
end

function Steps.test_maps_are_stored_narrow()
  local function peak(name, width)
    local session = begun { ["train.precision"] = name, ["backbone.width"] = width, ["data.size"] = 32 }
    fixture.take_steps(session, 1)
    collectgarbage()
    core.sys.tensor_peak()
    fixture.take_steps(session, 1)
    return core.sys.tensor_peak()
  end
  local ratio = peak("bfloat16", 64) / peak("float32", 64)
  lu.assertTrue(ratio < 0.85, ratio)
end

-- ── what this processor makes of it ─────────────────────────────────────────────────────
local Note = {}

function Note.test_a_processor_without_the_instructions()
  local host = core.sys.host
  local function note(unit, changes)
    core.sys.host = function() return { bf16 = unit } end
    local text = precision.note(complete(changes))
    core.sys.host = host
    return text
  end
  lu.assertStrContains(note("emulated", NARROW), "has no instructions")
  lu.assertNil(note("amx", NARROW))
  lu.assertNil(note("emulated"))
end

function Note.test_the_host_names_the_unit()
  local known = { emulated = true, avx512_bf16 = true, amx = true }
  lu.assertTrue(known[core.sys.host().bf16])
end

return { test_option = Option, test_setting = Setting, test_steps = Steps, test_note = Note }
