-- The commands that repeat a stored run, to the same bits: reproduce(db, run) → lines for a shell,
-- or nil, message. The recipe is the stored one where the file at its path is not (any more)
-- the same; --set and --name come from the command that made the run. A recipe of an earlier version keeps
-- its text: where it has former names of options, they are listed and the command has --old-names; an
-- option whose default has changed since is set. reproduce.quoted(text): a word for a shell.
local core = require "aniso.core"
local renamed = require "aniso.recipe.renamed"

local function quoted(text)
  text = tostring(text)
  if text:match "^[%w_%-./:=,+@%%]+$" then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The options of the original command that determine what is run; → list of words. as_typed: with the
-- names of options that it had.
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

-- Version 6 changed the default of data.groups from limits in images to limits relative to the largest
-- class. → the words that set what the run had; none where that is today's default, or its recipe gives it.
local function former_defaults(config)
  local groups = config.data and config.data.groups
  if type(groups) ~= "table" or groups[1] ~= "counts" then return {} end
  return { "--set", ('data.groups={"counts",many=%.14g,few=%.14g}'):format(groups.many, groups.few) }
end

local function same_file(path, text)
  local file = io.open(path, "rb")
  if not file then return false end
  local found = file:read "a"
  file:close()
  return found == text
end

local function circumstances(run, origin)
  local line = ("# aniso %s"):format(run.tool_version or "?")
  if run.git_commit then
    line = ("%s, commit %s%s"):format(line, run.git_commit,
      run.git_dirty == 1 and " with uncommitted changes" or "")
  end
  return ("%s, on %s"):format(line, origin.cpu ~= "" and origin.cpu or origin.hostname)
end

local reproduce = { quoted = quoted }

local function lines_of(db, run)
  local origin, why, code = db:origin(run)
  if not origin then return nil, why, code end
  if not origin.recipe_text or not origin.argv then
    return nil, ("run %s was not made by aniso run from a recipe; aniso show %s config prints its options")
      :format(run.uid, run.uid), "ENOTFOUND"
  end
  local lines, recipe = { circumstances(run, origin) }, origin.recipe_path
  if not same_file(recipe, origin.recipe_text) then
    recipe = ("recipe-%s.lua"):format(core.sha256.text(origin.recipe_text):sub(1, 8))
    lines[#lines + 1] = ("aniso show %s recipe --db %s > %s"):format(run.uid, quoted(db.path), recipe)
  end
  local words, old = { "aniso", "run", recipe }, renamed.in_text(origin.recipe_text)
  if #old > 0 then
    lines[#lines + 1] = "# the recipe has former names of options: " .. renamed.describe(old)
    words[#words + 1] = "--old-names"
  end
  for _, list in ipairs { options_of(origin.argv, #old > 0), former_defaults(db:config(run)) } do
    table.move(list, 1, #list, #words + 1, words)
  end
  if run.fold then table.move({ "--fold", run.fold }, 1, 2, #words + 1, words) end
  local last = { "--seeds", run.seed, "--only", run.label or run.name, "--again", "--db", db.path }
  table.move(last, 1, #last, #words + 1, words)
  for i, word in ipairs(words) do words[i] = quoted(word) end
  lines[#lines + 1] = table.concat(words, " ")
  return lines
end

return setmetatable(reproduce, { __call = function(_, db, run) return lines_of(db, run) end })
