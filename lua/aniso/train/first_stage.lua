-- The first stage of a staged run (backbone and priors) depends on neither λ nor the denoiser, so a
-- sweep over those shares it: it is stored under a hash of everything that determines it and trained
-- once, whichever processes need it.
--   <folder of the database>/first-stage/<hash>.safetensors
-- Databases in one folder share it. A lock alongside the file lets one process train while the others
-- wait; the kernel releases it when its holder ends, however it ends.
local core = require "aniso.core"
local checkpoint = require "aniso.train.checkpoint"
local errors = require "aniso.recipe.errors"
local checkpoint_state = require "aniso.store.checkpoint_state"
local provenance = require "aniso.train.provenance"
local ulid_form = require "aniso.recipe.ulid_form"

local first_stage = {}

local FROM_TRAIN = { "mode", "prior_epochs", "epochs", "batch", "optimiser", "lr",
  "weight_decay", "momentum", "lr_schedule", "warmup", "clip", "ema_decay", "sampling", "augment", "mixup",
  "freeze", "unfreeze_every", "sliced", "precision" }

-- The part of a configuration that the first stage depends on.
function first_stage.part_of(config)
  local train, select = {}, config.select
  for _, name in ipairs(FROM_TRAIN) do train[name] = config.train[name] end
  if train.prior_epochs > 0 then train.epochs = 0 end -- then it concerns the second stage only
  local scale = config.train.lr_scale
  if scale then
    train.lr_scale = { backbone = scale.backbone, prior = scale.prior, layer_decay = scale.layer_decay }
  end
  return { backbone = config.backbone, prior = config.prior, train = train,
    loss = { ["global"] = config.loss["global"], ["local"] = config.loss["local"],
      prior = config.loss.prior },
    select = { metric = select.metric, every = select.every, keep = select.keep } }
end

-- The hash: that part, the data, split and given weights by content, the seed, and the program's
-- version. of: {config, seed, data, split, version}, the hashes as in provenance.identity().
-- → nil if the given weights cannot be read.
function first_stage.key_of(of)
  local weights = of.config.backbone.weights
  local given = weights and core.sys.exists(weights) == "file" and core.sha256.file(weights)
  if weights and not given then return nil end
  return core.sha256.text(core.json.encode {
    version = of.version, seed = of.seed, data = of.data, split = of.split, given = given,
    of = first_stage.part_of(of.config),
  })
end

-- The hash for a prepared session.
function first_stage.key(session)
  local data, split = provenance.identity(session)
  return first_stage.key_of { config = session.config, seed = session.seed, data = data, split = split,
    version = core.sys.version }
end

-- A string that is the same for all jobs of one first stage, computed before their data are read; nil for a
-- job without a first stage.
function first_stage.common(job)
  if job.config.train.mode ~= "staged" then return nil end
  return core.json.encode { seed = job.seed, cross = job.cross, data = job.config.data,
    of = first_stage.part_of(job.config) }
end

-- → a function of a job: whether an earlier one had the same first stage.
function first_stage.repeats()
  local known = {}
  return function(job)
    local key = first_stage.common(job)
    if not key then return false end
    local repeated = known[key] or false
    known[key] = true
    return repeated
  end
end

local function path(session, key)
  return ("%s/%s.safetensors"):format(session.shared_folder, key)
end

-- A file that records a hash other than its name was put there by hand: it is not replaced. Files of earlier
-- versions record none.
local function foreign(file, key, meta)
  if meta.key == nil or meta.key == key then return nil end
  return ("%s is the first stage %s, not %s: give it its own name or remove it, and the right one is trained")
    :format(file, tostring(meta.key):sub(1, 12), key:sub(1, 12))
end

-- Loads the weights of a file, and their epoch → true, the uid of the run that trained them; files of earlier
-- versions record no uid. A damaged file counts as absent: → false, why. The file of another first stage is
-- an error.
local function load(session, file, key)
  if not core.sys.exists(file) then return false end
  local problem
  local ok, meta = pcall(checkpoint.load_weights, session, file, "net", function(meta)
    local fault = checkpoint_state.fault("first_stage", meta)
    if fault then error(("checkpoint %s is damaged: %s"):format(file, fault), 0) end
    problem = foreign(file, key, meta)
    if problem then error(problem, 0) end
  end)
  if problem then error(problem, 0) end
  if not ok then
    errors.pass_interrupts(meta)
    return false, meta
  end
  session.best = { epoch = meta.epoch or session.stage_epochs, value = meta.value }
  return true, ulid_form(meta.uid) and meta.uid or nil
end

-- The file is replaced as a whole: a kill leaves no partial file.
local function save(session, file, key)
  local tensors = {}
  for name, tensor in pairs(session.model.net:state()) do tensors["net." .. name] = tensor end
  local sha256, message = core.checkpoint.save(file, tensors,
    { key = key, uid = session.uid, seed = session.seed, epoch = session.best.epoch,
      value = session.best.value },
    { previous = false })
  if not sha256 then error(message, 0) end
end

-- The lock of a file. While another process holds it, this one waits and stays interruptible.
local function wait_for(session, file)
  local announced
  while true do
    local lock, message, code = core.sys.lock(file)
    if lock then return lock end
    if code ~= "EBUSY" then error(message, 0) end
    if not announced then
      session:report("waiting for the first stage, which another process trains", "warn")
    end
    announced = true
    session:heartbeat()
  end
end

-- Copies the first stage of a session from one folder into another → whether the source folder has it.
function first_stage.take(session, from, to)
  local name = first_stage.key(session) .. ".safetensors"
  local tensors, meta = core.checkpoint.load(from .. "/" .. name)
  if not tensors then return false end
  assert(core.sys.mkdir_p(to))
  assert(core.checkpoint.save(to .. "/" .. name, tensors, meta, { previous = false }))
  return true
end

-- Sets the session's net to its first stage: a stored one, or the weights that train() leaves. → where it
-- came from, for the log; whether it was stored; the uid of the run that trained it, if known.
function first_stage.share(session, train)
  local key = first_stage.key(session)
  local file = path(session, key)
  local function taken_from(uid)
    local trainer = uid and ("; its curve is that of run %s"):format(uid) or ""
    return ("first stage taken from %s%s"):format(file, trainer), true, uid
  end
  local ready, uid = load(session, file, key)
  if ready then return taken_from(uid) end
  assert(core.sys.mkdir_p(session.shared_folder))
  local lock <close> = wait_for(session, file)
  local loaded, detail = load(session, file, key)
  if loaded then return taken_from(detail) end
  if detail then session:report(("%s; the first stage is trained again"):format(tostring(detail)), "warn") end
  train()
  save(session, file, key)
  return "first stage trained, kept in " .. file, false, session.uid
end

return first_stage
