-- A sweep over λ on frozen features: ten points and five folds of 2,000 images with 768 numbers are 50 runs,
-- which share five first stages and take about as many seconds.
local lu = require "luaunit"
local aniso = require "aniso"
local config = require "aniso.method.config"
local core = require "aniso.core"
local data_fixture = dofile "tests/lua/data_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"

local IMAGES, D, POINTS, FOLDS = 2000, 768, 10, 5
local MOST_SECONDS = 120 -- of one CPU, under a sanitizer too

local nowhere = assert(io.open("/dev/null", "w"))

local T = {}

function T:setUp()
  self.layout = data_fixture.new()
  local lines, classes = { "id,label" }, {}
  for i = 1, IMAGES do
    classes[i] = i % 10 < 6 and 0 or i % 10 < 9 and 1 or 2
    lines[i + 1] = ("%04d,%s"):format(i, ({ [0] = "nv", "mel", "df" })[classes[i]])
  end
  local means = core.tensor.randn { shape = { 3, D }, seed = 2 } * 0.15
  local x = core.tensor.randn { shape = { IMAGES, D }, seed = 1 }
    + means:embedding(core.tensor.from(classes, "int64"))
  assert(core.safetensors.save(self.layout:path "f.safetensors", { features = x }))
  self.layout:lines("t.csv", lines)
end

function T:tearDown() self.layout:remove() end

local function job_of(self, db, gamma, fold)
  return { seed = 0, label = ("gamma %g"):format(gamma), study = "sweep", db = db, stream = nowhere,
    cross = { folds = FOLDS, fold = fold },
    config = config.complete {
      data = { "features", root = self.layout.root, file = "f.safetensors", table = "t.csv" },
      schedule = { "cosine", T = 50, lambda = { "power", gamma = gamma } },
      denoiser = { "film", dim = 16 },
      train = { mode = "staged", prior_epochs = 5, epochs = 3, batch = 256, draws = 1, lr = 3e-3 },
      select = { every = 3 }, sampler = { "ddim", steps = 3, draws = 4 } } }
end

function T:test_fifty_runs_take_seconds()
  local db <close> = lock_step.new_db(self.layout.root, "runs")
  local began, sum = os.clock(), 0
  for fold = 0, FOLDS - 1 do
    local jobs = {}
    for i = 1, POINTS do jobs[i] = job_of(self, db, (i - 1) / POINTS, fold) end
    for _, outcome in ipairs(aniso.trainer.run_together(jobs)) do
      lu.assertNil(outcome.problem)
    end
  end
  lu.assertTrue(os.clock() - began < MOST_SECONDS)
  local rows = assert(db:query("SELECT result.value AS acc FROM result JOIN metric USING(metric_id) "
    .. "JOIN evaluation USING(eval_id) WHERE part = 'test' AND sampler = 'prior' AND metric.name = 'acc'"))
  lu.assertEquals(#rows, POINTS * FOLDS)
  for _, row in ipairs(rows) do sum = sum + row.acc end
  lu.assertTrue(sum / #rows > 0.8, sum / #rows)
end

return { feature_sweep = T }
