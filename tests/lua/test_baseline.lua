-- Baselines by one word: what each preset sets, what overrides it, at which level, and how it is named.
local lu = require "luaunit"
local aniso = require "aniso"
local baseline = require "aniso.recipe.baseline"
local check = require "aniso.train.recipe_check"
local config = require "aniso.method.config"
local study = require "aniso.recipe.study"

local function one(given, overrides)
  given.name, given.data = given.name or "s", given.data or { "lesions" }
  local jobs = study.expand(study.new(given), overrides)
  return config.complete(jobs[1].config), jobs[1].label
end

local T = {}

function T.test_without_a_method_nothing_is_added()
  local complete = config.complete {}
  lu.assertNil(complete.method)
  lu.assertNil(complete.post_hoc)
  lu.assertNil(complete.train.mixup)
  lu.assertNil(complete.loss.mmd_of)
  lu.assertEquals(complete.denoiser[1], "cross_attention")
  lu.assertEquals(complete.train.mode, "joint")
  lu.assertEquals(complete.select.of, "chain")
  lu.assertEquals(complete.schedule.lambda[1], "isotropic")
end

-- What METHOD §8 lists; an absent entry is checked too.
local EXPECTED = {
  softmax = { denoiser = "none", mode = "global", top = 100, of = "prior", stages = "staged",
    lambda = "isotropic", prediction = "y0" },
  card = { denoiser = "film", mode = "global", top = 100, of = "chain", stages = "staged",
    lambda = "isotropic", mmd = 0, prediction = "epsilon" },
  diffmic = { denoiser = "film", mode = "both", top = 20, of = "chain", stages = "joint",
    lambda = "isotropic", mmd = 0.5, mmd_of = "granularities", prediction = "epsilon" },
  ddpm = { denoiser = "cross_attention", mode = "both", top = 20, of = "chain", stages = "joint",
    lambda = "isotropic", mmd = 0.5, prediction = "y0" },
  adpm = { denoiser = "cross_attention", mode = "both", top = 20, of = "chain", stages = "joint",
    lambda = "bound", mmd = 0.5, prediction = "y0" },
}

local function shown(c)
  return { denoiser = c.denoiser[1], mode = c.prior.mode, top = c.prior.top_percent, of = c.select.of,
    stages = c.train.mode, lambda = c.schedule.lambda[1], mmd = c.loss.mmd, mmd_of = c.loss.mmd_of,
    prediction = c.train.prediction }
end

function T.test_what_each_word_becomes()
  lu.assertEquals(#baseline.names, 5)
  for _, name in ipairs(baseline.names) do
    local complete = config.complete { method = name }
    local expected = EXPECTED[name]
    expected.mmd = expected.mmd or complete.loss.mmd
    lu.assertEquals(shown(complete), expected, name)
    lu.assertEquals(complete.method, name)
    lu.assertEquals(config.complete(complete), complete, name)
  end
end

function T.test_adpm_by_word_is_adpm_by_options()
  local by_word = config.complete { method = "adpm" }
  by_word.method = nil
  lu.assertEquals(by_word, config.complete { schedule = { lambda = "bound" } })
end

function T.test_what_is_given_with_the_word_overrides_it()
  local given = config.complete { method = "card", denoiser = { dim = 64 }, loss = { mmd = 0.25 },
    train = { mode = "joint" }, schedule = "linear" }
  lu.assertEquals(given.denoiser, { "film", dim = 64 })
  lu.assertEquals(given.loss.mmd, 0.25)
  lu.assertEquals(given.train.mode, "joint")
  lu.assertEquals(given.train.prediction, "epsilon")
  lu.assertEquals(given.schedule[1], "linear")
  local plain = config.complete { method = "softmax", prior = { mode = "both", top_percent = 20 } }
  lu.assertEquals({ plain.prior.mode, plain.prior.top_percent }, { "both", 20 })
end

local BASE = { prior = { mode = "both", crops = 3 }, denoiser = { "cross_attention", dim = 64 },
  schedule = { "cosine", lambda = { "power", gamma = 1 } }, loss = { mmd = 0.3 } }

function T.test_the_method_of_a_variant_replaces_that_of_the_base()
  local card = one { base = BASE, variants = { { method = "card" } } }
  lu.assertEquals(shown(card), EXPECTED.card)
  lu.assertEquals(card.prior.crops, 3)
  local mine = one { base = BASE, variants = { { method = "card", ["loss.mmd"] = 0.1 } } }
  lu.assertEquals(mine.loss.mmd, 0.1)
  local adpm = one { base = BASE, variants = { { method = "adpm" } } }
  lu.assertEquals(adpm.denoiser.dim, 64)
  lu.assertEquals(adpm.schedule.lambda[1], "bound")
  lu.assertEquals(adpm.loss.mmd, 0.5)
end

function T.test_methods_of_variants_keep_the_width_of_the_base()
  local base = { method = "adpm", denoiser = { dim = 16, blocks = 1 } }
  local ddpm = one { base = base, variants = { { method = "ddpm" } } }
  lu.assertEquals({ ddpm.denoiser[1], ddpm.denoiser.dim, ddpm.denoiser.blocks }, { "cross_attention", 16, 1 })
  local card = one { base = base, variants = { { method = "card" } } }
  lu.assertEquals(card.denoiser, { "film", dim = 16 })
  local softmax = one { base = base, variants = { { method = "softmax" } } }
  lu.assertEquals(softmax.denoiser, { "none" })
end

function T.test_a_method_of_the_base_gives_way_to_its_options_and_to_a_variants_method()
  local base = { method = "diffmic", loss = { mmd = 0.3 } }
  local diffmic = one { base = base }
  lu.assertEquals({ diffmic.loss.mmd, diffmic.loss.mmd_of }, { 0.3, "granularities" })
  local softmax = one { base = base, variants = { { method = "softmax" } } }
  lu.assertNil(softmax.loss.mmd_of)
  lu.assertEquals(softmax.denoiser, { "none" })
end

function T.test_set_comes_last_and_in_any_order()
  for _, overrides in ipairs { { { "prior.mode", "both" }, { "method", "softmax" } },
    { { "method", "softmax" }, { "prior.mode", "both" } } } do
    local plain, label = one({ base = BASE }, overrides)
    lu.assertEquals({ plain.denoiser[1], plain.prior.mode, plain.prior.top_percent }, { "none", "both", 100 })
    lu.assertEquals(label, "softmax")
  end
end

function T.test_set_of_a_method_would_make_variants_equal()
  local given = study.new { name = "s", data = { "lesions" }, base = {},
    vary = { study.grid { ["schedule.lambda.gamma"] = { 0, 1 } } } }
  lu.assertErrorMsgEquals(
    "the study varies schedule.lambda.gamma: --set method would make its variants equal",
    study.expand, given, { { "method", "adpm" } })
  lu.assertEquals(#study.expand(given, { { "method", "softmax" } }), 2)
end

function T.test_what_it_became_as_text()
  lu.assertEquals(baseline.describe(config.complete { method = "diffmic", loss = { mmd = 0.25 } }),
    "denoiser film, prior.mode both, schedule.lambda isotropic, loss.mmd 0.25, loss.mmd_of granularities, "
    .. "train.prediction epsilon")
  lu.assertNil(baseline.describe(config.complete {}))
end

function T.test_labels()
  local jobs = study.expand(study.new { name = "s", data = { "lesions" }, base = {}, variants = {
    { method = "card" }, { method = "softmax", ["loss.prior"] = "focal" },
    { method = "ddpm", label = "mine" } } })
  lu.assertEquals({ jobs[1].label, jobs[2].label, jobs[3].label }, { "card", "softmax prior=focal", "mine" })
  local _, label = one { base = { method = "card" } }
  lu.assertEquals(label, "card")
  _, label = one { base = {} }
  lu.assertEquals(label, "s")
  jobs = study.expand(study.new { name = "s", data = { "lesions" }, base = {},
    vary = { study.grid { method = { "card", "adpm" } } } })
  lu.assertEquals({ jobs[1].label, jobs[2].label }, { "card", "adpm" })
end

function T.test_what_does_not_fit_is_refused()
  local function refused(text, given)
    lu.assertErrorMsgContains(text, config.complete, given)
  end
  refused("option method must be one of softmax, card, diffmic, ddpm, adpm", { method = "sofmax" })
  refused("prior.mode is uniform", { method = "softmax", prior = { mode = "uniform" } })
  refused("train.mode is joint, but there is no denoiser", { denoiser = "none", train = { mode = "joint" } })
  refused("select.of is chain, but there is no denoiser", { denoiser = "none", select = { of = "chain" } })
  refused("post_hoc is crt, which adjusts a classifier: it needs denoiser = none", { post_hoc = "crt" })
  refused("post_hoc is tau_norm, which changes one linear classifier: it needs prior.mode = global, not both",
    { method = "softmax", post_hoc = "tau_norm", prior = { mode = "both" } })
  refused("train.mixup is 0.2, but with train.mode = joint", { train = { mixup = 0.2 } })
  refused("loss.mmd_of is granularities, which needs a global and a local prior",
    { method = "diffmic", prior = { mode = "global" } })
  lu.assertEquals(config.complete { denoiser = "none" }.select.of, "prior")
  lu.assertEquals(config.complete { train = { mode = "staged", mixup = 0.2 } }.train.mixup, 0.2)
  lu.assertEquals(config.complete { train = { mixup = 0 } }.train.mixup, 0)
end

function T.test_check_lists_a_method_among_the_mistakes()
  local given = study.new { name = "s", data = { "lesions" }, base = {}, variants = { { method = "cart" } } }
  local _, mistakes = check.options(given, {}, nil)
  lu.assertEquals(#mistakes, 1)
  lu.assertStrContains(mistakes[1], "option method must be one of")
  lu.assertEquals(aniso.options.get(config.complete { method = "card" }, "method"), "card")
end

return T
