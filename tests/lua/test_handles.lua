-- Every userdata of the engine can be closed, closed again, and held by a <close> variable; a method of
-- a closed one raises an error that names the class.
local lu = require "luaunit"
local aniso = require "aniso"
local core = aniso.core

local function resnet()
  return aniso.resnet { "resnet", depth = 8, width = 4 }
end

local function csv()
  local folder = assert(core.sys.mkdtemp())
  local path = folder .. "/t.csv"
  assert(core.sys.write_atomic(path, "a,b\n"))
  local made = assert(core.csv.read(path))
  os.remove(path)
  os.remove(folder)
  return made
end

local makers = {
  Tensor = { make = function() return core.tensor.zeros { 2 } end, use = "numel" },
  Schedule = { make = function() return aniso.schedule { "cosine", T = 10, K = 3 } end, use = "snr" },
  ResNet = { make = resnet, use = "forward" },
  Module = { make = function() return core.module.new { seed = 0 } end, use = "count" },
  Prior = { make = function() return aniso.prior { K = 3, features = 16 } end, use = "forward" },
  Denoiser = { make = function() return aniso.denoiser { "film", K = 3, features = 16, dim = 8 } end,
    use = "encode" },
  MMD = { make = function() return aniso.mmd {} end, use = "loss" },
  Csv = { make = csv, use = "n" },
  Dataset = { make = function() return aniso.data { "lesions", n = 70, size = 16 } end, use = "n" },
}

local T = {}

for class, case in pairs(makers) do
  T["test_" .. class:lower()] = function()
    local object = case.make()
    lu.assertStrContains(tostring(object), class)
    object:close()
    object:close()
    lu.assertStrContains(tostring(object), "closed")
    lu.assertErrorMsgContains(class .. " is closed", function() object[case.use](object) end)
    do
      local _ <close> = case.make()
    end
  end
end

function T.test_an_argument_too_many_is_ignored()
  local net <close> = resnet()
  lu.assertErrorMsgContains("is missing", net.load, net, {}, 2)
end

function T.test_context()
  local denoiser <close> = aniso.denoiser { "film", K = 3, features = 16, dim = 8 }
  local context = core.ops.no_grad(denoiser.encode, denoiser, { features = core.tensor.zeros { 2, 1, 1, 16 },
    mg = core.tensor.full({ 2, 3 }, 1 / 3), ml = core.tensor.full({ 2, 3 }, 1 / 3) })
  context:close()
  context:close()
  lu.assertErrorMsgContains("Context is closed", function()
    denoiser:forward(context, core.tensor.zeros { 2, 3 }, core.tensor.full({ 2 }, 1, "int64"))
  end)
end

return T
