-- Ablations over named parts of the method (METHOD §8): how leaving out a part changes a configuration, and
-- the variants of an ablation in one line.
--   variants = aniso.ablation { drop = { "lambda", "mmd" } }      the whole method, and without each part
--   variants = aniso.ablation { grow = { "lambda", "mmd" } }      from none of the parts to the whole method
--   variants = aniso.ablation { add = { "lambda", "mmd" } }       none, each single part, the whole method
-- The base configuration is the whole method, so only the absence of a part needs settings.
local baseline = require "aniso.recipe.baseline"
local literal = require "aniso.recipe.literal"
local nearest = require "aniso.recipe.nearest"
local options = require "aniso.recipe.options"
local paths = require "aniso.recipe.paths"

local ablation = {}

-- The mode of the prior without one of its two granularities; without both, diffusion is centred at 0.
local WITHOUT_GLOBAL = { both = "local", global = "zero" }
local WITHOUT_LOCAL = { both = "global", ["local"] = "zero" }

-- Makes a staged training joint, with the epochs of both its stages: without a prior the first stage has
-- nothing to train, and the backbone learns from the diffusion.
local function joint(config)
  local train = baseline.fill(config).train or {}
  if train.mode ~= "staged" then return {} end
  local settings = { ["train.mode"] = "joint", ["train.prior_epochs"] = 0 }
  local first, second = train.prior_epochs or 0, train.epochs
  if second then settings["train.epochs"] = second + (first > 0 and first or second) end
  return settings
end

local function prior_without(modes)
  return function(config)
    local mode = paths.get(baseline.fill(config), "prior.mode") or "both"
    local settings = modes[mode] == "zero" and joint(config) or {}
    settings["prior.mode"] = modes[mode] or mode
    return settings
  end
end

-- The denoiser of CARD and DiffMIC at the width of the base's denoiser.
local function film_of(config)
  return { denoiser = baseline.with_kind("denoiser", paths.copy(config.denoiser), "film") }
end

local function fixed(settings)
  return function() return settings end
end

-- name → text, and without(config), the settings that leave the part out of `config`, by dotted name.
ablation.parts = {
  lambda = { text = "class noise levels λ_j; without: λ ≡ 1",
    without = fixed { ["schedule.lambda"] = "isotropic" } },
  global_prior = { text = "the global prior; without: the local one alone, or m = 0 and joint training",
    without = prior_without(WITHOUT_GLOBAL) },
  local_prior = { text = "the local prior; without: the global one alone, or m = 0 and joint training",
    without = prior_without(WITHOUT_LOCAL) },
  cross_attention = { text = "the cross-attention denoiser; without: film of the same width",
    without = film_of },
  mmd = { text = "the MMD term; without: w_m = 0", without = fixed { ["loss.mmd"] = 0 } },
  class_weight = { text = "class weights in the denoising loss; without: 1",
    without = fixed { ["loss.class_weight"] = "none" } },
  tilt = { text = "the tilt, given or chosen on validation; without: none",
    without = fixed { ["sampler.tilt"] = "none", ["select.calibrate"] = false } },
}

-- The parts in the order of the paper's table.
local ORDER = { "lambda", "global_prior", "local_prior", "cross_attention", "mmd", "class_weight", "tilt" }

local LISTS = { "drop", "add", "grow" }

local function check_part(name, where)
  if type(name) == "string" and ablation.parts[name] then return name end
  local meant = type(name) == "string" and nearest(name, ORDER)
  error(("%s: %s is not a part of the method (%s)"):format(where, literal.describe(name),
    meant and ("did you mean %s?"):format(meant) or "the parts: " .. table.concat(ORDER, ", ")), 0)
end

local function check_list(list, where)
  local seen = {}
  for _, name in ipairs(list) do
    check_part(name, where)
    if seen[name] then error(("%s names %s twice"):format(where, name), 0) end
    seen[name] = true
  end
  if #list == 0 then error(("%s needs a list of parts: %s"):format(where, table.concat(ORDER, ", ")), 0) end
end

local rules = { full = "full", none = "none" }
for _, name in ipairs(LISTS) do rules[name] = options.optional(options.list(options.any)) end

-- `all` without the parts in `kept`, in the same order.
local function except(all, kept)
  local out = {}
  for _, name in ipairs(all) do
    local keep = false
    for _, other in ipairs(kept) do keep = keep or other == name end
    if not keep then out[#out + 1] = name end
  end
  return out
end

local writers = {}

function writers.drop(o, add)
  for _, name in ipairs(o.drop) do add("no " .. name, { name }) end
end

function writers.add(o, add)
  add(o.none, o.add)
  for _, name in ipairs(o.add) do add("+ " .. name, except(o.add, { name })) end
end

function writers.grow(o, add)
  add(o.none, o.grow)
  for i = 1, #o.grow - 1 do
    local kept = table.move(o.grow, 1, i, 1, {})
    add("+ " .. table.concat(kept, " + "), except(o.grow, kept))
  end
end

-- ablation.new{drop =, add =, grow =, full =, none =} → variations, the whole method first. The first three
-- are lists of parts; full and none are the labels of the whole method and of the one without any of
-- the listed parts. Variants that leave out the same parts are listed once. Raises for an unknown part.
function ablation.new(given)
  local o = options.check(given, rules, "ablation")
  local out, known = { { label = o.full, without = {} } }, {}
  local function add(label, without)
    local sorted = table.move(without, 1, #without, 1, {})
    table.sort(sorted)
    local key = table.concat(sorted, " ")
    if known[key] then return end
    known[key], out[#out + 1] = true, { label = label, without = without }
  end
  for _, name in ipairs(LISTS) do
    if o[name] then
      check_list(o[name], "ablation." .. name)
      writers[name](o, add)
    end
  end
  if #out == 1 then error("ablation: give drop, add or grow, each a list of parts: "
    .. table.concat(ORDER, ", "), 0) end
  return out
end

-- Leaves the parts named in `without` out of `config`, a configuration as a recipe gives it.
function ablation.apply(config, without)
  for _, name in ipairs(without) do
    for path, value in pairs(ablation.parts[check_part(name, "without")].without(config)) do
      paths.set(config, path, paths.copy(value))
    end
  end
end

return ablation
