-- Integers that a script passes to the engine: the ends of their range in every position, sizes beyond
-- the limit. Each call gives a result or raises one line; under `make asan` an overflow ends the program.
local lu = require "luaunit"
local aniso = require "aniso"
local core = aniso.core

local EXTREMES = { math.mininteger, math.mininteger + 1, -(1 << 31), -1, 0, 1 << 31, 1 << 32, 1 << 62,
  math.maxinteger }
local MARK = {} -- the places of an extreme in a list of arguments

local function clone(value, extreme)
  if value == MARK then return extreme end
  if type(value) ~= "table" or getmetatable(value) then return value end
  local out = {}
  for key, inner in pairs(value) do out[key] = clone(inner, extreme) end
  return out
end

-- Calls f with every extreme for the mark in the n arguments of `list`.
local function try(what, f, n, list)
  for _, extreme in ipairs(EXTREMES) do
    local arguments = clone(list, extreme)
    local ok, message = pcall(f, table.unpack(arguments, 1, n))
    if not ok then
      local place = ("%s with %d: %s"):format(what, extreme, message)
      lu.assertIsString(message, place)
      lu.assertNil(message:find("\n", 1, true), place)
    end
    collectgarbage() -- a result may be large
  end
end

-- Tensors of each call are made anew: one that a call closes or fills is not used again.
local function f32(...) return core.tensor.full({ ... }, 0.5) end

local Extremes = {}

-- Every function of a table, with tensors of several ranks, and extremes in one to four positions
-- behind them.
local function sweep(where, functions, skip)
  local names = {}
  for name, f in pairs(functions) do
    if type(f) == "function" and not skip[name] then names[#names + 1] = name end
  end
  table.sort(names)
  lu.assertTrue(#names > 20, where)
  for _, name in ipairs(names) do
    for _, x in ipairs { f32(4, 6), f32(2, 4, 4, 3), core.tensor.arange(4) } do
      for position = 2, 5 do
        local arguments = { x, 1, 1, 1, 1 }
        arguments[position] = MARK
        for n = position, 5 do
          try(where .. "." .. name, functions[name], n, clone(arguments, MARK))
        end
      end
    end
  end
  core.ops.clear_tape()
end

local NEVER = { no_grad = true, close = true }

function Extremes.test_every_method_of_a_tensor()
  sweep("Tensor", getmetatable(f32(1)).methods, NEVER)
end

function Extremes.test_every_operation()
  sweep("ops", core.ops, NEVER)
end

-- Operations whose integers come after several tensors.
local behind_tensors = {
  conv2d = { f32(1, 4, 4, 3), f32(2, 3, 3, 3), nil, MARK, MARK },
  attention = { f32(2, 3, 8), f32(2, 3, 8), f32(2, 3, 8), MARK },
  max_pool2d = { f32(1, 4, 4, 3), MARK, MARK, MARK },
  avg_pool2d = { f32(1, 4, 4, 3), MARK, MARK },
  timestep_embedding = { core.tensor.arange(3), MARK },
  concat = { { f32(2, 3), f32(2, 3) }, MARK },
}

function Extremes.test_operations_on_several_tensors()
  for name, list in pairs(behind_tensors) do
    for position = 1, 5 do
      if list[position] == MARK then
        local one = { table.unpack(list, 1, 5) }
        for other = 1, 5 do
          if other ~= position and one[other] == MARK then one[other] = 1 end
        end
        try(name, core.ops[name], 5, one)
      end
    end
    try(name, core.ops[name], 5, list)
  end
end

function Extremes.test_makers()
  local make = core.tensor
  try("arange", make.arange, 1, { MARK })
  try("one_hot", make.one_hot, 2, { core.tensor.arange(3), MARK })
  for _, shape in ipairs { { MARK }, { 2, MARK }, { 0, MARK }, { MARK, MARK }, { 0, MARK, MARK } } do
    try("zeros", make.zeros, 1, { shape })
    try("full", make.full, 2, { shape, 1 })
    try("randn", make.randn, 1, { { shape = shape } })
  end
  for _, key in ipairs { "seed", "a", "b", "first" } do
    try("randn." .. key, make.randn, 1, { { shape = { 2 }, [key] = MARK } })
  end
  lu.assertErrorMsgContains("shape", make.randn, {})
end

function Extremes.test_steps()
  local function step(name, tensors, options)
    for key in pairs(options) do
      local one = clone(options)
      one[key] = MARK
      local list = { table.unpack(tensors) }
      list[#list + 1] = one
      try(name .. "." .. key, core.step[name], #list, list)
    end
  end
  step("adamw", { f32(8), f32(8), f32(8), f32(8) }, { t = 1, from = 1, length = 1 })
  step("sgd", { f32(8), f32(8), f32(8) }, { from = 1, length = 1 })
end

function Extremes.test_random_numbers()
  for position = 1, 5 do
    local list = { 1, "test", 1, 2, 3 }
    if position ~= 2 then
      list[position] = MARK
      -- The largest counts are valid, and slow.
      if position < 4 then
        try("below", core.rng.below, 5, list)
        try("resamples", core.rng.resamples, 5, list)
      end
    end
  end
  for _, f in ipairs { core.rng.below, core.rng.resamples } do
    lu.assertErrorMsgContains("count = -1: expected", f, 1, "test", 1, -1, 3)
    lu.assertErrorMsgContains("count = 4294967296: expected", f, 1, "test", 1, 1 << 32, 3)
    lu.assertErrorMsgContains("n = 0: expected", f, 1, "test", 1, 1, 0)
  end
end

function Extremes.test_schedule()
  local s <close> = aniso.schedule { "cosine", T = 10, K = 3 }
  for _, name in ipairs { "signal", "noise", "snr", "alpha_bar", "times" } do
    try(name, s[name], 2, { s, MARK })
  end
  local y = f32(2, 3)
  try("gather", s.gather, 3, { s, "signal", MARK })
  try("noised", s.noised, 5, { s, y, y, MARK, y })
  try("target", s.target, 6, { s, "v", y, y, MARK, y })
  try("forward_step", s.forward_step, 6, { s, y, y, MARK, 5, y })
  try("forward_step", s.forward_step, 6, { s, y, y, 0, MARK, y })
  try("posterior", s.posterior, 5, { s, MARK, 5, y, y })
  try("estimate", s.estimate, 5, { s, y, y, y, MARK })
  try("ddim_step", s.ddim_step, 6, { s, y, y, y, MARK, 0 })
  try("ddim_step", s.ddim_step, 6, { s, y, y, y, 5, MARK })
  try("dpm_step", s.dpm_step, 7, { s, y, y, y, 5, 2, { previous_z0 = y, previous_t = MARK } })
  try("vote", core.schedule.vote, 4, { y, "plain", 1, MARK })
  try("new.K", core.schedule.new, 1, { { K = MARK, lambda = { 1, 1, 1 } } })
  try("new.T", core.schedule.new, 1, { { K = 3, T = MARK, lambda = { 1, 1, 1 } } })
  try("new.counts", core.schedule.new, 1, { { K = 3, counts = { MARK, 1, 1 }, lambda = { 1, 1, 1 } } })
end

-- Options of networks: a size that is valid but large must fail before it is allocated.
function Extremes.test_networks()
  local options = {
    resnet = { depth = 8, width = 4, channels = 3 },
    prior = { classes = 3, features = 8, channels = 3, crops = 2, crop_size = 2, local_width = 4,
      attention = 4 },
    denoiser = { classes = 3, features = 8, crop_features = 2, dim = 8, steps = 10, blocks = 1, heads = 2 },
  }
  for name, list in pairs(options) do
    for key in pairs(list) do
      local one = clone(list)
      one[key] = MARK
      try(name .. "." .. key, function(o)
        local module <close> = core.module.new { seed = 0 }
        core[name].new(module, "net", o):close()
      end, 1, { one })
    end
  end
  try("seed", core.module.new, 1, { { seed = MARK } })
  local denoiser <close> = aniso.denoiser { "film", K = 3, features = 4, dim = 4, T = 10 }
  local context <close> = denoiser:encode { features = f32(2, 1, 1, 4), mg = f32(2, 3), ml = f32(2, 3) }
  try("forward", denoiser.forward, 4, { denoiser, context, f32(2, 3), MARK })
  core.ops.clear_tape()
end

function Extremes.test_data()
  local ds <close> = aniso.data { "lesions", n = 70, size = 8 }
  try("batch", ds.batch, 5, { ds, "train", MARK, 1, {} })
  try("batch", ds.batch, 5, { ds, "train", 1, MARK, {} })
  try("batch", ds.batch, 5, { ds, "train", MARK, MARK, {} })
  for _, key in ipairs { "shift", "crop" } do
    try(key, ds.batch, 5, { ds, "train", 0, 2, { augment = { [key] = MARK } } })
  end
  for _, key in ipairs { "seed", "epoch" } do
    try(key, ds.batch, 5, { ds, "train", 0, 2, { [key] = MARK, augment = { shift = 1 } } })
  end
  for _, key in ipairs { "seed", "epoch", "epochs" } do
    try("order." .. key, ds.order, 3, { ds, "train", { sampling = "progressive", [key] = MARK } })
  end
  for _, key in ipairs { "n", "height", "width", "seed", "many", "few" } do
    try("open." .. key, core.data.open, 1, { { source = "lesions", n = 70, height = 8, width = 8, test = 0.3,
      [key] = MARK } })
  end
end

function Extremes.test_the_rest()
  local before = core.sys.threads()
  for _, extreme in ipairs(EXTREMES) do
    if extreme > 4096 then lu.assertErrorMsgContains("n = ", core.sys.threads, extreme) end
  end
  core.sys.threads(before)
  try("item", function(n) return core.json.decode(core.json.encode { n }) end, 1, { MARK })
end

-- ── sizes ───────────────────────────────────────────────────────────────────────────────
local Sizes = {}

function Sizes.test_beyond_the_limit_are_refused_at_once()
  local limit = tostring((1 << 31) - 1)
  local from = os.clock()
  local function refused(size, f, ...)
    lu.assertErrorMsgContains(tostring(size), f, ...)
    lu.assertErrorMsgContains(limit, f, ...)
  end
  refused(1 << 31, core.tensor.arange, 1 << 31)
  refused(1 << 40, core.tensor.zeros, { 1 << 40 })
  refused("(65536, 65536)", core.tensor.zeros, { 1 << 16, 1 << 16 })
  refused("(0, 1099511627776)", core.tensor.zeros, { 0, 1 << 40 })
  refused(1 << 40, core.tensor.one_hot, core.tensor.arange(2), 1 << 40)
  refused(1 << 40, core.ops.expand, f32(1), 1 << 40)
  refused("(2, 2147483647, 3)", core.ops.repeat_rows, f32(2, 3), (1 << 31) - 1)
  refused("pad 65536", core.ops.conv2d, f32(1, 4, 4, 3), f32(2, 3, 3, 3), nil, 1, 1 << 16)
  lu.assertTrue(os.clock() - from < 1)
end

function Sizes.test_a_list_with_a_length_of_its_own()
  local long = setmetatable({}, { __len = function() return 1 << 61 end, __index = function() return 1 end })
  for _, f in ipairs { core.tensor.from, core.tensor.zeros } do
    lu.assertTrue(select(2, pcall(f, long)) ~= nil)
  end
  lu.assertErrorMsgContains("expected 3 numbers, got 0", core.schedule.new, { K = 3, lambda = long })
end

return { Extremes = Extremes, Sizes = Sizes }
