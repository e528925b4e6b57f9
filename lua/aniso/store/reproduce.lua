-- The commands that repeat a stored run bit for bit: reproduce(db, run) → lines for a shell, or nil, message.
-- They use the stored recipe if the file at its path is missing or differs from it; --set and --name come
-- from the command that made the run. A recipe of an earlier version keeps its text: if it contains former
-- names of options, these are listed and the command has --old-names; an option whose default has changed
-- since is set. Everything in the lines comes from the database, which may be a stranger's: each word is
-- quoted, a comment has no control characters, and the first line states that the recipe is code.
local core = require "aniso.core"
local hint = require "aniso.store.hint"
local renamed = require "aniso.recipe.renamed"

local quoted = hint.quoted

-- The options of the original command that determine what is run → list of words. as_typed: with the names
-- of options that the command used.
local function options_of(argv, as_typed)
  local out, i = {}, 1
  while i <= #argv do
    local name, value = argv[i]:match "^(%-%-%a+)=(.*)$"
    name = name or argv[i]
    if name == "--set" or name == "--name" then
      if not value then
        i = i + 1
        value = argv[i]
      end
      local renames = name == "--set" and not as_typed
      out[#out + 1], out[#out + 2] = name, renames and renamed.setting(value) or value
    end
    i = i + 1
  end
  return out
end

-- The words that set the run's value where today's default differs: version 6 changed the default of
-- data.groups from limits in images to limits relative to the largest class, and backbone.normalise had no
-- default in the runs that lack it.
local function former_defaults(config)
  local words, groups, backbone = {}, config.data and config.data.groups, config.backbone
  if type(groups) == "table" and groups[1] == "counts" then
    words = { "--set", ('data.groups={"counts",many=%.14g,few=%.14g}'):format(groups.many, groups.few) }
  end
  if type(backbone) == "table" and backbone.weights and backbone.normalise == nil then
    table.move({ "--set", "backbone.normalise=dataset" }, 1, 2, #words + 1, words)
  end
  return words
end

local function comment(text)
  return "# " .. core.sys.visible(text)
end

-- Whether `path` is a regular file with exactly this text.
local function same_file(path, text)
  return core.sys.read(path, #text) == text
end

local function circumstances(run, origin)
  local line = ("aniso %s"):format(run.tool_version or "?")
  if run.git_commit then
    line = ("%s, commit %s%s"):format(line, run.git_commit,
      run.git_dirty == 1 and " with uncommitted changes" or "")
  end
  return comment(("%s, on %s"):format(line, origin.cpu ~= "" and origin.cpu or origin.hostname))
end

-- The words of a command as a line for a shell; nil, message if one contains control characters, which a
-- terminal would carry out when the line is pasted.
local function command(db, run, words)
  for i, word in ipairs(words) do
    if tostring(word):find "%c" then
      return nil, ("run %s was made with control characters in %s; %s prints its options")
        :format(run.uid, core.sys.visible(tostring(word)), hint.command(db, "show", run.uid, "config")),
        "EFORMAT"
    end
    words[i] = quoted(word)
  end
  return table.concat(words, " ")
end

local function lines_of(db, run)
  local origin, why, code = db:origin(run)
  if not origin then return nil, why, code end
  if not origin.recipe_text or not origin.argv then
    return nil, ("run %s was not made by aniso run from a recipe; %s prints its options")
      :format(run.uid, hint.command(db, "show", run.uid, "config")), "ENOTFOUND"
  end
  local lines = { comment(("from the database %s: the recipe in it is code that these commands run; read "
    .. "it first"):format(db.path)), circumstances(run, origin) }
  local recipe = origin.recipe_path
  if not same_file(recipe, origin.recipe_text) then
    recipe = ("recipe-%s.lua"):format(core.sha256.text(origin.recipe_text):sub(1, 8))
    local show
    show, why, code = command(db, run, { "aniso", "show", run.uid, "recipe", "--db", db.path })
    if not show then return nil, why, code end
    lines[#lines + 1] = ("%s > %s"):format(show, recipe)
  end
  local words, old = { "aniso", "run", recipe }, renamed.in_text(origin.recipe_text)
  if #old > 0 then
    lines[#lines + 1] = comment("the recipe has former names of options: " .. renamed.describe(old))
    words[#words + 1] = "--old-names"
  end
  local config
  config, why, code = db:config(run)
  if not config then return nil, why, code end
  for _, list in ipairs { options_of(origin.argv, #old > 0), former_defaults(config) } do
    table.move(list, 1, #list, #words + 1, words)
  end
  if run.fold then table.move({ "--fold", run.fold }, 1, 2, #words + 1, words) end
  local label = run.label or run.name
  local only = label:sub(1, 1) == "-" and { "--only=" .. label } or { "--only", label } -- -x is no flag
  for _, list in ipairs { { "--seeds", run.seed }, only, { "--again", "--db", db.path } } do
    table.move(list, 1, #list, #words + 1, words)
  end
  local repeated
  repeated, why, code = command(db, run, words)
  if not repeated then return nil, why, code end
  lines[#lines + 1] = repeated
  return lines
end

return lines_of
