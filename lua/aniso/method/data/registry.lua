-- The kinds of data sets. A kind is a module that returns
--   kind      its name in recipes
--   options   its option table (fields.lua)
--   open      function(given, facts, fits) → what data.open completes for the engine: rows, origin, root,
--             folders … (bind/dataset_open.c), or another source of the engine. Lines go to facts.notes and
--             facts.warnings; fault.raise() rejects files, fits(root) names another kind
--   find      [opt] function(root) → the path of its table, or true, if the folder holds the set; else nil
--             and, if the table exists, what is missing
--   image_folder [opt] pattern of the names of the folders with the published set's images;
--             in_any_set [opt]: other sets have such folders too
--   columns   [opt] function(given) → the names of image and label in lists of its parts
--   brings_parts [opt] `split` is read by open
local containers = require "aniso.method.data.containers"
local isic = require "aniso.method.data.isic"

local registry = { list = {
  require "aniso.method.data.folder",
  require "aniso.method.data.csv",
  (require "aniso.method.data.feature_rows"),
  require "aniso.method.data.ham10000",
  require "aniso.method.data.pad_ufes_20",
  require "aniso.method.data.scin",
  require "aniso.method.data.hyper_kvasir",
  isic.isic2018,
  isic.isic2019,
  require "aniso.method.data.monica",
  containers.cifar10,
  containers.cifar100,
  containers.mnist,
  require "aniso.method.data.medmnist",
  (require "aniso.method.data.lesions"),
}, of = {} }

for _, set in ipairs(registry.list) do registry.of[set.kind] = set end

-- The published set in the folder, and the result of its find(); nil if there is none.
function registry.recognise(root)
  for _, set in ipairs(registry.list) do
    local found = set.find and set.find(root)
    if found then return set.kind, found end
  end
  return nil
end

return registry
