-- Any bytes as the state of a run's last checkpoint, in JSON, with checksums that are valid. An input that
-- begins with '!' is the whole file. What is not refused has the fields that a resumed run takes from it.
-- Covers: lua/aniso/store/checkpoint_state.lua engine/io/checkpoint.c engine/bind/checkpoint.c
--   engine/io/safetensors_write.c
local checkpoint = require "aniso.train.checkpoint"
local core = require "aniso.core"
local owner = require "aniso.store.checkpoint_owner"
local tensor = core.tensor

local UID = ("0"):rep(26)
local TENSORS = { ["net.w"] = tensor.zeros { 2, 1 }, ["optim.net.m"] = tensor.zeros { 2 } }

-- A database with one run and no rows of checkpoints.
local DB = { path = "runs.db" }
function DB:query(sql)
  if sql:find "FROM run" then
    return { { run_id = 1, name = "x", seed = 0, status = "crashed", config = ("a"):rep(64) } }
  end
  return {}
end

return function(text, folder)
  local path = folder .. "/last.safetensors"
  if text:sub(1, 1) == "!" then
    local file <close> = assert(io.open(path, "wb"))
    file:write((text:sub(2)))
  else
    local state = core.json.decode(text)
    if type(state) ~= "table" then return end
    local saved = core.checkpoint.save(path, TENSORS, state, { previous = false })
    if not saved then return "a state that was read from JSON cannot be saved" end
  end
  local ok, found = pcall(checkpoint.read_newest, folder)
  local refused = not ok and found
  if ok and found then
    local one = owner.of(DB, UID)
    ok, refused = pcall(one.check, one, "last", found.path, found.meta, found.sha256)
  end
  os.remove(path)
  if not ok then error(refused, 0) end
  local meta = found.meta
  local sum = meta.stage + meta.epoch + meta.step + meta.best.epoch
  for _, counts in ipairs { meta.t, meta.ema_t } do
    for _, count in pairs(counts) do sum = sum + count end
  end
end
