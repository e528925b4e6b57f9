-- Fixtures for tests of runs in lock-step: small staged configurations, their jobs, stored results.
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"

local fixture = {}

local nowhere = assert(io.open("/dev/null", "w"))

fixture.points = {
  { ["schedule.lambda"] = "isotropic" },
  { ["schedule.lambda"] = { "power", gamma = 0.5 }, ["schedule.coupling"] = "speed" },
  { ["schedule.lambda"] = "bound", ["schedule.coupling"] = "sample", ["sampler"] = "ddpm" },
  { ["denoiser"] = { "film", dim = 8 }, ["train.draws"] = 1, ["loss.mmd"] = 0 },
  { ["schedule.lambda"] = "bound", ["schedule.coupling"] = "class_speed", ["loss.hardness"] = 0.5,
    ["loss.class_weight"] = { "lambda", defer = 0.5 },
    ["select.calibrate"] = { metric = "nll", temperature = { 0.1, 0.5 } } },
  { ["schedule.lambda"] = "bound", ["schedule.coupling"] = "image", ["schedule.uncertainty_floor"] = 0.5,
    ["train.prediction"] = "class", ["loss.class_weight"] = { "power", gamma = 0.5 } },
  { ["schedule.lambda"] = { "learned", lr = 0.05 }, ["loss.class_weight"] = "lambda" },
}

function fixture.complete(changes)
  return config.complete(aniso.options.apply({
    data = { "lesions", n = 140, size = 12 },
    backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 40 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { mode = "staged", prior_epochs = 1, epochs = 3, batch = 28, draws = 2,
      augment = { flip = true, shift = 1 } },
    select = { steps = 2, draws = 1 },
    sampler = { "ddim", steps = 3, draws = 2 },
  }, changes))
end

function fixture.jobs_of(db, changes, stream)
  local jobs = {}
  for i, one in ipairs(changes) do
    jobs[i] = { config = fixture.complete(one), seed = 0, label = "point " .. i, study = "sweep", db = db,
      stream = stream or nowhere }
  end
  return jobs
end

function fixture.new_db(folder, name)
  return assert(aniso.store.open(folder .. "/" .. name .. ".db"))
end

-- All stored training results of a run, as one text.
function fixture.stored(db, uid)
  local text = {}
  for _, sql in ipairs {
    "SELECT metric.name, part, step, value FROM metric_value JOIN metric USING(metric_id) "
      .. "JOIN run USING(run_id) WHERE uid = ?1 AND step > 1 ORDER BY 1, 2, 3",
    "SELECT part, sampler, is_primary, evaluation.n, metric.name, result.value, lo, hi FROM evaluation "
      .. "JOIN result USING(eval_id) JOIN metric USING(metric_id) JOIN run USING(run_id) "
      .. "WHERE uid = ?1 ORDER BY 1, 2, 3, 5",
    "SELECT class_idx, value FROM lambda JOIN run USING(run_id) WHERE uid = ?1 ORDER BY 1",
    "SELECT kind, step, checkpoint.sha256 FROM checkpoint JOIN run USING(run_id) WHERE uid = ?1 ORDER BY 1",
  } do
    local rows = assert(db:query(sql, uid))
    assert(#rows > 0 or sql:find "FROM lambda", "nothing is stored") -- without a denoiser there are no levels
    for _, row in ipairs(rows) do text[#text + 1] = core.json.encode(row) end
  end
  return table.concat(text, "\n")
end

return fixture
