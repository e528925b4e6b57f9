-- For tests of runs without a denoiser: small configurations, a run of one, and a run that is killed
-- after an epoch and goes on.
local core = require "aniso.core"
local aniso = require "aniso"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"
local remove = dofile "tests/lua/remove_tree.lua"

local fixture = { stored = lock_step.stored, new_db = lock_step.new_db, jobs_of = lock_step.jobs_of }

-- Changes of lockstep_fixture's configuration that make a classifier of it; the epochs are 2.
function fixture.softmax(changes)
  local out = { denoiser = "none", ["prior.mode"] = "global", ["prior.top_percent"] = 100,
    ["select.of"] = "prior", ["train.prior_epochs"] = 2 }
  for key, value in pairs(changes or {}) do out[key] = value end
  return out
end

function fixture.run(db, changes)
  return aniso.trainer.run(fixture.jobs_of(db, { fixture.softmax(changes) })[1])
end

-- Puts a finished run back to its last checkpoint but one, as a kill in the last epoch leaves it, without
-- the first stages that are stored if `without`.
function fixture.rewind(db, uid, without)
  local last = ("%s/%s/last"):format(db:folder(), uid)
  assert(os.rename(last .. ".previous.safetensors", last .. ".safetensors"))
  if without then remove(db:first_stage_folder()) end
  assert(db:exec("UPDATE run SET status = 'crashed', ended_at = NULL WHERE uid = ?1", uid))
end

-- name → tensor of the run's best weights.
function fixture.weights(db, uid)
  return assert(core.checkpoint.load(("%s/%s/best.safetensors"):format(db:folder(), uid)))
end

return fixture
