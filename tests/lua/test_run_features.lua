-- aniso features: the file has the output of the run's backbone for each image, and data = features reads it
-- back with the labels, parts and groups of the run.
local lu = require "luaunit"
local aniso = require "aniso"
local checkpoint = require "aniso.train.checkpoint"
local core = require "aniso.core"
local data = require "aniso.method.data"
local fixture = dofile "tests/lua/inference_fixture.lua"
local run_features = require "aniso.inference.run_features"

local PARTS = { "train", "val", "test" }

local T = { setUp = fixture.begin, tearDown = fixture.finish }

local function session_of(self, run)
  local job = aniso.trainer.stored_job(self.db, run)
  job.evaluation_only = true
  local session = aniso.trainer.prepare(job)
  checkpoint.load_best(session, self.db, run.uid)
  session.model:train(false)
  return session
end

-- name → the numbers of the image in the backbone's output, from batches of one.
local function by_backbone(session)
  local out = {}
  core.ops.no_grad(function()
    for _, part in ipairs(PARTS) do
      for i, key in ipairs(session.dataset:keys(part)) do
        local image = session.dataset:batch(part, i - 1, 1)
        out[key] = session.model.backbone:forward(image):list()
      end
    end
  end)
  return out
end

local function close(got, expected)
  lu.assertEquals(#got, #expected)
  for i, x in ipairs(expected) do lu.assertAlmostEquals(got[i], x, 1e-5 * (1 + math.abs(x))) end
end

function T:test_the_rows_are_the_backbones_output()
  local run = fixture.run_of(self, "chain")
  local x, images, grid = run_features.of(self.db, run, { parts = PARTS })
  local expected = by_backbone(session_of(self, run))
  lu.assertEquals(x:shape(), { 36, grid[1] * grid[2], 16 })
  for i, id in ipairs(images.id) do close(x:narrow(1, i, 1):list(), expected[id]) end
  local sum = 0
  for _, value in ipairs(x:list()) do sum = sum + math.abs(value) end
  lu.assertTrue(sum > 1)
end

function T:test_pooled_rows_are_the_means_over_the_map()
  local run = fixture.run_of(self, "chain")
  local x, images, grid = run_features.of(self.db, run, { parts = { "test" }, pooled = true })
  local expected, cells = by_backbone(session_of(self, run)), grid[1] * grid[2]
  for i, id in ipairs(images.id) do
    local mean = {}
    for d = 1, 16 do
      mean[d] = 0
      for cell = 0, cells - 1 do mean[d] = mean[d] + expected[id][cell * 16 + d] / cells end
    end
    lu.assertEquals(images.part[i], "test")
    close(x:narrow(1, i, 1):list(), mean)
  end
end

function T:test_the_file_is_read_back_as_data()
  local run = fixture.run_of(self, "chain")
  local x, images, grid = run_features.of(self.db, run, { parts = PARTS })
  local path, rows = self.layout:path "f.safetensors", { "id,label,split" }
  assert(run_features.save(path, x, images, run))
  for i, id in ipairs(images.id) do
    rows[i + 1] = ('"%s",%s,%s'):format(id, images.label[i], images.part[i])
  end
  self.layout:write("f.csv", table.concat(rows, "\n") .. "\n")
  local given = { "features", file = path, table = self.layout:path "f.csv", split = "split", grid = grid,
    normalise = "none" }
  local ds <close> = data(given)
  local before = session_of(self, run).dataset
  local row_of = {}
  for i, id in ipairs(images.id) do row_of[id] = i end
  for _, part in ipairs(PARTS) do
    lu.assertEquals(ds:keys(part), before:keys(part))
    lu.assertEquals(ds:labels(part):list(), before:labels(part):list())
    for i, key in ipairs(ds:keys(part)) do
      lu.assertEquals(ds:batch(part, i - 1, 1):list(), x:narrow(1, row_of[key], 1):list())
    end
  end
  local first = core.sha256.file(path)
  assert(run_features.save(path, x, images, run))
  lu.assertEquals(core.sha256.file(path), first)
end

return { run_features = T }
