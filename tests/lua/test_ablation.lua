-- aniso.ablation: which variants its lists make, and what each leaves out of the configuration.
local lu = require "luaunit"
local aniso = require "aniso"
local study = require "aniso.recipe.study"
local complete = require("aniso.method.config").complete

local T = {}

local BASE = { prior = { mode = "both" }, schedule = { lambda = "bound" },
  loss = { mmd = 0.5, class_weight = "effective" }, select = { calibrate = "bacc" },
  denoiser = { "cross_attention", dim = 32, blocks = 1 } }

-- label → complete configuration of the variants over `base`.
local function expanded(variants, base, overrides)
  local of = aniso.study { name = "s", data = "lesions", base = base or BASE, variants = variants }
  local labels, by_label = {}, {}
  for i, job in ipairs(study.expand(of, overrides)) do
    labels[i], by_label[job.label] = job.label, complete(job.config)
  end
  return labels, by_label
end

-- What distinguishes a configuration from the whole method's, as dotted names.
local function differences(a, b, where, out)
  out = out or {}
  for key, value in pairs(a) do
    local here = where and where .. "." .. key or key
    if type(value) == "table" and type(b[key]) == "table" then
      differences(value, b[key], here, out)
    elseif value ~= b[key] then
      out[here] = value
    end
  end
  return out
end

function T.test_drop_leaves_out_one_part_each()
  local labels, of = expanded(aniso.ablation { drop = { "lambda", "global_prior", "local_prior",
    "cross_attention", "mmd", "class_weight", "tilt" } })
  lu.assertEquals(labels, { "full", "no lambda", "no global_prior", "no local_prior", "no cross_attention",
    "no mmd", "no class_weight", "no tilt" })
  local full = of.full
  lu.assertEquals(full, complete((study.expand(aniso.study { name = "s",
    data = "lesions", base = BASE })[1].config)))
  lu.assertEquals(of["no lambda"].schedule.lambda[1], "isotropic")
  lu.assertEquals(differences(of["no global_prior"], full), { ["prior.mode"] = "local" })
  lu.assertEquals(differences(of["no local_prior"], full), { ["prior.mode"] = "global" })
  lu.assertEquals(differences(of["no mmd"], full), { ["loss.mmd"] = 0 })
  lu.assertEquals(of["no class_weight"].loss.class_weight[1], "none")
  lu.assertEquals(of["no cross_attention"].denoiser, { "film", dim = 32 })
  lu.assertNil(of["no tilt"].select.calibrate)
  lu.assertEquals(of["no tilt"].sampler.tilt[1], "none")
end

function T.test_parts_of_a_method_by_name()
  local _, of = expanded(aniso.ablation { drop = { "global_prior", "local_prior" } }, { method = "adpm" })
  lu.assertEquals(of["no global_prior"].prior.mode, "local")
  _, of = expanded(aniso.ablation { drop = { "global_prior" } }, { method = "card" })
  lu.assertEquals(of["no global_prior"].prior.mode, "zero")
end

-- Without a prior the first stage has nothing to train: everything is trained at once, as long.
function T.test_without_any_prior_a_staged_training_is_joint()
  local base = { method = "adpm", train = { mode = "staged", prior_epochs = 5, epochs = 2 } }
  local _, of = expanded(aniso.ablation { grow = { "global_prior", "local_prior" } }, base)
  lu.assertEquals(differences(of.none, of.full), { ["prior.mode"] = "zero", ["train.mode"] = "joint",
    ["train.epochs"] = 7, ["train.prior_epochs"] = 0 })
  lu.assertEquals(differences(of["+ global_prior"], of.full), { ["prior.mode"] = "global" })
  base.train.prior_epochs = nil -- then the first stage is as long as the second
  _, of = expanded(aniso.ablation { grow = { "global_prior", "local_prior" } }, base)
  lu.assertEquals(of.none.train.epochs, 4)
  base.train = { mode = "joint", epochs = 2 }
  _, of = expanded(aniso.ablation { grow = { "global_prior", "local_prior" } }, base)
  lu.assertEquals(differences(of.none, of.full), { ["prior.mode"] = "zero" })
end

function T.test_add_has_each_part_alone()
  local labels, of = expanded(aniso.ablation { add = { "lambda", "global_prior", "mmd" } })
  lu.assertEquals(labels, { "full", "none", "+ lambda", "+ global_prior", "+ mmd" })
  lu.assertEquals(of.none.schedule.lambda[1], "isotropic")
  lu.assertEquals(of.none.prior.mode, "local")
  lu.assertEquals(of.none.loss.mmd, 0)
  lu.assertEquals(of["+ mmd"].loss.mmd, 0.5)
  lu.assertEquals(of["+ mmd"].schedule.lambda[1], "isotropic")
  lu.assertEquals(of["+ lambda"].schedule.lambda[1], "bound")
  lu.assertEquals(of["+ lambda"].loss.mmd, 0)
end

function T.test_grow_adds_one_after_another()
  local labels, of = expanded(aniso.ablation { grow = { "lambda", "global_prior", "local_prior",
    "cross_attention", "mmd" } })
  lu.assertEquals(labels, { "full", "none", "+ lambda", "+ lambda + global_prior",
    "+ lambda + global_prior + local_prior", "+ lambda + global_prior + local_prior + cross_attention" })
  lu.assertEquals(of.none.prior.mode, "zero")
  lu.assertEquals(of.none.denoiser[1], "film")
  lu.assertEquals(of["+ lambda + global_prior"].prior.mode, "global")
  lu.assertEquals(of["+ lambda + global_prior + local_prior"].prior.mode, "both")
end

function T.test_equal_absences_are_one_variant()
  local labels = expanded(aniso.ablation { drop = { "lambda", "mmd" }, add = { "lambda", "mmd" } })
  lu.assertEquals(labels, { "full", "no lambda", "no mmd", "none" })
end

function T.test_set_changes_the_method_before_parts_are_left_out()
  local _, of = expanded(aniso.ablation { drop = { "cross_attention", "mmd" } }, nil,
    { { "denoiser.dim", "64" }, { "loss.mmd", "0.2" } })
  lu.assertEquals(of["no cross_attention"].denoiser, { "film", dim = 64 })
  lu.assertEquals(of["no mmd"].loss.mmd, 0)
  lu.assertEquals(of.full.loss.mmd, 0.2)
end

function T.test_absences_of_two_axes_add_up()
  local of = aniso.study { name = "s", data = "lesions", base = BASE,
    vary = { aniso.ablation { drop = { "lambda" } }, aniso.ablation { drop = { "mmd" }, full = "all" } } }
  local jobs = study.expand(of)
  lu.assertEquals(jobs[4].label, "no lambda no mmd")
  local config = complete(jobs[4].config)
  lu.assertEquals(config.schedule.lambda[1], "isotropic")
  lu.assertEquals(config.loss.mmd, 0)
end

function T.test_mistakes_are_named()
  lu.assertErrorMsgContains('ablation.drop: "mdm" is not a part of the method (did you mean mmd?)',
    aniso.ablation, { drop = { "mdm" } })
  lu.assertErrorMsgContains("ablation.add names mmd twice", aniso.ablation, { add = { "mmd", "mmd" } })
  lu.assertErrorMsgContains("give drop, add or grow", aniso.ablation, {})
  lu.assertErrorMsgContains("ablation.grow needs a list of parts", aniso.ablation, { grow = {} })
  lu.assertErrorMsgContains("unknown option ablation.dorp", aniso.ablation, { dorp = { "mmd" } })
end

return T
