-- Values that a script passes to the engine in a wrong place: objects of another class to metamethods and
-- methods, unknown names to tables of options. Each call raises one line; under
-- `make asan` a foreign read ends the program.
local lu = require "luaunit"
local aniso = require "aniso"
local core = aniso.core

local function f32(...) return core.tensor.full({ ... }, 0.5) end

-- ── metamethods ─────────────────────────────────────────────────────────────────────────
local Metamethods = {}

local function objects()
  local module = core.module.new { seed = 0 }
  local denoiser = aniso.denoiser { "film", K = 3, features = 4, dim = 4 }
  local folder = assert(core.sys.mkdtemp())
  local lock = assert(core.sys.lock(folder .. "/x"))
  local list = {
    Tensor = f32(2, 3), Schedule = aniso.schedule { "cosine", T = 10, K = 3 }, Module = module,
    ResNet = aniso.resnet { "resnet", depth = 8, width = 4 }, Prior = aniso.prior { K = 3, features = 16 },
    Denoiser = denoiser, MMD = aniso.mmd {}, Dataset = aniso.data { "lesions", n = 70, size = 8 },
    Context = denoiser:encode { features = f32(2, 1, 1, 4), mg = f32(2, 3), ml = f32(2, 3) },
    Database = assert(core.db.open(folder .. "/runs.db")), Lock = lock,
  }
  return list, function()
    for _, object in pairs(list) do object:close() end
    core.ops.clear_tape()
    for _, name in ipairs(assert(core.sys.list(folder))) do os.remove(folder .. "/" .. name) end
    os.remove(folder)
  end
end

local NAMES = { "__index", "__newindex", "__gc", "__close", "__tostring", "__len", "__eq", "__call", "__add",
  "__sub", "__mul", "__div", "__unm", "__concat", "__lt", "__le", "__pairs", "__mode" }

-- Arithmetic of a tensor takes numbers, also as text.
local function takes(name, value)
  return name:match "^__%a%a%a$" and name ~= "__len" and tonumber(value) ~= nil
end

function Metamethods.test_foreign_values_raise()
  local list, finish = objects()
  local keys = { "shape", "grad", "close", "K", "kind", "module", "features", "mode", "images", "counts", 1 }
  local called = 0
  for class, object in pairs(list) do
    local meta = getmetatable(object)
    local foreign = { "x", 7, true, {}, print, coroutine.create(print), io.stdout, false }
    for other, value in pairs(list) do if other ~= class then foreign[#foreign + 1] = value end end
    for _, name in ipairs(NAMES) do
      local f = meta[name]
      if type(f) == "function" then
        for _, value in ipairs(foreign) do
          for _, key in ipairs(name == "__index" and keys or { "shape" }) do
            local ok, message = pcall(f, value, name == "__index" and key or value)
            called = called + 1
            if not takes(name, value) then
              lu.assertFalse(ok, ("%s.%s of a %s"):format(class, name, type(value)))
              lu.assertIsString(message)
            end
          end
        end
        lu.assertFalse(pcall(f))
      end
    end
  end
  lu.assertTrue(called > 1000)
  for class, object in pairs(list) do lu.assertStrContains(tostring(object), class) end
  finish()
end

function Metamethods.test_methods_with_foreign_values_raise()
  local list, finish = objects()
  for class, object in pairs(list) do
    local methods = getmetatable(object).methods
    lu.assertIsTable(methods, class)
    for name, f in pairs(methods) do
      for other, value in pairs(list) do
        if other ~= class then pcall(f, value, value, value) end
      end
      lu.assertFalse(pcall(f), class .. "." .. name)
    end
  end
  finish()
end

-- Without arguments, and with values of other types in each place.
function Metamethods.test_functions_without_their_arguments()
  local parts = { "tensor", "ops", "rng", "data", "schedule", "module", "resnet", "prior", "denoiser", "json",
    "sha256", "db", "safetensors", "checkpoint", "step", "mmd", "embedded" }
  local called, ignore = 0, function() end
  for _, part in ipairs(parts) do
    for _, f in pairs(core[part]) do
      if type(f) == "function" then
        called = called + 1
        pcall(f)
        pcall(f, {}, {}, {}, {}, {}, {})
        pcall(f, ignore, ignore, ignore, ignore, ignore, ignore)
      end
    end
  end
  lu.assertTrue(called > 70)
  lu.assertErrorMsgContains("value expected", core.ops.no_grad)
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
local Options = {}

-- Each call but for the table; its position; a name that it has.
local function table_calls()
  local s = aniso.schedule { "cosine", T = 10, K = 3 }
  local y, x = f32(2, 3), f32(4)
  local module = core.module.new { seed = 0 }
  local ds = aniso.data { "lesions", n = 70, size = 8 }
  local denoiser = aniso.denoiser { "film", K = 3, features = 4, dim = 4 }
  local context = denoiser:encode { features = f32(2, 1, 1, 4), mg = y, ml = y }
  return {
    randn = { core.tensor.randn, {}, 1, "shape" },
    rand = { core.tensor.rand, {}, 1, "shape" },
    batch_norm = { core.ops.batch_norm, { y, f32(3), f32(3), f32(3), f32(3) }, 6, "momentum" },
    cross_entropy = { core.ops.cross_entropy, { y, core.tensor.arange(2) }, 3, "smoothing" },
    estimate = { s.estimate, { s, y, y, y, 5 }, 6, "prediction" },
    ddim_step = { s.ddim_step, { s, y, y, y, 5, 2 }, 7, "eta" },
    dpm_step = { s.dpm_step, { s, y, y, y, 5, 2 }, 7, "previous_z0" },
    schedule = { core.schedule.new, {}, 1, "beta_max" },
    adamw = { core.step.adamw, { x, x, x, x }, 5, "beta1" },
    sgd = { core.step.sgd, { x, x, x }, 4, "momentum" },
    mmd = { core.mmd.new, {}, 1, "multipliers" },
    module = { core.module.new, {}, 1, "seed" },
    load = { module.load, { module, {} }, 3, "strict" },
    resnet = { core.resnet.new, { module, "a" }, 3, "depth" },
    prior = { core.prior.new, { module, "b" }, 3, "crops" },
    denoiser = { core.denoiser.new, { module, "c" }, 3, "blocks" },
    encode = { denoiser.encode, { denoiser }, 2, "features" },
    forward = { denoiser.forward, { denoiser, context, y, 1 }, 5, "map" },
    order = { ds.order, { ds, "train" }, 3, "sampling" },
    batch = { ds.batch, { ds, "train", 0, 1 }, 5, "augment" },
    open = { core.data.open, {}, 1, "height" },
    checkpoint = { core.checkpoint.save, { "/nonexistent/x", {}, {} }, 4, "previous" },
    editor = { core.term.editor, {}, 1, "history" },
  }
end

function Options.test_an_unknown_name_is_named_with_the_known_ones()
  for what, call in pairs(table_calls()) do
    local f, arguments, position, known = table.unpack(call)
    arguments[position] = { parameterisation = "v" }
    local ok, message = pcall(f, table.unpack(arguments, 1, position))
    lu.assertFalse(ok, what)
    lu.assertStrContains(message, "unknown option parameterisation; the options are ", false, what)
    lu.assertStrContains(message, known, false, what)
    arguments[position] = { "v" }
    lu.assertErrorMsgContains("unknown option 1;", f, table.unpack(arguments, 1, position))
  end
  core.ops.clear_tape()
end

function Options.test_of_augmentation()
  local ds <close> = aniso.data { "lesions", n = 70, size = 8 }
  lu.assertErrorMsgContains("unknown option fli; the options are flip, ", ds.batch, ds, "train", 0, 1,
    { augment = { fli = true } })
end

return { Metamethods = Metamethods, Options = Options }
