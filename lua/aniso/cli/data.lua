-- aniso data info SOURCE: what an image set holds and how it is split, without training.
-- SOURCE is a kind (lesions, ham10000, csv, folder), a folder of images, or a recipe.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local options = require "aniso.options"
local sys = require("aniso.core").sys

local data = { summary = "look at an image set: data info SOURCE" }

function data.arguments(parser)
  local info = parser:command("info", "classes, counts and the split")
  info:argument("source", "lesions, ham10000, csv, folder, a folder of images, or a recipe")
  common.set(info)
  parser:require_command(true)
end

-- The data options that SOURCE means.
local function described(source)
  local kind = sys.exists(source)
  if kind == "directory" then
    local published = sys.exists(source .. "/HAM10000_metadata.csv")
    return { published and "ham10000" or "folder", root = source }
  elseif kind == "file" then
    local study = require("aniso.recipe").load(source)
    if not study then error(source .. ": this recipe describes no study", 0) end
    return study.data
  end
  if source:find "[/.]" then error(source .. ": no such folder or recipe", 0) end
  return { source }
end

function data.run(args)
  local given = cli.usage(described, args.source)
  for _, set in ipairs(args.set) do
    cli.usage(options.set, given, (set[1]:gsub("^data%.", "")), set[2])
  end
  local found, why, code = cli.usage(require("aniso.data").open, given)
  print(cli.need(found, why, code):info())
end

return data
