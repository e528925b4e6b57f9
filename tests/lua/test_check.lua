-- aniso check: every mistake in a study is reported, and the estimates of a dry pass agree with a real run.
local lu = require "luaunit"
local aniso = require "aniso"
local check = require "aniso.train.recipe_check"
local config = require "aniso.method.config"
local checkpoint = require "aniso.train.checkpoint"
local sys = aniso.core.sys

local function study(changes)
  local of = { name = "tiny", data = { "lesions", n = 140, size = 16 },
    base = {
      backbone = { "resnet", depth = 8, width = 4 },
      schedule = { "cosine", T = 50 },
      denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
      train = { epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
    } }
  for key, value in pairs(changes or {}) do of[key] = value end
  return aniso.study(of)
end

local function mistakes(changes, overrides)
  local _, found = check.options(study(changes), overrides or {})
  return found
end

local T = {}

function T.test_a_study_without_mistakes()
  local jobs, found = check.options(study { seeds = 2 }, {})
  lu.assertEquals(found, {})
  lu.assertEquals(#jobs, 2)
  lu.assertEquals(jobs[1].config, config.complete(jobs[1].config))
end

function T.test_every_mistake_is_reported()
  lu.assertEquals(mistakes({}, { { "train.epoch", "3" }, { "train.lr", "-1" }, { "loos.x", "1" },
    { "sampler.eta", "2" }, { "sampler.stepz", "2" }, { "data.n", "1" }, { "train.epochs", "many" } }), {
    "option data.n must be at least 70, got 1",
    "option sampler.eta must be at most 1, got 2",
    'option train.epochs must be a number, got "many"',
    "option train.lr must be above 0, got -1",
    "unknown option loos (did you mean loss?)",
    "unknown option sampler.stepz (did you mean sampler.steps?)",
    "unknown option train.epoch (did you mean train.epochs?)",
  })
end

function T.test_a_mistake_of_a_variant_is_reported_once()
  lu.assertEquals(mistakes { seeds = 3, variants = { { label = "a" },
    { label = "b", ["schedule.lambda"] = "bond" } } },
    { 'option schedule.lambda must be a known kind (did you mean bound?), got "bond"' })
end

function T.test_options_that_contradict_each_other()
  lu.assertEquals(mistakes({}, { { "sampler.steps", "51" } }),
    { "option sampler.steps is 51, but schedule.T is 50" })
  lu.assertEquals(mistakes({}, { { "select.metric", "macrof1" } }),
    { "option select.metric: there is no metric macrof1 (did you mean macro_f1?)" })
  lu.assertEquals(mistakes { variants = { { label = "ddpm" }, { label = "adpm" } }, baseline = "dppm" },
    { "baseline: no variant is called dppm (did you mean ddpm?)" })
  lu.assertEquals(mistakes { variants = { { label = "a" }, { label = "a" } } },
    { "two variants are called a; give one of them another label" })
  local rule = "of a variant must be UTF-8 with a visible character and without control characters"
  lu.assertEquals(mistakes { variants = { { label = " " }, { label = "a\nb" }, { label = "c" } }, seeds = 2 },
    { "the label ' ' " .. rule, "the label 'a\\nb' " .. rule })
  local renamed = { variants = { { label = "ddpm" }, { label = "adpm" } }, baseline = "ddpm" }
  lu.assertEquals(mistakes(renamed, { { "vary.train.precision", '{"float32", "bfloat16"}' } }), {})
end

function T.test_labels_and_baselines_of_another_type()
  lu.assertErrorMsgContains("variants: a label must be a text, got ", mistakes,
    { variants = { { label = {} } } })
  lu.assertErrorMsgContains("baseline must be the label of a variant, or one more variant", mistakes,
    { variants = { { label = "a" } }, baseline = true })
  lu.assertErrorMsgContains("baseline: a label must be a text, got ", mistakes,
    { variants = { { label = "a" } }, baseline = { label = {} } })
end

local function runs_of(changes, overrides)
  local jobs, found = check.options(study(changes), overrides or {})
  lu.assertEquals(found, {})
  return check.runs(jobs)
end

function T.test_shapes_and_costs()
  local reports, found = runs_of { seeds = 2, variants = { { label = "ddpm" },
    { label = "adpm", ["schedule.lambda"] = "bound" } } }
  lu.assertEquals(found, {})
  lu.assertEquals(#reports, 1) -- λ costs nothing
  local report = reports[1]
  lu.assertEquals(report.runs, 4)
  lu.assertEquals({ report.labels[1], report.labels[2], report.labels[3] }, { "ddpm", "adpm" })
  lu.assertEquals(report.shapes[1], { "images", "(2, 16, 16, 3)" })
  lu.assertEquals(report.shapes[#report.shapes], { "output, 2 draws", "(4, 7)" })
  lu.assertEquals(report.parameters, report.net + report.den)
  lu.assertEquals(#report.stages, 1)
  lu.assertEquals(report.stages[1].steps, 3)
  lu.assertTrue(report.stages[1].step > 0 and report.run > report.stages[1].epoch)
end

function T.test_configurations_of_different_cost_are_reported_separately()
  local reports = runs_of { variants = { { label = "small" }, { label = "wide", ["backbone.width"] = 8 } } }
  lu.assertEquals(#reports, 2)
  lu.assertTrue(reports[2].parameters > reports[1].parameters)
  lu.assertEquals(reports[2].labels[1], "wide")
end

function T.test_staged_runs_have_two_stages()
  local reports = runs_of({}, { { "train.mode", "staged" }, { "train.prior_epochs", "3" } })
  local stages = reports[1].stages
  lu.assertEquals({ stages[1].name, stages[1].epochs, stages[2].name }, { "prior", 3, "denoiser" })
end

function T.test_mistakes_that_only_a_dry_pass_finds()
  local function found(overrides)
    local reports, list = runs_of({}, overrides)
    lu.assertEquals(#reports, 0)
    return list
  end
  lu.assertStrContains(found { { "data", "{folder, root=/nowhere}" } }[1], "/nowhere: no such folder")
  lu.assertStrContains(found { { "backbone.weights", "/nowhere.safetensors" } }[1], "/nowhere.safetensors")
  lu.assertStrContains(found { { "prior.mode", "uniform" }, { "train.mode", "staged" } }[1],
    "nothing to train")
end

-- Every part of every variant is called once, whichever variant of its cost group brings it: each kind of
-- own part in each position, and in both modes.
local PARTS = {
  ["schedule.lambda"] = function(counts) return counts end,
  sampler = function(_, y) return y end,
  ["loss.prior"] = function() return { focal = 1 } end,
  ["loss.class_weight"] = function(counts) return counts end,
}

local function study_with(part, position, f, mode)
  local variants = {}
  for i = 1, 3 do variants[i] = { label = "v" .. i, ["loss.mmd"] = 0.1 * i } end
  variants[position][part] = { f, name = "mine" }
  return { seeds = 2, variants = variants }, { { "train.mode", mode } }
end

function T.test_every_own_part_of_every_variant_is_called()
  for part, f in pairs(PARTS) do
    for position = 1, 3 do
      for _, mode in ipairs { "joint", "staged" } do
        local calls = 0
        local _, found = runs_of(study_with(part, position, function(...)
          calls = calls + 1
          return f(...)
        end, mode))
        lu.assertEquals(found, {}, part)
        lu.assertTrue(calls > 0, ("%s of variant %d, %s"):format(part, position, mode))
      end
    end
  end
end

function T.test_a_broken_own_part_of_any_variant_is_a_mistake()
  for part in pairs(PARTS) do
    for position = 1, 3 do
      local _, found = runs_of(study_with(part, position, function() error "is broken" end, "joint"))
      lu.assertEquals(#found, 1, part)
      lu.assertStrContains(found[1], "option " .. part)
      lu.assertStrContains(found[1], "is broken")
    end
  end
end

-- A prior loss may be a function that is called in a step only, and one mistake hides no other.
function T.test_a_loss_that_fails_in_a_step_is_a_mistake()
  local variants = {}
  for i = 1, 3 do
    variants[i] = { label = "v" .. i, ["loss.prior"] = { function()
      return function() error("fails as " .. i) end
    end, name = "mine" .. i } }
  end
  local reports, found = runs_of { variants = variants }
  lu.assertEquals({ #reports, #found }, { 0, 3 })
  for i = 1, 3 do lu.assertStrContains(found[i], "fails as " .. i) end
end

function T.test_options_of_the_loss_are_tried_too()
  local _, found = runs_of { variants = { { label = "a" }, { label = "b", ["loss.denoising"] = 1e300 } } }
  lu.assertEquals(#found, 1)
  lu.assertStrContains(found[1], "the loss became")
end

function T.test_a_shared_first_stage_counts_once_per_seed()
  local changes = { seeds = 2, variants = { { label = "ddpm" },
    { label = "adpm", ["schedule.lambda"] = "bound" } } }
  lu.assertEquals(runs_of(changes, { { "train.mode", "staged" } })[1].repeats, 2)
  lu.assertEquals(runs_of(changes)[1].repeats, 0)
end

-- Compares the estimated disk space with the files of a real run.
function T.test_estimated_bytes_equal_those_of_a_run()
  for _, optimiser in ipairs { "adamw", "sgd" } do
    local folder = assert(sys.mkdtemp())
    local overrides = { { "train.optimiser", optimiser }, { "train.epochs", "2" } }
    local jobs = check.options(study(), overrides)
    local estimate = check.runs(jobs)[1].most
    local db = assert(aniso.store.open(folder .. "/runs.db"))
    local sink = { write = function() end, flush = function() end }
    local done = aniso.trainer.run { config = jobs[1].config, seed = 0, db = db, stream = sink }
    db:close()
    local real, runs = 0, folder .. "/runs/" .. done.uid
    for _, name in ipairs(assert(sys.list(runs))) do
      real = real + assert(sys.size(runs .. "/" .. name))
      assert(sys.remove(runs .. "/" .. name))
    end
    lu.assertTrue(math.abs(real - estimate) < 0.15 * real,
      ("%s: %d, not %d"):format(optimiser, estimate, real))
    lu.assertEquals(checkpoint.path({ folder = runs }, "best"), runs .. "/best.safetensors")
    assert(sys.remove(runs))
    for _, name in ipairs(sys.list(folder)) do os.remove(folder .. "/" .. name) end
    os.remove(folder)
  end
end

return T
