-- Checks that a checkpoint is the one that its run expects, by what the file records about itself (run, kind,
-- configuration) and what the database records about the file.
--   local owner = checkpoint_owner.of(db, uid)      owner:check("best", path, meta, sha256)
-- A file that is newer than its row belongs to the run: a process ended between writing the two. A file of
-- another run, kind, configuration or content is an error; its message is one line with the remedy.
local checkpoint_state = require "aniso.store.checkpoint_state"
local core = require "aniso.core"
local folds = require "aniso.recipe.folds"
local ulid = require "aniso.store.ulid"
local must = require("aniso.store.db_error").must

local Owner = {}
Owner.__index = Owner

local checkpoint_owner = {}

-- `schema` is the version of the schema: a migration may rename options, which changes the hash of a
-- configuration, so only hashes of the same version are compared.
function checkpoint_owner.describe(session, kind)
  return { uid = session.uid, config = session.config_hash, kind = kind, schema = core.db.VERSION }
end

local RUN = [[
  SELECT r.run_id, coalesce(r.label, r.name) AS name, r.seed, r.fold, r.status, c.sha256 AS config
    FROM run r JOIN config c USING(config_id) WHERE r.uid = ?1]]

function checkpoint_owner.of(db, uid)
  local run = must(db:query(RUN, uid))[1] or error(("there is no run %s in %s"):format(uid, db.path), 0)
  local rows = {}
  for _, row in ipairs(must(db:query("SELECT kind, step, sha256 FROM checkpoint WHERE run_id = ?1",
    run.run_id))) do
    rows[row.kind] = row
  end
  return setmetatable({ db = db, uid = uid, config = run.config, status = run.status, rows = rows,
    name = folds.name(run.name, run.seed, run.fold) }, Owner)
end

-- "run UID (label, seed 0)" for any uid; without the parenthesis if the database does not contain the run.
local function name_of(db, uid)
  local run = must(db:query(RUN, uid))[1]
  return run and ("run %s (%s)"):format(uid, folds.name(run.name, run.seed, run.fold)) or "run " .. uid
end

-- Why the file cannot be the run's, as the end of a sentence that begins with its path; nil if it can.
function Owner:foreign(kind, meta)
  local fault = checkpoint_state.fault(kind, meta)
  if fault then return "is damaged: " .. fault end
  if not ulid.is(meta.uid) then return "records no run" end
  if meta.uid ~= self.uid then
    return ("is of %s, not of run %s (%s)"):format(name_of(self.db, meta.uid), self.uid, self.name)
  end
  if meta.kind and meta.kind ~= kind then -- files of earlier versions record none
    return ("is another file of run %s (%s) than its %s.safetensors"):format(self.uid, self.name, kind)
  end
  if meta.schema == core.db.VERSION and meta.config ~= self.config then
    return ("was made with another configuration (%s) than run %s (%s) has (%s)"):format(
      tostring(meta.config):sub(1, 12), self.uid, self.name, self.config:sub(1, 12))
  end
end

-- Why the file is not the one that the database recorded; nil if it is, or has no row, or is newer. A run
-- that finished has no newer files.
function Owner:differs(kind, meta, sha256)
  local row = self.rows[kind]
  if not row or row.sha256 == sha256 then return nil end
  if meta.epoch > row.step and self.status ~= "finished" then return nil end
  return ("holds epoch %d with the hash %s, and the database recorded epoch %d with %s for run %s (%s)")
    :format(meta.epoch, sha256:sub(1, 12), row.step, row.sha256:sub(1, 12), self.uid, self.name)
end

local WAY_OUT = { best = "put the run's own file back, or train the run again",
  last = "put the run's own file back, or remove this one and last.previous.safetensors, "
    .. "and the run begins again" }

-- Raises if the file at `path`, for which core.checkpoint.load() returned `meta` and `sha256`, is not the
-- run's `kind`. An older last checkpoint, such as the previous one, passes: training from it gives the same
-- bits.
function Owner:check(kind, path, meta, sha256)
  local why = self:foreign(kind, meta)
  if not why and not (kind == "last" and meta.epoch < (self.rows.last and self.rows.last.step or 0)) then
    why = self:differs(kind, meta, sha256)
  end
  if why then error(("checkpoint %s %s: %s"):format(path, why, WAY_OUT[kind]), 0) end
end

return checkpoint_owner
