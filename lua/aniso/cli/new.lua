-- aniso new NAME [--data SOURCE [--set KEY=VALUE]…]: writes NAME.lua, a commented recipe to start from.
-- SOURCE and --set are those of aniso data info, except for a recipe; the kind is detected, and the data must
-- load. No file is replaced.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local hint = require "aniso.store.hint"
local options = require "aniso.recipe.options"
local pretty = require "aniso.show.pretty"
local sys = require("aniso.core").sys
local typed_name = require "aniso.recipe.typed_name"

local new = { summary = "write a commented recipe to start from" }

function new.arguments(parser)
  parser:argument("name", "name of the study; the file is NAME.lua")
  parser:option("--data", "a folder of images, a table or a kind such as ham10000\n(default: synthetic "
    .. "images)")
    :argname "SOURCE"
  common.set(parser)
end

-- Kinds whose images have their own size, which is the default; features have none.
local SMALL = { cifar10 = true, cifar100 = true, mnist = true, medmnist = true, lesions = true,
  features = true }

-- The data options of a source and of --set, with absolute paths → options, the set that they open.
local function detected(source, sets)
  if source:find "%.lua$" then
    cli.fail(cli.USAGE, source .. ": --data names images, and this is a recipe")
  end
  local given = cli.usage(require("aniso.cli.data_source").describe, source)
  for _, key in ipairs { "root", "file" } do
    if given[key] then given[key] = cli.need(sys.realpath(given[key])) end
  end
  if not SMALL[given[1]] then given.size = 64 end
  for _, set in ipairs(sets) do cli.usage(options.set, given, (set[1]:gsub("^data%.", "")), set[2]) end
  for _, key in ipairs(given[1] == "features" and not given.root and { "file", "table", "ids" } or {}) do
    given[key] = given[key] and sys.realpath(given[key]) or given[key]
  end
  return given, (cli.need(cli.usage(require("aniso.method.data").open, given)))
end

local SYNTHETIC = [[
  -- Synthetic skin lesions in place of images of your own. A folder with a sub-folder per class is
  --   data = { "folder", root = "/home/me/pictures", size = 64 },
  -- and a table with a column group, whose images stay on one side of the split,
  --   data = { "csv", root = DIR, table = "labels.csv", image = "file", label = "class", group = "patient" },
  data = { "lesions", n = 1400, size = 32 },
]]

-- The data section of the recipe, with a comment on what was found.
local function data_section(source, sets)
  if not source then
    if #sets > 0 then cli.fail(cli.USAGE, "--set names options of --data, which is missing") end
    return SYNTHETIC
  end
  local given, dataset = detected(source, sets)
  local most, least = 1, 1
  for k, n in ipairs(dataset.counts) do
    if n > dataset.counts[most] then most = k end
    if n < dataset.counts[least] then least = k end
  end
  local function images(k) return ("%d of %s"):format(dataset.counts[k], sys.visible(dataset.classes[k])) end
  local equal = dataset.counts[most] == dataset.counts[least]
  local found = equal and dataset.counts[most] .. " per class" or images(most) .. " and " .. images(least)
  return ([[
  -- %d classes; training images: %s. aniso data info prints all of them.
  -- If one patient has several images, name the column of a table that holds the patient, group = "patient":
  -- its images stay on one side of the split.
  data = %s,
]]):format(dataset.K, found, (pretty.format(given):gsub("\n", "\n  ")))
end

local RECIPE = [[
-- %s
--   aniso check %s         mistakes, shapes, time and disk space
--   aniso run %s --set train.prior_epochs=2 --seeds 0     a first look
--   aniso run %s
--   aniso compare %s       differences with their intervals
--   aniso report %s -o report.html
-- Options that are left out have defaults; aniso help lua explains each by its name, as in
-- aniso help lua train.epochs.
local aniso = require "aniso"

return aniso.study {
  name = %s,
%s  base = {
%s    schedule = { "cosine", T = 1000 },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    -- staged: backbone and priors are trained once per seed, the denoisers behind them share the result.
    train = { mode = "staged", prior_epochs = 30, epochs = 5, batch = 64, draws = 4, lr = 2e-3%s },
    -- A few validation images of a rare class choose an epoch by luck: the averaged last one is kept.
    select = { keep = "last", every = 5 },
    -- Few steps and many chains cost as much as the reverse and classify better.
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  -- What is compared. adpm has a noise level per class, ddpm one for all, softmax is the plain classifier.
  variants = {
    { label = "softmax", method = "softmax" },
    { label = "ddpm", method = "ddpm" },
    { label = "adpm", method = "adpm", ["schedule.lambda"] = "bound" },
  },
  baseline = "softmax",
  seeds = 3, -- fewer give no interval
}
]]

local NETWORKS = [[
    backbone = { "resnet", depth = 8, width = 16 },  -- or "resnet18" for images of 224 pixels
    prior = { crops = 4 },                           -- windows that the local prior looks at
]]

local function text_of(name, path, data, sets)
  local file, study = hint.quoted(path), hint.quoted(name)
  local has_images = data ~= "features" -- features are the output of a backbone
  local title = data and ("A first study of " .. sys.visible(data)) or "A first study"
  return RECIPE:format(title, file, file, file, study, study, pretty.format(name),
    data_section(data, sets), has_images and NETWORKS or "",
    has_images and ",\n      augment = { flip = true, shift = 4 }" or "")
end

-- The study's name, from the path of its recipe.
local function name_of(path)
  local name = path:match "([^/]*)$":gsub("%.lua$", "")
  cli.usage(typed_name, "NAME", name)
  cli.usage(typed_name, "NAME", path)
  return name
end

function new.run(args)
  local name = name_of(args.name)
  local path = args.name:gsub("%.lua$", "") .. ".lua"
  if sys.exists(path) or sys.is_link(path) then
    cli.fail(cli.FAILED, path .. " exists and is not replaced; choose another name")
  end
  cli.need(sys.write_atomic(path, text_of(name, path, args.data, args.set)))
  local file = hint.quoted(path)
  console.note(("written to %s; next: aniso check %s && aniso run %s"):format(path, file, file))
end

return new
