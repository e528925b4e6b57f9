-- Runs on data = features: every method trains, with the same bits at any number of threads and in lock-step;
-- an exported model reads files of features; options of images are refused.
local lu = require "luaunit"
local aniso = require "aniso"
local config = require "aniso.method.config"
local core = require "aniso.core"
local data_fixture = dofile "tests/lua/data_fixture.lua"
local fixture = dofile "tests/lua/features_fixture.lua"
local inference = dofile "tests/lua/inference_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"
local mixed = require "aniso.recipe.options"

local IMAGES, D = 60, 4
local nowhere = assert(io.open("/dev/null", "w"))

local T = {}

function T:setUp()
  self.layout = data_fixture.new()
  self.layout:write("t.csv", fixture.table(IMAGES))
  for _, tokens in ipairs { 0, 4 } do
    local file = fixture.file("safetensors", "float32", IMAGES, tokens, D, fixture.ids(IMAGES),
      function(i, t, d)
        local class = ({ nv = 0, mel = 1, df = 2 })[fixture.class(i)]
        return fixture.value(i, t, d) / 8 + (d == class and 4 or 0)
      end)
    self.layout:write(("f%d.safetensors"):format(tokens), file)
  end
end

function T:tearDown() self.layout:remove() end

local function configuration(self, tokens, changes)
  return config.complete(mixed.apply({
    data = { "features", root = self.layout.root, file = ("f%d.safetensors"):format(tokens), table = "t.csv",
      group = "patient", val = 0.2, test = 0.2 },
    prior = { crops = 2, attention = 4 }, schedule = { "cosine", T = 20 },
    train = { epochs = 2, batch = 16, draws = 2 },
    select = { steps = 2, draws = 1 }, sampler = { "ddim", steps = 3, draws = 4 },
  }, changes))
end

-- A run in a database of its own → its row, the database.
local function run(self, name, tokens, changes)
  local folder = self.layout:path(name) -- of its own: nothing of the first stage is shared
  assert(core.sys.mkdir_p(folder))
  local db = lock_step.new_db(folder, "runs")
  local out = aniso.trainer.run { config = configuration(self, tokens, changes), seed = 1, label = name,
    study = "s", db = db, stream = nowhere }
  return assert(db:find(out.uid)), db
end

local function stored(self, name, tokens, changes, threads)
  local before = core.sys.threads()
  core.sys.threads(threads)
  local row, db = run(self, name .. threads, tokens, changes)
  core.sys.threads(before)
  local text, status = lock_step.stored(db, row.uid), row.status
  db:close()
  lu.assertEquals(status, "finished", name)
  return text
end

local METHODS = {
  softmax = { method = "softmax", ["train.mixup"] = 0.4, ["loss.prior"] = "balanced_softmax" },
  card = { method = "card" },
  diffmic = { method = "diffmic" },
  ddpm = { method = "ddpm", ["train.mode"] = "staged" },
  adpm = { method = "adpm", ["loss.class_weight"] = { "power", gamma = 0.5 } },
  crt = { method = "softmax", post_hoc = { "crt", epochs = 1 } },
  learned = { ["schedule.lambda"] = "learned", ["train.sampling"] = "class_balanced" },
}

function T:test_every_method_has_the_same_bits_at_any_number_of_threads()
  for name, changes in pairs(METHODS) do
    for _, tokens in ipairs { 0, 4 } do
      local alone = stored(self, name .. tokens, tokens, changes, 1)
      lu.assertEquals(stored(self, name .. tokens, tokens, changes, 2), alone, name)
    end
  end
end

function T:test_a_sweep_in_lock_step_has_the_bits_of_single_runs()
  local together, jobs, changes = lock_step.new_db(self.layout.root, "together"), {}, {}
  for i, gamma in ipairs { 0, 0.5, 1 } do
    changes[i] = { ["train.mode"] = "staged", ["prior.mode"] = "both", ["train.prior_epochs"] = 1,
      ["schedule.lambda"] = { "power", gamma = gamma } }
    jobs[i] = { seed = 1, label = "point " .. i, study = "s", db = together, stream = nowhere,
      config = configuration(self, 4, changes[i]) }
  end
  local outcomes = aniso.trainer.run_together(jobs)
  for i in ipairs(jobs) do
    local row, db = run(self, "alone" .. i, 4, changes[i])
    lu.assertEquals(lock_step.stored(together, outcomes[i].uid), lock_step.stored(db, row.uid))
    db:close()
  end
  together:close()
end

-- ── models ──────────────────────────────────────────────────────────────────────────────
function T:test_an_exported_model_reads_files_of_features()
  for _, one in ipairs { { 0, "cross_attention" }, { 4, "cross_attention" }, { 4, "film" } } do
    local tokens, kind = table.unpack(one)
    local row, db = run(self, kind .. tokens, tokens, { ["denoiser.1"] = kind, ["prior.mode"] = "both" })
    local case = { db = db, layout = self.layout }
    local direct, from_file = inference.both(case, row)
    local path = self.layout:path(("f%d.safetensors"):format(tokens))
    lu.assertEquals({ from_file:count { path }, from_file:reads_features() }, { IMAGES, true })
    local rows, expected = from_file:predict { path }, direct:predict { path }
    lu.assertEquals(#rows, IMAGES)
    lu.assertEquals({ rows[1].path, rows[IMAGES].path }, { fixture.id(0), fixture.id(IMAGES - 1) })
    local right = 0
    for i, own in ipairs(rows) do
      lu.assertEquals(own.probabilities, expected[i].probabilities)
      right = right + (own.label == fixture.class(i - 1) and 1 or 0)
    end
    lu.assertTrue(right > IMAGES / 3)
    db:close()
  end
end

-- What is left of a file that is written to meanwhile is one row with the reason.
function T:test_a_file_that_is_written_to_while_it_is_predicted()
  local row, db = run(self, "one", 0, { method = "softmax" })
  local _, model = inference.both({ db = db, layout = self.layout }, row)
  for format, name in pairs { npy = "written.npy", safetensors = "written.safetensors" } do
    local path = self.layout:write(name, fixture.file(format, "float32", 20, 0, D))
    local rows = {}
    model:predict({ path }, function(batch)
      if #rows == 0 then assert(os.execute("touch -d '1 hour ago' '" .. path .. "'")) end
      table.move(batch, 1, #batch, #rows + 1, rows)
    end)
    lu.assertEquals(#rows, 8 + 1)
    lu.assertStrContains(rows[9].error, name .. " was written to while it was in use; ")
  end
  db:close()
end

function T:test_a_prediction_of_features_names_what_cannot_be_read()
  local row, db = run(self, "one", 0, { method = "softmax" })
  local _, model = inference.both({ db = db, layout = self.layout }, row)
  local few = self.layout:write("few.npy", fixture.file("npy", "float16", 10, 0, D, nil, function(i, _, d)
    return i == 3 and d == 1 and 0 / 0 or 1
  end))
  local other = self.layout:path "f4.safetensors"
  local rows = model:predict { few, other, self.layout:path "none.npy" }
  lu.assertEquals(#rows, 12)
  lu.assertEquals({ rows[1].path, rows[4].path }, { few .. ":0", few .. ":3" })
  lu.assertStrContains(rows[4].error, "not finite")
  lu.assertNil(rows[5].error)
  lu.assertStrContains(rows[11].error, "4 tokens of 4 numbers, and the model takes 1 of 4")
  lu.assertStrContains(rows[12].error, "none.npy")
  -- Ids that end with a line end, as lines do, are those that a table is joined by.
  local lines = self.layout:write("lines.safetensors",
    fixture.file("safetensors", "float32", 3, 0, D, fixture.ids(3) .. "\n"))
  lu.assertEquals(model:predict({ lines })[3].path, fixture.id(2))
  lu.assertErrorMsgContains("no image to draw on", model.predict, model, { few }, nil, true)
  lu.assertStrContains(tostring(model), "features of 1 × 4")
  db:close()
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
local function refuses(given, text)
  lu.assertErrorMsgContains(text, config.complete, given)
end

function T.test_options_of_images_are_refused()
  local data = { "features", file = "f.npy", table = "t.csv" }
  refuses({ data = data, backbone = "resnet18" },
    "option backbone is resnet18, but data = features has no images")
  refuses({ data = data, train = { augment = { flip = true } } }, "option train.augment.flip is true")
  refuses({ data = data, train = { augment = { noise = 0.1 } } }, "option train.augment.noise is 0.1")
  refuses({ data = data, prior = { crop_size = 8 } }, "option prior.crop_size is 8")
  refuses({ data = data, prior = { local_width = 8 } }, "option prior.local_width is 8")
  refuses({ backbone = "none" }, "option backbone is none, which belongs to data = features")
  local complete = config.complete { data = data }
  lu.assertEquals({ complete.backbone[1], complete.prior.mode }, { "none", "global" })
  lu.assertEquals(config.complete(complete), complete)
  lu.assertEquals(config.complete({ data = data, method = "adpm" }).prior.mode, "both")
end

return { feature_runs = T }
