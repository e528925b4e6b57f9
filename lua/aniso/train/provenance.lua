-- Where, when and from what a run was made: the description that the run database stores.
local core = require "aniso.core"

local provenance = {}

local function line_of(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  if not pipe then return nil end
  local line = pipe:read "l"
  pipe:close()
  return line ~= "" and line or nil
end

-- The recipe's repository: its commit, and whether anything differs from it.
local function git()
  local commit = line_of "git rev-parse HEAD"
  if not commit then return nil end
  return { commit = commit, dirty = line_of "git status --porcelain" ~= nil }
end

local remembered
function provenance.git()
  if remembered == nil then remembered = git() or false end
  return remembered or nil
end

-- What the images and the split are, as hashes: the same files at another size are other
-- data; the same lists with other cut points or another validation part another split.
function provenance.identity(session)
  local dataset, split = session.dataset, session.dataset.split
  local data = core.sha256.text(core.json.encode { content = dataset.sha256,
    aspect = session.config.data.aspect, shape = { dataset.height, dataset.width, dataset.channels } })
  return data, core.sha256.text(core.json.encode { data = data, lists = split.sha256,
    many = split.many, few = split.few, test_is_val = split.test_is_val })
end

-- The argument of db:start_run.
function provenance.describe(job, session)
  local dataset, split = session.dataset, session.dataset.split
  local data_sha256, split_sha256 = provenance.identity(session)
  return {
    name = job.label or "run", label = job.label, study = job.study, config = job.config,
    seed = job.seed, argv = job.argv, recipe = job.recipe,
    lambda = session.model.schedule.levels,
    dataset = { name = dataset.name, sha256 = data_sha256, source = dataset.source,
      classes = dataset.classes, height = dataset.height, width = dataset.width,
      channels = dataset.channels },
    split = { name = split.name, sha256 = split_sha256, seed = split.seed,
      profile = split.profile, imbalance_factor = split.imbalance_factor,
      test_is_val = split.test_is_val, n_train = split.n_train, n_val = split.n_val,
      n_test = split.n_test, shot = split.shot },
    threads = core.sys.threads(), host = core.sys.host(), git = provenance.git(),
    tool_version = core.sys.version,
    env = { OMP_NUM_THREADS = os.getenv "OMP_NUM_THREADS" },
  }
end

return provenance
