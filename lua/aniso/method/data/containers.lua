-- Kinds of data whose images come in a few large files (engine/data/container.h): cifar10, cifar100,
-- mnist (IDX). They bring their own test part and need no cache of decoded images.
local core = require "aniso.core"
local fields = require "aniso.method.data.fields"
local options = require "aniso.recipe.options"
local fault = require "aniso.method.data.fault"

local containers = {}

local function with_root(more)
  more.root = options.optional "string"
  more.aspect = options.one_of { "stretch", "crop", "pad" }
  return fields.any(more)
end

-- True if one of the names is a file below root. Incomplete sets and CIFAR's version for Python count
-- too, so that the missing files are named.
local function holds(root, names)
  for _, name in ipairs(names) do
    if core.sys.exists(fields.join(root, name)) == "file" then return true end
  end
  return false
end

-- root; raises if it is the folder of another published set. The engine reports any other fault.
local function root_of(set, given, fits)
  local root = fields.need(given, "root", "the folder of " .. set.title)
  local other = not set.find(root) and fits(root)
  if other then
    fault.raise("ENOTFOUND", "%s: not %s: expected %s (it looks like \"%s\")", root, set.title, set.expects,
      other)
  end
  return root
end

local function cifar(set)
  set.published, set.options = { train = 50000, test = 10000 }, with_root {}

  function set.find(root)
    for _, file in ipairs(set.files) do
      if holds(root, { file, set.folder .. "/" .. file }) then return true end
    end
    return holds(root, { set.python })
  end

  function set.open(given, _, fits)
    return { source = set.kind, container = root_of(set, given, fits), published = set.published }
  end

  return set
end

containers.cifar10 = cifar { kind = "cifar10", title = "CIFAR-10", folder = "cifar-10-batches-bin",
  python = "cifar-10-batches-py/data_batch_1",
  files = { "data_batch_1.bin", "data_batch_1" }, expects = "data_batch_1.bin … test_batch.bin" }
containers.cifar100 = cifar { kind = "cifar100", title = "CIFAR-100", folder = "cifar-100-binary",
  python = "cifar-100-python/train",
  files = { "fine_label_names.txt", "train.bin" }, expects = "train.bin, test.bin and fine_label_names.txt" }

-- MNIST, Fashion-MNIST and KMNIST have the same numbers of images.
local mnist = { kind = "mnist", title = "MNIST", expects = "train-images-idx3-ubyte(.gz)",
  published = { train = 60000, test = 10000 },
  options = with_root { classes = options.optional(options.list "string") } }

function mnist.find(root)
  return holds(root, { "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte",
    "train-images.idx3-ubyte.gz" })
end

function mnist.open(given, _, fits)
  return { source = "idx", container = root_of(mnist, given, fits), classes = given.classes,
    published = mnist.published }
end

containers.mnist = mnist

return containers
