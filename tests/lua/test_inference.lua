-- Trained models for new images: the file of a run gives what its networks give, and an image has the same
-- prediction whatever others are in its batch.
local lu = require "luaunit"
local aniso = require "aniso"
local chain_tables = require "aniso.inference.chain_tables"
local core = require "aniso.core"
local data_fixture = dofile "tests/lua/data_fixture.lua"
local fixture = dofile "tests/lua/inference_fixture.lua"
local description = require "aniso.inference.description"
local model_file = require "aniso.inference.model_file"
local post_hoc = require "aniso.method.post_hoc"
local predict = require "aniso.method.predict"
local stored_run = require "aniso.inference.stored_run"

local both, run_of, files_of = fixture.both, fixture.run_of, fixture.files_of

local T = { setUp = fixture.begin, tearDown = fixture.finish }

-- ── the same model ──────────────────────────────────────────────────────────────────────
-- The session that an evaluation of the run makes, with its weights.
local function session_of(self, run)
  local job = aniso.trainer.stored_job(self.db, run)
  job.evaluation_only = true
  local session = aniso.trainer.prepare(job)
  require("aniso.train.checkpoint").load_best(session, self.db, run.uid)
  session.model:train(false)
  return session
end

-- What the training's own networks give for the test part, as rows of probabilities in its order.
local function by_session(session, how)
  return core.ops.no_grad(function()
    local model, dataset = session.model, session.dataset
    local features, prior = model:encode((dataset:batch("test", 0, dataset:n "test")))
    if model.denoiser then
      return predict.chains(model, features, prior, how, 0, { alike = true }):totable()
    end
    local choice = session.config.post_hoc
    if not choice then return prior.m:totable() end
    return post_hoc.probabilities(choice, model, post_hoc.scores(choice, model, features, prior):totable(),
      session.tau or choice.tau)
  end)
end

local function each_close(got, expected, bound)
  lu.assertEquals(#got, #expected)
  for i, row in ipairs(expected) do
    for k, p in ipairs(row) do lu.assertAlmostEquals(got[i].probabilities[k], p, bound) end
  end
end

function T:test_a_file_gives_what_the_trained_networks_give()
  for name in pairs(fixture.variants) do
    local run = run_of(self, name)
    local direct, loaded = both(self, run)
    local session = session_of(self, run)
    session.tau = direct.config.post_hoc and direct.config.post_hoc.tau
    local paths = {}
    for i, key in ipairs(session.dataset:keys "test") do paths[i] = self.root .. "/" .. key end
    local rows = direct:predict(paths)
    each_close(rows, by_session(session, direct.sampler), 1e-5)
    lu.assertEquals(loaded:predict(paths), rows, name)
  end
end

-- A classifier has no noise, so the stored predictions of its test images are the file's.
function T:test_a_classifier_gives_the_stored_predictions()
  for _, name in ipairs { "margins", "adjusted", "retrained" } do
    local run = run_of(self, name)
    local _, loaded = both(self, run)
    local paths, stored = {}, assert(self.db:predictions(run))
    for i, key in ipairs(session_of(self, run).dataset:keys "test") do paths[i] = self.root .. "/" .. key end
    each_close(loaded:predict(paths), stored.probs, 1e-5)
  end
end

function T:test_the_sampler_is_the_one_that_was_evaluated()
  local run = run_of(self, "calibrated")
  local _, loaded = both(self, run)
  lu.assertEquals(loaded.sampler.tilt, { "prior", tau = 0.7, where = "vote" })
  local _, other = both(self, run, { steps = 2, draws = 7 })
  lu.assertEquals({ other.sampler.steps, other.sampler.draws }, { 2, 7 })
  lu.assertErrorMsgContains("T = 20", loaded.sample, loaded, { steps = 21 })
end

function T:test_learned_levels_are_numbers_of_the_file()
  local run = run_of(self, "own_levels")
  local _, loaded = both(self, run)
  local levels = assert(self.db:lambda(run))
  for j, level in ipairs(loaded.model.schedule.levels) do lu.assertAlmostEquals(level, levels[j], 1e-12) end
  lu.assertNotAlmostEquals(levels[1], 1, 1e-9)
end

-- Weights of versions that recorded no normalisation: it is measured on the images again.
function T:test_without_a_recorded_input_the_data_are_opened()
  local run = run_of(self, "chain")
  local direct = both(self, run)
  local path = self.db:run_folder(run.uid) .. "/best.safetensors"
  local tensors, meta = assert(core.checkpoint.load(path))
  meta.input = nil
  assert(core.checkpoint.save(path, tensors, meta, { previous = false }))
  local again = both(self, run)
  lu.assertEquals(again.form, direct.form)
  self.layout:write("images/a/01.bmp", data_fixture.bmp(12, 12, 1, 2, 3))
  aniso.trainer.release_data()
  lu.assertErrorMsgContains("was made on other images", stored_run.read, self.db, run)
end

-- The numbers of the chains are no weights: they stay as they are.
function T:test_a_narrow_file_has_rounded_weights_and_exact_chains()
  local of, tensors = stored_run.read(self.db, run_of(self, "chain"))
  local model = model_file.build(description.check(of, "x"), tensors, "x")
  local files = {}
  for _, precision in ipairs { "float32", "bfloat16" } do
    local path = ("%s/%s.safetensors"):format(self.root, precision)
    assert(model_file.save(path, of, tensors, model, precision))
    files[precision] = assert(core.checkpoint.load(path))
  end
  local changed = 0
  for name, tensor in pairs(files.float32) do
    local narrow, same = files.bfloat16[name]:list(), true
    for i, value in ipairs(tensor:list()) do same = same and value == narrow[i] end
    changed = changed + (same and 0 or 1)
    lu.assertTrue(same or #tensor:shape() >= 2 and not name:find "^chain%.", name)
  end
  lu.assertTrue(changed > 10)
end

-- PyTorch reads the same files and gives the same probabilities (tests/golden/predict_model.py).
local PYTORCH = { "cross_attention", "film", "resnet50", "local", "softmax" }

function T:test_pytorch_gives_the_same_probabilities()
  local golden = core.safetensors.load "tests/golden/model_files.safetensors"
  for _, label in ipairs(PYTORCH) do
    local loaded = aniso.load(("tests/golden/model_%s.safetensors"):format(label))
    local got = loaded:classify(golden["images/" .. label]):list()
    for k, p in ipairs(golden["probabilities/" .. label]:list()) do lu.assertAlmostEquals(got[k], p, 1e-5) end
    lu.assertEquals(#got, 5 * 7)
  end
end

-- The steps that PyTorch took are those that an export writes today, and so are the tables that they read.
function T:test_the_steps_of_a_file_are_those_that_pytorch_took()
  for _, label in ipairs(PYTORCH) do
    local path = ("tests/golden/model_%s.safetensors"):format(label)
    local stored, state = core.checkpoint.load(path)
    local steps, tensors = core.json.encode(state.torch), chain_tables.without(stored)
    state.torch = nil
    local written = self.layout:path "written.safetensors"
    local model = model_file.build(description.check(state, path), tensors, path)
    assert(model_file.save(written, state, tensors, model))
    local again, of = core.checkpoint.load(written)
    lu.assertTrue(core.json.encode(of.torch) == steps, label)
    for name, tensor in pairs(again) do
      local before = stored[name]:list()
      for k, value in ipairs(tensor:list()) do lu.assertAlmostEquals(before[k], value, 1e-6) end
      stored[name] = nil
    end
    lu.assertNil(next(stored))
  end
end

function T:test_a_file_names_what_pytorch_cannot_compute()
  for variant, expected in pairs { sample = "schedule.coupling", image = "schedule.coupling",
    ancestral = "sampler", calibrated = "sampler.tilt", tilted = "sampler.tilt", margins = "prior.cosine",
    adjusted = "post_hoc" } do
    local _, _, path = both(self, run_of(self, variant))
    local _, of = core.checkpoint.load(path)
    lu.assertEquals(of.torch, { missing = { expected } }, variant)
  end
end

-- ── what a model looked at ──────────────────────────────────────────────────────────────
-- At 12 pixels a pixel of the image is 21 of the picture; the windows are drawn in orange.
function T:test_a_picture_shows_the_image_its_windows_and_the_attention()
  for name, width in pairs { chain = 2 * 252, film = 252, adjusted = 252 } do
    local _, loaded = both(self, run_of(self, name))
    local row = loaded:predict({ self.root .. "/a/01.bmp" }, nil, true)[1]
    local picture = row.picture()
    lu.assertEquals(picture:shape(), { 252, width, 3 })
    local values = picture:list() -- with a table per pixel, an aggressive collector takes half a minute
    local function red_of(y, x) return values[((y - 1) * width + x - 1) * 3 + 1] end
    local red, framed = 0, 0
    for x = 1, width do red = red + (math.abs(red_of(126, x) - 201 / 255) < 0.01 and 1 or 0) end
    for y = 1, 252 do
      for x = 1, 252 do framed = framed + (red_of(y, x) == 1 and 1 or 0) end
    end
    lu.assertTrue(red > 100, name)
    lu.assertEquals(framed > 0, name ~= "adjusted")
  end
end

-- ── one image ───────────────────────────────────────────────────────────────────────────
function T:test_an_image_has_the_same_bits_alone_and_among_others()
  for _, name in ipairs { "chain", "ancestral" } do
    local _, loaded = both(self, run_of(self, name))
    local paths = files_of(self)
    local all, before = loaded:predict(paths), core.sys.threads()
    for i = #paths, 1, -5 do lu.assertEquals(loaded:predict({ paths[i] })[1], all[i]) end
    core.sys.threads(1)
    lu.assertEquals(loaded:predict({ paths[3], paths[1] }), { all[3], all[1] })
    core.sys.threads(before)
  end
end

function T:test_the_noise_differs_between_the_chains_of_an_image()
  local _, loaded = both(self, run_of(self, "chain"))
  lu.assertTrue(loaded:predict(files_of(self))[1].interval > 0)
end

function T:test_a_broken_image_is_a_row()
  local _, loaded = both(self, run_of(self, "chain"))
  local broken = self.layout:write("images/a/broken.jpg", "no image")
  local paths = { self.root .. "/a/01.bmp", broken, self.root .. "/none.png", self.root .. "/b/01.bmp" }
  local rows = loaded:predict(paths)
  lu.assertStrContains(rows[2].error, "broken.jpg: not a JPEG, PNG or BMP image")
  lu.assertStrContains(rows[3].error, "none.png")
  lu.assertNil(rows[2].probabilities)
  lu.assertEquals({ rows[1], rows[4] }, loaded:predict { paths[1], paths[4] })
end

function T:test_a_row_has_label_confidence_and_the_prior()
  local _, loaded = both(self, run_of(self, "chain"))
  local row = loaded:predict(files_of(self))[1]
  lu.assertEquals(row.label, loaded.classes[row.class])
  lu.assertEquals(row.confidence, math.max(table.unpack(row.probabilities)))
  lu.assertTrue(fixture.classes[row.prior] ~= nil and row.prior_confidence >= 1 / 3 and row.agreement >= 0.25)
  lu.assertEquals(loaded.provenance.label, "chain")
  lu.assertEquals(loaded.provenance.dataset, self.db:split_of(self.db:find "@last").dataset)
end

return { Inference = T }
