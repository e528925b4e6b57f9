-- Checkpoints and safetensors in Lua.
local lu = require "luaunit"
local core = require "aniso.core"

local sys, tensor = core.sys, core.tensor
local Checkpoint = {}

local function path_of(name)
  return assert(sys.mkdtemp()) .. "/" .. name
end

function Checkpoint.test_round_trip()
  local path = path_of "last.safetensors"
  local weights = { w = tensor.from { { 1, 2.5 }, { -3, 0 } }, b = tensor.from { 1e-3 } }
  local meta = { epoch = 3, best = { value = -math.huge }, sampler = { "ddim", steps = 20 }, t = {},
    on = true }
  local sha256, bytes = core.checkpoint.save(path, weights, meta)
  lu.assertEquals(#sha256, 64)
  lu.assertEquals(bytes, sys.size(path))
  local tensors, state, same = core.checkpoint.load(path)
  lu.assertEquals(state, meta)
  lu.assertEquals(same, sha256)
  lu.assertEquals(tensors.w:totable(), { { 1, 2.5 }, { -3, 0 } })
  lu.assertEquals(tensors.b:list()[1], weights.b:list()[1])
end

function Checkpoint.test_the_previous_one_is_kept_unless_disabled()
  local path = path_of "best.safetensors"
  local x = tensor.from { 1 }
  assert(core.checkpoint.save(path, { x = x }, { epoch = 1 }, { previous = false }))
  assert(core.checkpoint.save(path, { x = x }, { epoch = 2 }, { previous = false }))
  lu.assertNil(sys.exists(core.checkpoint.previous(path)))
  assert(core.checkpoint.save(path, { x = x }, { epoch = 3 }))
  lu.assertEquals(select(2, core.checkpoint.load(core.checkpoint.previous(path))).epoch, 2)
end

-- Without a checkpoint that can be read, the message names the way out.
function Checkpoint.test_a_damaged_last_checkpoint_without_a_previous_one()
  local read_newest = require("aniso.train.checkpoint").read_newest
  local path = path_of "last.safetensors"
  local folder = path:match "^(.*)/"
  lu.assertNil(read_newest(folder))
  assert(io.open(path, "w")):write("no tensors here"):close()
  lu.assertErrorMsgContains("there is no previous one: remove it, and the run begins again", read_newest,
    folder)
  assert(io.open(core.checkpoint.previous(path), "w")):write("nor here"):close()
  lu.assertErrorMsgContains("remove both, and the run begins again", read_newest, folder)
end

function Checkpoint.test_file_errors()
  local path = path_of "last.safetensors"
  lu.assertEquals(select(3, core.checkpoint.load(path)), "ENOTFOUND")
  assert(io.open(path, "w")):write("no tensors here"):close()
  local got, message, code = core.checkpoint.load(path)
  lu.assertNil(got)
  lu.assertStrContains(message, path)
  lu.assertEquals(code, "EFORMAT")
  lu.assertEquals(select(3, core.safetensors.load(path)), "EFORMAT")
  lu.assertEquals(select(3, core.checkpoint.save("/absent/x", {}, {})), "EIO")
end

function Checkpoint.test_argument_errors()
  local path = path_of "x.safetensors"
  lu.assertErrorMsgContains("entry w is a number", core.checkpoint.save, path, { w = 1 }, {})
  lu.assertErrorMsgContains("NaN", core.checkpoint.save, path, {}, { loss = 0 / 0 })
  lu.assertErrorMsgContains("expected tensors by name", core.checkpoint.save, path, { tensor.from { 1 } }, {})
  lu.assertError(core.checkpoint.save, path, {}, { f = print })
  lu.assertNil(sys.exists(path))
end

function Checkpoint.test_safetensors_with_metadata()
  local path = path_of "w.safetensors"
  assert(core.safetensors.save(path, { ["fc.weight"] = tensor.from { { 1, 2 } } }, { from = "here" }))
  local tensors, meta = core.safetensors.load(path)
  lu.assertEquals(tensors["fc.weight"]:totable(), { { 1, 2 } })
  lu.assertEquals(meta, { from = "here" })
end

function Checkpoint.test_sha256()
  lu.assertEquals(core.sha256.text "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  local path = path_of "abc"
  assert(io.open(path, "w")):write("abc"):close()
  lu.assertEquals(core.sha256.file(path), core.sha256.text "abc")
  lu.assertEquals(select(3, core.sha256.file(path .. "x")), "ENOTFOUND")
end

-- After a collection, no memory is in use.
function Checkpoint.test_no_leak()
  local path = path_of "leak.safetensors"
  local x = tensor.from { 1, 2, 3 }
  local function once()
    core.checkpoint.save(path, { x = x }, { a = { 1, 2 } })
    core.checkpoint.load(path)
    core.checkpoint.load(path .. "none")
    pcall(core.checkpoint.save, path, { x = x }, { a = 0 / 0 })
    core.json.decode '{"a":[1,2,{"b":3}]}'
    collectgarbage() collectgarbage()
  end
  once()
  local live = sys.memory().live
  for _ = 1, 20 do once() end
  lu.assertEquals(sys.memory().live, live)
end

return { Checkpoint = Checkpoint }
