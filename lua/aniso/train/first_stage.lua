-- The first stage of a staged run (backbone and priors) depends on neither λ nor the
-- denoiser, so a sweep over those shares it: it is stored under a hash of everything that
-- determines it and never trained twice. Each process writes a file of its own and
-- renames it, so that two which train the same stage at once do no harm.
local core = require "aniso.core"
local state = require "aniso.train.state"

local first_stage = {}

local FROM_TRAIN = { "prior_epochs", "epochs", "batch", "optimiser", "lr", "decay", "momentum",
  "rate", "warmup", "clip", "ema", "sampler", "augment" }

-- The hash: data and split by content, the networks, their loss, how they are trained, the
-- seed, and the version of this program.
function first_stage.key(session)
  local config, train = session.config, {}
  for _, name in ipairs(FROM_TRAIN) do train[name] = config.train[name] end
  if train.prior_epochs > 0 then train.epochs = 0 end -- the second stage's business then
  return core.sha256.text(core.json.encode {
    version = core.sys.version, seed = session.seed,
    data = session.dataset.sha256, split = session.dataset.split.sha256,
    backbone = config.backbone, prior = config.prior, train = train,
    loss = { ["global"] = config.loss["global"], ["local"] = config.loss["local"],
      prior = config.loss.prior },
    select = config.select,
  })
end

local function path(session)
  return ("%s/first-stage/%s.safetensors"):format(session.store_folder, first_stage.key(session))
end

-- Loads the stage's weights into the session if somebody trained it before.
function first_stage.load(session)
  local file = path(session)
  if not core.sys.exists(file) then return false end
  state.load_weights(session, file, "net")
  return true
end

-- Stores the weights in force of the session's net.
function first_stage.save(session)
  local final = path(session)
  local own = ("%s.%s"):format(final, session.uid)
  assert(core.sys.mkdir_p(session.store_folder .. "/first-stage"))
  local tensors = {}
  for name, tensor in pairs(session.model.net:state()) do tensors["net." .. name] = tensor end
  local sha256, message = core.checkpoint.save(own, tensors, { seed = session.seed },
    { previous = false })
  if not sha256 then error(message, 0) end
  assert(core.sys.rename(own, final))
end

return first_stage
