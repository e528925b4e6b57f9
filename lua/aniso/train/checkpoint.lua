-- The checkpoints of a run. One safetensors file has what the run needs to continue bit for bit: weights,
-- averages, optimiser state and position; another has only the best weights.
--   <runs>/<uid>/last.safetensors (and last.previous.safetensors)   <runs>/<uid>/best.safetensors
local core = require "aniso.core"
local checkpoint_owner = require "aniso.store.checkpoint_owner"
local checkpoint_state = require "aniso.store.checkpoint_state"
local hint = require "aniso.store.hint"
local levels = require "aniso.train.levels"
local moved_folder = require "aniso.store.moved_folder"
local network_input = require "aniso.method.network_input"
local parameter_groups = require "aniso.train.parameter_groups"

local checkpoint = {}

function checkpoint.path(session, kind)
  return ("%s/%s.safetensors"):format(session.folder, kind)
end

local function swap(sessions)
  for _, session in ipairs(sessions) do
    for _, ema in ipairs(session.emas) do ema:swap() end
    levels.follow(session)
  end
end

-- Runs f(sessions) with the averaged weights in place of the trained ones.
function checkpoint.with_averages(sessions, f)
  swap(sessions)
  local ok, problem = pcall(f, sessions)
  swap(sessions)
  if not ok then error(problem, 0) end
end

local function write(session, kind, epoch, tensors, meta)
  for key, value in pairs(checkpoint_owner.describe(session, kind)) do meta[key] = value end
  local path = checkpoint.path(session, kind)
  -- The previous file is kept if a resume may need it. A damaged one must not replace it.
  local saved = session.saved
  local sha256, bytes = core.checkpoint.save(path, tensors, meta,
    { previous = kind == "last" and not (saved and saved.fallback) })
  if not sha256 then error(bytes, 0) end
  if saved and kind == "last" then saved.fallback = nil end
  session.record:checkpoint { kind = kind, step = epoch, path = path, sha256 = sha256,
    bytes = bytes }
end

-- Names of the model's tensors: "net.backbone.conv1.weight", "den.…".
local function weights(session)
  local tensors = {}
  for _, part in ipairs(session.model.modules) do
    for name, tensor in pairs(part.module:state()) do
      tensors[part.name .. "." .. name] = tensor
    end
  end
  return tensors
end

-- Saves the current weights, which are those of session.best, for evaluation. Call it inside
-- with_averages() while a stage is trained.
function checkpoint.save_best(session)
  local best = session.best
  write(session, "best", best.epoch, weights(session), { epoch = best.epoch, value = best.value,
    input = network_input.of(session.dataset, session.config) })
end

-- Saves weights that are read from a file as those of a session's run.
function checkpoint.adopt_best(session, tensors, meta)
  local made, message = core.sys.mkdir_p(session.folder)
  if not made then error(message, 0) end
  write(session, "best", meta.epoch, tensors, meta)
end

-- Copies tensors into the modules of a session's model; `only` names one module, otherwise the file must have
-- all.
local function put(session, tensors, only)
  for _, part in ipairs(session.model.modules) do
    local own = {}
    for name, tensor in pairs(tensors) do
      local rest = name:match("^" .. part.name .. "%.(.*)")
      if rest then own[rest] = tensor end
    end
    if only == nil or only == part.name then part.module:load(own) end
  end
  levels.follow(session)
end

-- Loads a file of weights, or of one module if `only` names it. check(meta) [opt] raises if the file is not
-- the expected one, before any weight is loaded. → its metadata.
function checkpoint.load_weights(session, path, only, check)
  local tensors, meta = core.checkpoint.load(path)
  if not tensors then error(meta, 0) end
  if check then check(meta) end
  put(session, tensors, only)
  return meta
end

-- Reads the best weights of a stored run → tensors by name, their metadata, their hash. The file must be the
-- run's own and have the hash that the database recorded; changed [opt]: the hash may differ.
function checkpoint.read_best(db, uid, changed)
  local folder = db:run_folder(uid)
  local path = folder .. "/best.safetensors"
  local tensors, meta, code = core.checkpoint.load(path)
  if not tensors then
    if code == "ENOTFOUND" then moved_folder.check(db, uid, folder) end
    error(("%s; %s prints the commands that train it again, to the same bits")
      :format(meta, hint.command(db, "show", uid, "--repro")), 0)
  end
  local owner = checkpoint_owner.of(db, uid)
  if not changed or owner:foreign("best", meta) then owner:check("best", path, meta, code) end
  return tensors, meta, code
end

-- Loads the best weights of a stored run → their metadata.
function checkpoint.load_best(session, db, uid, only)
  local tensors, meta = checkpoint.read_best(db, uid)
  put(session, tensors, only)
  return meta
end

-- Saves everything, between two epochs. The metrics of the epoch are written before the file: a process
-- that ends after the file resumes after this epoch and does not record it again. While another program has
-- the database locked, the file contains them.
function checkpoint.save_last(session)
  local flushed = session.record:flush()
  local tensors = weights(session)
  local meta = { stage = session.stage_number, epoch = session.epoch, step = session.step,
    best = session.best, t = {}, ema_t = {}, unwritten = not flushed and session.record:unwritten() or nil }
  for i, trained in ipairs(session.trained) do
    local ema = session.emas[i]
    for piece in parameter_groups.pieces(session.groups[i]) do
      for name, value in pairs(piece.optimiser.state) do
        if name ~= "t" then tensors[("optim.%s.%s"):format(piece.name, name)] = value end
      end
      meta.t[piece.name] = piece.optimiser.state.t
    end
    tensors["ema." .. trained.name .. ".values"] = ema and ema.values
    tensors["ema." .. trained.name .. ".buffers"] = ema and ema.buffers
    meta.ema_t[trained.name] = ema and ema.t
  end
  write(session, "last", session.epoch, tensors, meta)
end

-- As core.checkpoint.load(); a file whose state is not that of a last checkpoint is damaged too.
local function load_last(path)
  local tensors, meta, code = core.checkpoint.load(path)
  local fault = tensors and checkpoint_state.fault("last", meta)
  if fault then return nil, ("checkpoint %s is damaged: %s"):format(path, fault), "EFORMAT" end
  return tensors, meta, code
end

-- Reads the newest undamaged checkpoint of a run's folder, the last one or the previous one. → {tensors =,
-- meta =, sha256 =, path =, fallback = a line if the last one could not be used}, or nil if there is none.
function checkpoint.read_newest(folder)
  local last = folder .. "/last.safetensors"
  local previous = core.checkpoint.previous(last)
  local is_there, damage = core.sys.exists(last), last .. " is missing"
  if not is_there and not core.sys.exists(previous) then return nil end
  if is_there then
    local tensors, meta, code = load_last(last)
    if tensors then return { tensors = tensors, meta = meta, sha256 = code, path = last } end
    damage = meta
    if code ~= "EFORMAT" then error(damage, 0) end
    if not core.sys.exists(previous) then
      error(damage .. "; there is no previous one: remove it, and the run begins again", 0)
    end
  end
  local tensors, meta, sha256 = load_last(previous)
  if not tensors then
    error(("%s; the previous one cannot be read either: %s; remove both, and the run begins again")
      :format(damage, meta), 0)
  end
  return { tensors = tensors, meta = meta, sha256 = sha256, path = previous,
    fallback = ("%s is %s; the run goes on from the previous checkpoint, after epoch %d"):format(last,
      is_there and "damaged" or "missing", meta.epoch) }
end

-- The checkpoint from which a stored run continues, as from read_newest(); nil if its checkpoints are lost,
-- so that the run begins again. Raises if only the database was renamed.
function checkpoint.of_run(db, uid)
  local folder = db:run_folder(uid)
  local found = checkpoint.read_newest(folder)
  if found then
    checkpoint_owner.of(db, uid):check("last", found.path, found.meta, found.sha256)
    return found
  end
  moved_folder.check(db, uid, folder)
  return nil
end

-- Records the file from which a run continues: the process that wrote it may have ended before its row.
function checkpoint.record_loaded(record, saved)
  record:checkpoint { kind = "last", step = saved.meta.epoch, path = saved.path, sha256 = saved.sha256,
    bytes = core.sys.size(saved.path) }
end

-- The tensor of a session's saved checkpoint that replaces `like`; raises if none fits.
local function saved_tensor(session, name, like)
  local tensor = session.saved.tensors[name]
  local fits = tensor and tensor:dtype() == like:dtype()
    and table.concat(tensor:shape(), " ") == table.concat(like:shape(), " ")
  if not fits then
    error(("checkpoint %s: the tensor %s is missing or has another shape than the run's"):format(
      session.saved.path, name), 0)
  end
  return tensor
end

-- Restores the state of one optimiser. After its first step it must have all of its tensors: a missing one
-- would begin again at zero, and the run would not continue bit for bit.
local function restore_piece(session, piece)
  local prefix, state = "optim." .. piece.name .. ".", piece.optimiser.state
  state.t = session.saved.meta.t[piece.name] or 0
  for name in pairs(session.saved.tensors) do
    if name:sub(1, #prefix) == prefix then
      state[name:sub(#prefix + 1)] = saved_tensor(session, name, (piece.module:flat()))
    end
  end
  for _, slot in ipairs(state.t > 0 and piece.optimiser.slots or {}) do
    if not state[slot] then saved_tensor(session, prefix .. slot, (piece.module:flat())) end
  end
end

-- Restores weights, optimisers, averages and position of the session's saved checkpoint, in its stage.
function checkpoint.restore(session)
  local tensors, meta = session.saved.tensors, session.saved.meta
  put(session, tensors)
  for i, trained in ipairs(session.trained) do
    local ema = session.emas[i]
    for piece in parameter_groups.pieces(session.groups[i]) do restore_piece(session, piece) end
    if ema then
      ema.t = meta.ema_t[trained.name] or 0
      ema.values:copy_(saved_tensor(session, "ema." .. trained.name .. ".values", ema.values))
      ema.buffers:copy_(saved_tensor(session, "ema." .. trained.name .. ".buffers", ema.buffers))
    end
  end
  session.epoch, session.step, session.best = meta.epoch, meta.step, meta.best
end

return checkpoint
