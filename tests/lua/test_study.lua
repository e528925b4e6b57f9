-- Studies, their expansion into runs, and the summary over seeds.
local lu = require "luaunit"
local study = require "aniso.recipe.study"
local group_rows = require "aniso.show.group_rows"
local stats = require "aniso.stats.groups"
local fixture = dofile "tests/lua/store_fixture.lua"

local function labels(jobs)
  local out = {}
  for i, job in ipairs(jobs) do out[i] = job.label .. "#" .. job.seed end
  return out
end

local function two_variants(more)
  local given = {
    name = "s", data = { "lesions" }, base = { schedule = { "cosine", lambda = "bound" } },
    variants = { { label = "ddpm", ["schedule.lambda"] = "isotropic" }, { label = "adpm" } },
  }
  for key, value in pairs(more or {}) do given[key] = value end
  return study.new(given)
end

local T = {}

function T.test_every_label_runs_before_the_next_seed()
  local jobs = study.expand(two_variants { seeds = 2 })
  lu.assertEquals(labels(jobs), { "ddpm#0", "adpm#0", "ddpm#1", "adpm#1" })
  lu.assertEquals(jobs[1].config, { data = { "lesions" }, schedule = { "cosine", lambda = "isotropic" } })
  lu.assertEquals(jobs[2].config.schedule.lambda, "bound")
end

function T.test_runs_share_no_tables()
  local jobs = study.expand(two_variants { seeds = 2 })
  jobs[1].config.data[1] = "other"
  jobs[1].config.schedule[1] = "other"
  lu.assertEquals(jobs[3].config.data[1], "lesions")
  lu.assertEquals(jobs[3].config.schedule[1], "cosine")
end

function T.test_a_grid_is_a_product_in_a_fixed_order()
  local grid = study.grid { ["schedule.lambda"] = study.power { -0.25, 0.5 }, ["loss.mmd"] = { 0, 1 } }
  local jobs = study.expand(study.new { name = "g", data = {}, base = {}, vary = { grid } })
  lu.assertEquals(labels(jobs), {
    "mmd=0 lambda=power(gamma=-0.25)#0", "mmd=0 lambda=power(gamma=0.5)#0",
    "mmd=1 lambda=power(gamma=-0.25)#0", "mmd=1 lambda=power(gamma=0.5)#0",
  })
  lu.assertEquals(jobs[4].config.schedule.lambda, { "power", gamma = 0.5 })
  lu.assertErrorMsgEquals("aniso.power takes a list of exponents, such as { 0, 0.5 }, got 0", study.power, 0)
end

function T.test_variants_times_grid()
  local jobs = study.expand(two_variants { vary = { study.grid { ["loss.mmd"] = { 0, 1 } } } })
  lu.assertEquals(labels(jobs), { "ddpm mmd=0#0", "ddpm mmd=1#0", "adpm mmd=0#0", "adpm mmd=1#0" })
end

-- A study in which one variant of two has a denoiser.
local function one_denoiser()
  return study.new { name = "d", data = {}, base = { denoiser = { "film", dim = 8 } },
    variants = { { method = "ddpm" }, { method = "softmax" }, { label = "none", denoiser = "none" } } }
end

function T.test_an_option_of_the_denoiser_is_set_where_there_is_one()
  local jobs = study.expand(one_denoiser(), { { "denoiser.dim", "16" } })
  lu.assertEquals(jobs[1].config.denoiser.dim, 16)
  lu.assertEquals({ jobs[2].config.denoiser, jobs[3].config.denoiser }, { "none", "none" })
  study.check_overrides(jobs, { { "denoiser.dim", "16" } })
end

function T.test_an_option_of_the_denoiser_is_an_error_where_there_is_none()
  local jobs = study.expand(one_denoiser(), { { "denoiser.dim", "16" } })
  lu.assertErrorMsgEquals("--set denoiser.dim: no variant has a denoiser (denoiser = none, as with method = "
    .. "softmax)", study.check_overrides, { jobs[2], jobs[3] }, { { "denoiser.dim", "16" } })
  study.check_overrides({ jobs[2] }, { { "train.lr", "1" } })
end

function T.test_a_baseline_table_is_one_more_variant()
  local jobs = study.expand(two_variants { baseline = { ["loss.mmd"] = 0 } })
  lu.assertEquals(labels(jobs), { "baseline#0", "ddpm#0", "adpm#0" })
  lu.assertEquals(#study.expand(two_variants { baseline = "ddpm" }), 2)
  lu.assertEquals(study.baseline_label(two_variants { baseline = { ["loss.mmd"] = 0 } }), "baseline")
  lu.assertEquals(study.baseline_label(two_variants { baseline = { label = "x" } }), "x")
  lu.assertEquals(study.baseline_label(two_variants { baseline = "ddpm" }), "ddpm")
  lu.assertNil(study.baseline_label(two_variants()))
end

function T.test_without_variants_the_name_is_the_label()
  local jobs = study.expand(study.new { name = "plain", data = {}, base = {} })
  lu.assertEquals(labels(jobs), { "plain#0" })
end

function T.test_overrides_come_last()
  local jobs = study.expand(two_variants(), { { "schedule.T", "50" } }, "4..5")
  lu.assertEquals(labels(jobs), { "ddpm#4", "adpm#4", "ddpm#5", "adpm#5" })
  lu.assertEquals(jobs[1].config.schedule.T, 50)
  lu.assertErrorMsgContains("the study varies schedule.lambda", study.expand, two_variants(),
    { { "schedule.lambda", "bound" } })
  lu.assertErrorMsgContains("the study varies schedule.lambda", study.expand, two_variants(),
    { { "schedule", "linear" } })
end

function T.test_an_override_replaces_an_axis()
  local grid = study.grid { ["schedule.lambda.gamma"] = { 0, 1 } }
  local of = study.new { name = "g", data = {}, base = { schedule = { "cosine", lambda = { "power" } } },
    vary = { grid, study.grid { ["loss.mmd"] = { 0, 1 } } } }
  lu.assertEquals(labels(study.expand(of, { { "vary.schedule.lambda.gamma", "{0.5}" } })),
    { "gamma=0.5 mmd=0#0", "gamma=0.5 mmd=1#0" })
  lu.assertEquals(labels(study.expand(of, { { "vary.schedule.lambda", '{"isotropic", {"power", gamma=2}}' },
    { "vary.loss.mmd", "{3}" }, { "vary.schedule.T", "{8, 9}" } })),
    { "lambda=isotropic mmd=3 T=8#0", "lambda=isotropic mmd=3 T=9#0",
      "lambda=power(gamma=2) mmd=3 T=8#0", "lambda=power(gamma=2) mmd=3 T=9#0" })
  lu.assertEquals(#study.expand(of), 4)
  for _, wrong in ipairs { "3", "{}", "word" } do
    lu.assertErrorMsgContains("needs a list of values", study.expand, of, { { "vary.loss.mmd", wrong } })
  end
end

function T.test_seeds()
  lu.assertEquals(study.seeds(3), { 0, 1, 2 })
  lu.assertEquals(study.seeds { 4, 7 }, { 4, 7 })
  lu.assertEquals(study.seeds "0..2,9", { 0, 1, 2, 9 })
  lu.assertEquals(study.seeds "7", { 7 })
  lu.assertEquals(study.seeds(nil), { 0 })
  for _, wrong in ipairs { 0, "", "a", "2..1", "1..x", {} } do
    lu.assertErrorMsgContains("seeds must be", study.seeds, wrong)
  end
end

function T.test_mistakes_are_reported()
  lu.assertErrorMsgContains("did you mean seeds?", study.new, { name = "s", data = {}, base = {}, seed = 3 })
  lu.assertErrorMsgContains("a study needs data", study.new, { name = "s", base = {} })
end

function T.test_moments()
  lu.assertEquals(stats.moments {}, { n = 0 })
  lu.assertEquals(stats.moments { 2 }, { n = 1, mean = 2 })
  local m = stats.moments { 1, 2, 3, 4 }
  lu.assertEquals(m.mean, 2.5)
  lu.assertAlmostEquals(m.sd, math.sqrt(5 / 3), 1e-12)
end

function T.test_the_summary_groups_by_label_and_marks_the_best()
  local db <close>, _ = fixture.new()
  local runs = {}
  local function add(label, seed, right, prior)
    local run = db:start_run(fixture.description { label = label, config = { label = label }, seed = seed })
    run:evaluation(fixture.evaluation { { right, 10 - right }, { 0, 0 } })
    if prior then
      run:evaluation(fixture.evaluation({ { prior, 10 - prior }, { 0, 0 } },
        { sampler = "prior", primary = false }))
    end
    run:finish()
    runs[#runs + 1] = { label = label, uid = run.uid }
  end
  add("x", 0, 5, 9)
  add("x", 1, 7)
  add("y", 0, 6)
  local columns, rows = group_rows.finished(db, runs)
  lu.assertEquals(columns[4], "acc")
  lu.assertEquals(#rows, 3)
  lu.assertEquals({ rows[1][1], rows[1][2], rows[1][3] }, { "x", "chain", 2 })
  lu.assertEquals(rows[1][4].text, "0.600 ± 0.141")
  lu.assertEquals({ rows[2][2], rows[2][4].text, rows[2][4].bold }, { "prior", "0.900" })
  lu.assertTrue(rows[1][4].bold or rows[3][4].bold)
  lu.assertNil(rows[1][9])
end

-- A variation in the place of a list of them is a list of none: the study would have no run.
function T.test_what_is_no_list_of_variations()
  local grid = study.grid { ["loss.mmd"] = { 0, 1 } }
  for what, given in pairs {
    ["variants must be a list such as"] = { variants = { label = "a" } },
    ["variants must be a list such as { {"] = { variants = {} },
    ["variants must be"] = { variants = { grid, { label = "a" } } },
    ["got 3"] = { variants = 3 },
    ["vary must be a list of axes such as { aniso.grid{…} }, got a table"] = { vary = { x = { 0 } } },
    ["vary[1] must be a list"] = { vary = grid },
    ["vary[2] must be a list"] = { vary = { grid, { label = "a", ["loss.mmd"] = 0 } } },
  } do
    lu.assertErrorMsgContains(what, two_variants, given)
  end
  lu.assertEquals(#study.expand(two_variants { vary = {} }), 2)
end

return T
