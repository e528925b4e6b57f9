-- For tests of trained models on new images: a small set of images in three colours, stored runs of every
-- kind of model, and a model as it is in the database and in a file.
local aniso = require "aniso"
local config = require "aniso.method.config"
local data_fixture = dofile "tests/lua/data_fixture.lua"
local description = require "aniso.inference.description"
local image_paths = require "aniso.inference.image_paths"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"
local model_file = require "aniso.inference.model_file"
local predictor = require "aniso.inference.predictor"
local stored_run = require "aniso.inference.stored_run"

local fixture = {}

local nowhere = assert(io.open("/dev/null", "w"))

fixture.classes = { a = { 200, 20, 20 }, b = { 20, 200, 20 }, c = { 20, 20, 200 } }

-- A folder of images in one of three colours; 12 of a class.
local function pictures(layout)
  for class, colour in pairs(fixture.classes) do
    for i = 1, 12 do
      local r, g, b = table.unpack(colour)
      layout:write(("images/%s/%02d.bmp"):format(class, i),
        data_fixture.bmp(12, 12, r + i, g + 2 * i, b + 3 * i))
    end
  end
  return layout:path "images"
end

-- Options of a variant; `plain` leaves the denoiser out.
fixture.variants = {
  chain = {}, sample = { ["schedule.coupling"] = "sample" }, ancestral = { ["sampler.1"] = "ddpm" },
  image = { ["schedule.coupling"] = "image" }, own_levels = { ["schedule.lambda"] = "learned" },
  film = { denoiser = { "film", dim = 8 }, ["train.prediction"] = "class" },
  calibrated = { ["select.calibrate"] = { metric = "bacc", tau = { 0.7 } } },
  tilted = { ["sampler.tilt"] = { "prior", tau = 0.5, where = "chain" } },
  margins = { plain = true, ["loss.prior"] = "ldam", ["prior.cosine"] = true },
  adjusted = { plain = true, post_hoc = "logit_adjustment" },
  normed = { plain = true, post_hoc = { "tau_norm", tau = 0.5 } },
  retrained = { plain = true, post_hoc = { "crt", epochs = 1 } },
  scaled = { plain = true, post_hoc = { "lws", epochs = 1 } },
}



-- Gives a test case `layout`, `root` (the folder of the images) and `db`.
function fixture.begin(case)
  case.layout = data_fixture.new()
  case.db = lock_step.new_db(case.layout.root, "runs")
  case.root = pictures(case.layout)
end

function fixture.finish(case)
  case.db:close()
  case.layout:remove()
end

local function configuration(case, changes)
  return config.complete(aniso.options.apply({
    data = { "folder", root = case.root, size = 12, cache = false },
    backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 },
    schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { epochs = 1, batch = 8, draws = 2 },
    select = { keep = "last" },
    sampler = { "ddim", steps = 3, draws = 4 },
  }, changes))
end

-- A finished run of a variant → its row.
function fixture.run_of(case, name)
  local changes = {}
  for key, value in pairs(fixture.variants[name]) do changes[key] = value end
  if changes.plain then
    changes.plain = nil
    changes.denoiser, changes["prior.mode"], changes["select.of"] = "none", "global", "prior"
    changes["train.mode"] = "staged"
  end
  local job = { config = configuration(case, changes), seed = 1, label = name, study = "s", db = case.db,
    stream = nowhere }
  local out = aniso.trainer.run(job)
  return assert(case.db:find(out.uid))
end

-- A predictor of the run as it is, one of the file that it was written to, and the file's path.
function fixture.both(case, run, given)
  local of, tensors = stored_run.read(case.db, run, given)
  local checked = description.check(of, "run")
  local direct = predictor.new(checked, model_file.build(checked, tensors, "run"))
  local path = case.layout:path(run.uid .. ".safetensors")
  assert(model_file.save(path, of, tensors, direct.model))
  return direct, predictor.load(path), path
end

function fixture.files_of(case)
  return image_paths.of({ case.root }).paths
end

return fixture
