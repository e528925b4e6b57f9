-- Where, when and from what a run was made: the description that the run database stores.
local circumstances = require "aniso.train.circumstances"
local core = require "aniso.core"
local repository = require "aniso.train.recipe_repository"

local provenance = {}

-- The images and the split as hashes: the same files at another size are different data; the same lists
-- with other groups of classes or another validation part are a different split. lists [opt]: a hash
-- instead of that of the split's lists; content [opt]: one instead of that of the images. Classes in the
-- order of their values are different data from the same classes in the bytewise order of earlier
-- versions; a set in that order keeps its hash.
function provenance.identity(session, lists, content)
  local dataset, split, given = session.dataset, session.dataset.split, session.config.data
  local by_value = dataset.facts and dataset.facts.ordered_by_value
  local data = core.sha256.text(core.json.encode { content = content or dataset.sha256,
    aspect = given.aspect, normalise = given.normalise, grid = given.grid,
    classes = by_value and dataset.classes or nil,
    shape = { dataset.height, dataset.width, dataset.channels } })
  local of = { data = data, lists = lists or split.sha256, test_is_val = split.test_is_val }
  local rule = split.groups
  if rule[1] == "counts" then -- as before there were other rules: stored runs keep their split
    of.many, of.few = math.tointeger(rule.many) or rule.many, math.tointeger(rule.few) or rule.few
  else
    of.groups = rule
  end
  return data, core.sha256.text(core.json.encode(of))
end

-- The cluster of each test image, as a number; nil if no two images belong together.
local function clusters_of(dataset)
  local list, seen, shared = dataset:clusters "test", {}, false
  for _, cluster in ipairs(list) do
    shared, seen[cluster] = shared or seen[cluster], true
  end
  return shared and list or nil
end

-- The argument of db:start_run.
function provenance.describe(job, session)
  local dataset, split = session.dataset, session.dataset.split
  local data_sha256, split_sha256 = provenance.identity(session)
  return {
    name = job.label or "run", label = job.label, study = job.study, config = job.config,
    seed = job.seed, fold = split.fold, argv = job.argv, recipe = job.recipe, log = job.log,
    lambda = session.model.denoiser and session.model.schedule.levels or nil,
    dataset = { name = dataset.name, sha256 = data_sha256, content = dataset.sha256, source = dataset.source,
      classes = dataset.classes, height = dataset.height, width = dataset.width,
      channels = dataset.channels },
    split = { name = split.name, sha256 = split_sha256, seed = split.seed,
      profile = split.profile, imbalance_factor = split.imbalance_factor,
      test_is_val = split.test_is_val, n_train = split.n_train, n_val = split.n_val,
      n_test = split.n_test, shot = split.shot, group_rule = split.groups, folds = split.folds,
      fold_set = split.fold_set and select(2, provenance.identity(session, split.fold_set)),
      clusters = clusters_of(dataset) },
    threads = core.sys.threads(), host = core.sys.host(), git = job.recipe and repository.of(job.recipe.path),
    tool_version = core.sys.version,
    env = circumstances.environment(job.config),
  }
end

return provenance
