-- Stored runs whose recipe defines its own parts: the option --recipe FILE, which loads them again, and the
-- line that names a missing part and the command that works. Only a recipe that the user names is executed;
-- the path and the text in the database are used only for the message.
local cli = require "aniso.cli"
local core = require "aniso.core"
local own_part = require "aniso.recipe.own_part"
local part_modules = require "aniso.recipe.part_modules"
local paths = require "aniso.recipe.paths"
local hint = require "aniso.store.hint"

local own_parts = {}

-- The options whose parts a command needs. The levels of an own λ are stored with the run.
local NEEDS = {
  resume = { "sampler", "loss.prior", "loss.class_weight" },
  eval = { "sampler" },
  report = { "sampler" },
  verify = { "sampler", "loss.prior", "loss.class_weight" },
}

function own_parts.arguments(parser)
  parser:option("--recipe", "recipe that defines the run's own parts"):argname "FILE"
end

-- Loads the own parts of the recipe that --recipe names.
function own_parts.load(args)
  if args.recipe then cli.usage(require("aniso.recipe.load").load_parts, args.recipe) end
end

-- "aniso resume RUN --db FILE …", "aniso report STUDY --db FILE …": call is {command =, run =, args =,
-- origin =}.
local function command_of(call, more)
  local words = { "aniso", call.command, { call.args.study or call.run.uid }, "--db", call.args.db }
  if call.args.evaluation then words[#words + 1] = "--evaluation" end
  if call.args.output then table.move({ "-o", call.args.output }, 1, 2, #words + 1, words) end
  table.move(more, 1, #more, #words + 1, words)
  return hint.line(words)
end

-- The hash of a regular file; a path in a database may name a pipe, and reading that would block.
local function hash_of(path)
  return core.sys.exists(path) == "file" and core.sha256.file(path)
end

-- A file with the stored text of the run's recipe → its path, and the command that writes it ("" if the
-- file exists).
local function recipe_file(call)
  local origin = call.origin
  if hash_of(origin.recipe_path) == core.sha256.text(origin.recipe_text) then
    return origin.recipe_path, ""
  end
  local path = ("recipe-%s.lua"):format(core.sha256.text(origin.recipe_text):sub(1, 8))
  return path, ("aniso show %s recipe --db %s > %s && "):format(call.run.uid, hint.quoted(call.args.db), path)
end

local function advice(call, part)
  local origin, given = call.origin, call.args.recipe
  local folder = origin.recipe_path and (origin.recipe_path:match "^(.*)/[^/]*$" or ".")
  local sibling = part.module and folder and ("%s/%s.lua"):format(folder, (part.module:gsub("%.", "/")))
  if sibling and hash_of(sibling) == part.sha256 then
    return command_of(call, { "--recipe", origin.recipe_path })
  elseif part.module then
    return ("put that file back, or name the folder that has it: ANISO_PARTS=FOLDER %s")
      :format(command_of(call, given and { "--recipe", given } or {}))
  elseif not origin.recipe_text then
    return command_of(call, { "--recipe", "FILE" }) .. " with the recipe that has it"
  end
  local path, first = recipe_file(call)
  return first .. command_of(call, { "--recipe", path })
end

local function reason(call, part)
  if part.module then
    local path, searched, other = part_modules.find(part.module, part.sha256)
    return path or other and ("%s has changed since"):format(other)
      or ("there is no %s.lua in %s"):format(part.module, searched)
  elseif call.args.recipe then
    return ("%s has no such function (any more)"):format(call.args.recipe)
  end
  return "it came from " .. (call.origin.recipe_path or "a program, not a recipe")
end

-- One line about the first of a run's own parts that `command` needs and that cannot be found; nil if there
-- is none. config: the run's.
function own_parts.missing(db, run, config, command, args)
  for _, name in ipairs(NEEDS[args.evaluation and "eval" or command]) do
    local part = paths.get(config, name)
    if own_part.is(part) and not own_part.find(part) then
      local call = { command = command, run = run, args = args, origin = cli.need(db:origin(run)) }
      return ("run %s (%s) needs its %s %s; %s: %s"):format(run.uid, run.label or run.name, name,
        own_part.describe(part), reason(call, part), advice(call, part))
    end
  end
end

return own_parts
