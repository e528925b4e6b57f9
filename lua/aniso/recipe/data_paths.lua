-- Makes relative paths of data options absolute, so that a stored run finds its images from any folder.
--   data_paths.absolute(data, folder, …) → data, former: a path that exists below one of the folders, tried
--     in order, becomes absolute; former [or nil] holds the changed paths as they were given, by option
--   data_paths.in_config(config, folder): the paths of a configuration; `folder` is the recipe's. The search
--     for data starts in the current folder, since --set may have named them, for weights in the recipe's
--   data_paths.keys(data) → the options that are paths in their own right
--   data_paths.with_former(data, former) → the data as a recipe of an earlier version stored them, or nil
--   data_paths.with_stored(data, former, stored) → the data with the `stored` paths, by option, if these are
--     the same relative paths in another place; nil if one is not
local options = require "aniso.recipe.options"
local sys = require("aniso.core").sys

local data_paths = {}

-- The options that are paths. If there is a root, a table is searched below it, and so are the files of
-- features.
function data_paths.keys(data)
  if data.root == nil then return { "root", "split", "file", "table", "ids" } end
  return data[1] == "features" and { "root", "split" } or { "root", "split", "file" }
end

local function found_below(folders, path)
  for _, folder in ipairs(folders) do
    local at = (sys.realpath(folder) or folder):gsub("/$", "") .. "/" .. path:gsub("^%./+", "")
    if sys.exists(at) then return path:find "%.%." and sys.realpath(at) or at end
  end
end

-- The absolute path of a relative one that exists below one of the folders, or nil.
local function absolute_of(path, folders)
  local is_relative = type(path) == "string" and path ~= "" and path:sub(1, 1) ~= "/"
  return is_relative and found_below(folders, path) or nil
end

function data_paths.absolute(data, ...)
  if type(data) ~= "table" then return data end
  local out, former = options.copy(data), nil
  for _, key in ipairs(data_paths.keys(data)) do
    local path = data[key]
    local at = absolute_of(path, { ... })
    if at then
      former = former or {}
      former[key], out[key] = { given = path, absolute = at }, at
    end
  end
  return out, former
end

function data_paths.in_config(config, folder)
  config.data = data_paths.absolute(config.data, ".", folder)
  local backbone = config.backbone
  if type(backbone) == "table" then
    backbone.weights = absolute_of(backbone.weights, { folder, "." }) or backbone.weights
  end
end

function data_paths.with_former(data, former)
  local out
  for key, path in pairs(former or {}) do
    if type(data) == "table" and data[key] == path.absolute then
      out = out or options.copy(data)
      out[key] = path.given
    end
  end
  return out
end

function data_paths.with_stored(data, former, stored)
  local out = options.copy(data)
  for key, path in pairs(former) do
    local ending = "/" .. path.given:gsub("^[./]+", "")
    local is_same = stored[key] and stored[key]:sub(-#ending) == ending
    if data[key] ~= path.absolute or not is_same then return nil end
    out[key] = stored[key]
  end
  return out
end

return data_paths
