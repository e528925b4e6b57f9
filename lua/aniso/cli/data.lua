-- aniso data info | split | import | images SOURCE: an image set without training. info shows its contents,
-- split writes the lists of its parts, import decodes its images ahead of the first run, images writes them
-- as the networks receive them.
-- SOURCE is a kind (lesions, ham10000, csv, folder …), a folder of images, a table, or a recipe. A folder or
-- a table of a published set is recognised as that set.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local convert = require "aniso.cli.convert"
local options = require "aniso.recipe.options"
local pretty = require "aniso.show.pretty"
local source = require "aniso.cli.data_source"
local tables = require "aniso.show.table"
local sys = require("aniso.core").sys

local data = { summary = "show, split, import or write out an image set",
  verbs = { "info", "split", "import", "images" } }

local PARTS = { "train", "val", "test" }

local function fraction(name)
  return function(text)
    local x = tonumber(text)
    if x and x >= 0 and x < 1 then return x end
    return nil, ("--%s needs a share of at least 0 and below 1, got %s"):format(name, text)
  end
end

local function verb(parser, name, summary)
  local one = parser:command(name, summary)
  one:argument("source", "a kind (lesions, ham10000 …), a folder of images, a table or a recipe")
  common.set(one)
  return one
end

function data.arguments(parser)
  parser:command_target "verb"
  verb(parser, "info", "show classes, counts and the split")
  local split = verb(parser, "split", "write lists of the training, validation and test images")
  split:argument("folder", "where to write NAME_train.csv, NAME_val.csv and NAME_test.csv")
  split:option "--name":description "name of the split (default: the set's)":argname "NAME"
  split:option "--seed":description "seed of the split":argname "N":convert(function(text)
    local n = math.tointeger(tonumber(text))
    if n then return n end
    return nil, ("--seed needs a whole number, got %s"):format(text)
  end)
  split:option "--val":description "share of all images for validation":argname "P":convert(fraction "val")
  split:option "--test":description "share of all images for the test":argname "P":convert(fraction "test")
  verb(parser, "import", "decode all images into the cache now instead of in the first run")
  local images = verb(parser, "images", "write images, as the networks see them, to a folder per class")
  images:argument("folder", "a new or empty folder")
  images:option "--part":description "part to write":choices(PARTS):default "test"
  images:option "-n":description "number of images, evenly spaced over the part (default: all)"
    :argname "N":convert(convert.whole("-n", 1))
  parser:require_command(true)
end

-- The complete options of the command line.
local function given_by(args)
  local given = cli.usage(source.describe, args.source)
  for _, set in ipairs(args.set) do
    cli.usage(options.set, given, (set[1]:gsub("^data%.", "")), set[2])
  end
  for _, key in ipairs { "seed", "val", "test" } do
    if args[key] ~= nil then given[key] = args[key] end
  end
  return cli.usage(require("aniso.method.data").check, given)
end

local function open(given)
  return (cli.need(cli.usage(require("aniso.method.data").open, given)))
end

-- Kinds without a file per image.
local FILELESS = {
  lesions = "lesions are drawn from their seed",
  cifar10 = "cifar10 brings its own parts in a few large files",
  cifar100 = "cifar100 brings its own parts in a few large files",
  mnist = "mnist brings its own parts in a few large files",
  medmnist = "medmnist brings its own parts in one file",
}

local function need_files(given, why)
  if FILELESS[given[1]] then cli.fail(cli.USAGE, FILELESS[given[1]] .. ": " .. why) end
end

local function need_pictures(given)
  if given[1] == "features" then cli.fail(cli.USAGE, "features are numbers: there are no pictures") end
end

local verbs = {}

function verbs.info(args)
  console.print_text(open(given_by(args)):info())
end

-- A folder holds only one split: with two lists of training images it would be ambiguous.
local function check_folder(folder)
  if sys.exists(folder) ~= "directory" then return end
  for _, name in ipairs(cli.need(sys.list(folder))) do
    for _, part in ipairs(PARTS) do
      if name:sub(-#part - 4) == part .. ".csv" then
        cli.fail(cli.FAILED, ("%s holds the lists of a split (%s); name another folder, or "
          .. "remove them"):format(folder, name))
      end
    end
  end
end

local function list_of(dataset, part, columns)
  local rows, labels = {}, dataset:labels(part):list()
  local classes = dataset.classes
  for i, key in ipairs(dataset:keys(part)) do
    rows[i] = { key, classes[labels[i] + 1] }
  end
  return tables.list(columns, rows), #rows
end

function verbs.split(args)
  local given = given_by(args)
  need_files(given, "there are no files to list")
  local name = args.name or given[1]
  if name == "" or name:find "/" then
    cli.fail(cli.USAGE, "--name is part of file names: it must not be empty or contain /")
  end
  check_folder(args.folder)
  local dataset = open(given)
  local alone = dataset.split.test_is_val == 1
  cli.need(sys.mkdir_p(args.folder))
  local columns = require("aniso.method.data").columns(given)
  for _, part in ipairs(PARTS) do
    if not (alone and part == "val") then
      local path = ("%s/%s_%s.csv"):format(args.folder:gsub("/+$", ""), name, part)
      local text, count = list_of(dataset, part, columns)
      cli.need(sys.write_atomic(path, text))
      console.print(("%s  %d images"):format(path, count))
    end
  end
  local folder = pretty.format(cli.need(sys.realpath(args.folder)))
  console.print()
  console.print(("In a recipe's data: split = %s%s"):format(folder, alone and ", val = 0" or ""))
end

-- The options as given in a recipe.
local function without_defaults(given)
  local shown, rules = { given[1] }, options.about(require("aniso.method.data").kinds).kinds[given[1]]
  for key, value in pairs(given) do
    local about = key ~= 1 and options.about(rules[key])
    if about and not about.fields and value ~= about.default then
      local is_path = key == "root" or key == "split" and sys.exists(value)
      shown[key] = is_path and sys.realpath(value) or value
    end
  end
  return shown
end

function verbs.import(args)
  local given = given_by(args)
  need_pictures(given)
  need_files(given, "there is nothing to import")
  if given.cache == false then cli.fail(cli.USAGE, "cache = false disables the cache that import fills") end
  if tonumber(sys.variable "ANISO_CACHE_GB") == 0 then
    cli.fail(cli.USAGE, "ANISO_CACHE_GB is 0, so import would keep nothing")
  end
  local start = sys.monotonic()
  local dataset = open(given)
  if not dataset.packed then
    cli.fail(cli.FAILED, "the cache folder cannot be used; give another with --set cache=DIR")
  end
  local n = #dataset:keys "train" + #dataset:keys "test"
  if dataset.split.test_is_val == 0 then n = n + #dataset:keys "val" end
  console.print(("%d images, %dx%d, %d classes, ready after %.2f s"):format(n, dataset.width,
    dataset.height, dataset.K, sys.monotonic() - start))
  console.print_text("\nIn a recipe:  data = " .. pretty.format(without_defaults(given)))
end

function verbs.images(args)
  local given = given_by(args)
  need_pictures(given)
  local dataset = open(given)
  cli.need(common.make_new_folder(args.folder, "data images"))
  local n = require("aniso.show.image_folder").write(dataset, args.part, args.n or math.huge, args.folder)
  console.print(("%s: %d images of %dx%d, in a folder per class"):format(args.folder, n, dataset.width,
    dataset.height))
end

function data.run(args)
  return verbs[args.verb](args)
end

return data
