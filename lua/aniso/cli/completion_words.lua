-- The words that can follow on a command line, from the database and the options: the part of completion that
-- a shell script cannot do. The database is opened for reading, and any failure gives no words.
--   completion_words(words) → candidates for the last word; a shell has split the line but kept quotes
local cli = require "aniso.cli"
local names = require "aniso.store.names"
local sys = require("aniso.core").sys

-- A word without shell quotes; nothing is expanded.
local function unquoted(word)
  local out, quote = {}, nil
  local at = 1
  while at <= #word do
    local c = word:sub(at, at)
    if c == "\\" and quote ~= "'" then
      at = at + 1
      out[#out + 1] = word:sub(at, at)
    elseif (c == "'" or c == '"') and (quote == nil or quote == c) then
      quote = quote == nil and c or nil
    else
      out[#out + 1] = c
    end
    at = at + 1
  end
  return table.concat(out)
end

-- ── from the database ───────────────────────────────────────────────────────────────────
local function runs(db, _, word)
  local out = names.runs(db, nil, word)
  table.insert(out, 1, "@last")
  table.insert(out, 2, "@best:macro_f1")
  return out
end

-- For an argument that is a file or a run: the shell completes the files' names.
local function file_or_run(db, study, word)
  return word:find "^@" and runs(db, study, word) or {}
end

local function metrics(db)
  local out, printed = {}, require("aniso.stats.metric.catalog").printed
  for name in pairs(assert(require("aniso.store.score").metrics(db))) do out[#out + 1] = printed(name) end
  table.sort(out)
  return out
end

local function keys(db, _, word)
  local out = { "study", "label", "seed", "fold", "status", "data", "started", "wall", "host", "commit" }
  for _, list in ipairs { metrics(db), names.options(db, nil, word) } do
    table.move(list, 1, #list, #out + 1, out)
  end
  return out
end

local function all(...)
  local makers = { ... }
  return function(db, study, word)
    local out = {}
    for _, make in ipairs(makers) do
      local list = make(db, study, word)
      table.move(list, 1, #list, #out + 1, out)
    end
    return out
  end
end

local function ended(list, ending)
  for i, word in ipairs(list) do list[i] = word .. ending end
  return list
end

-- "status=" and then the values of that key.
local function filters(db, _, word)
  local key, start = word:match "^([%w_.]+)=(.*)"
  if not key then
    local out = ended(keys(db, nil, word), "=")
    for _, tag in ipairs(names.tags(db, nil, word:match "^tag:(.*)")) do out[#out + 1] = "tag:" .. tag end
    return out
  end
  local values = key == "study" and names.studies(db, nil, start)
    or key == "label" and names.labels(db, nil, start)
    or key == "status" and { "crashed", "failed", "finished", "interrupted", "running" }
    or require("aniso.method.config").choices(key)
    or names.values(db, key, start)
  local out = {}
  for i, value in ipairs(values) do out[i] = ("%s=%s"):format(key, value) end
  return out
end

-- ── from the options ────────────────────────────────────────────────────────────────────
local function settings(_, _, word)
  local config, out = require "aniso.method.config", {}
  local key = word:match "^([%w_.]+)="
  for i, value in ipairs(key and config.choices(key) or {}) do out[i] = ("%s=%s"):format(key, value) end
  if key then return out end
  local flat = require("aniso.recipe.options").flatten(config.complete { data = { "lesions" } })
  for _, one in ipairs(flat) do out[#out + 1] = one.key:gsub("%.1$", "") .. "=" end
  -- also those without a default
  local documented = ended(require("aniso.prompt.help.option_names").paths(), "=")
  return table.move(documented, 1, #documented, #out + 1, out)
end

local function samplers() return require("aniso.method.config").choices "sampler" or {} end

-- By option or argument of a command. In a list of names the last one is completed.
local OF_OPTION = { only = names.labels, baseline = names.labels,
  metrics = metrics, cols = metrics, delta = metrics, metric = metrics,
  y = metrics, by = metrics, sort = keys, x = names.options,
  where = filters, set = settings, sampler = samplers,
  rows = all(function() return { "label" } end, names.options) }
local OF_ARGUMENT = { study = names.studies, runs = runs, filter = filters, words = runs,
  what = all(names.studies, runs), model = file_or_run,
  names = all(names.studies, names.labels, names.labels_of_studies, runs),
  name = { rename = all(names.studies, names.labels_of_studies) },
  run = { eval = all(names.studies, runs), default = runs } }

local function of_argument(argument, command)
  local found = OF_ARGUMENT[argument._name]
  if type(found) == "table" then return found[command] or found.default end
  return found
end

-- ── the command line ────────────────────────────────────────────────────────────────────
local function option_of(parser, word)
  for _, option in ipairs(parser._options) do
    for _, alias in ipairs(option._aliases) do
      if alias == word then return option end
    end
  end
end

local function takes_value(option)
  return option ~= nil and option._maxargs > 0
end

-- A path as a shell gives it to a command: ~ has been replaced.
local function expanded(path)
  local home = sys.variable "HOME"
  return home and path:find "^~/" and home .. path:sub(2) or path
end

-- What the last word is: an option's value or an argument. default: the database if no --db is given. →
-- function(db, study, word) or nil, the first argument, the database
local function position(parser, command, words, default)
  local option, place, study, path = nil, 1, nil, default
  for i = 1, #words - 1 do
    local word = words[i]
    if takes_value(option) then
      if option._aliases[1] == "--db" then path = expanded(word) end
      option = nil
    elseif word:find "^%-%-db=" then
      path = expanded(word:match "=(.*)")
    elseif word:find "^%-%-[^=]*=" then
      option = nil
    elseif word:find "^%-" then
      option = option_of(parser, word)
    else
      local argument = parser._arguments[place]
      study = study or word
      place = argument and argument._maxargs > 1 and place or place + 1
    end
  end
  if takes_value(option) then
    return OF_OPTION[option._aliases[#option._aliases]:match "^%-+(.*)"], study, path
  end
  local argument = parser._arguments[math.min(place, #parser._arguments)]
  local is_further = argument and argument._name == "words" and study ~= nil -- tags and remarks
  return argument and not is_further and of_argument(argument, command) or nil, study, path
end

-- Candidates for a value, and the text before them.
local function values_of(make, study, path, word)
  local before = word:match "^(.*,)[^,]*$" or ""
  if make == settings then return make(nil, study, word), "" end
  if make == samplers then return make(), before end
  if sys.exists(path) ~= "file" then return {}, "" end
  local db <close> = assert(require("aniso.prompt.explore.database").open(path, { readonly = true }))
  local is_study = study and require("aniso.store.contents").has_runs(db, study)
  study = is_study and study or nil
  if make == filters then return make(db, study, word), "" end
  return make(db, study, word:sub(#before + 1)), before
end

local function candidates(words, default)
  local command = words[2]
  local parser = cli.parser(command)._commands[1]
  local given, assigned = table.move(words, 3, #words, 1, {}), ""
  local option, value = given[#given]:match "^(%-%-[^=]+)=(.*)$"
  if option then
    given[#given], given[#given + 1], assigned = option, value, option .. "="
  end
  local make, study, path = position(parser, command, given, default)
  if not make then return {}, "" end
  local list, before = values_of(make, study, path, given[#given])
  return list, assigned .. before
end

return function(typed)
  local first, words, default = 1, {}, sys.variable "ANISO_DB" or "runs.db"
  for i, word in ipairs(typed) do
    local given = unquoted(word):match "^ANISO_DB=(.+)"
    if given then default = expanded(given) end
    if unquoted(word):match "[^/]*$" == "aniso" and i < #typed - 1 then first = i end
  end
  for i = first, #typed do words[#words + 1] = unquoted(typed[i]) end
  if #words < 3 then return {} end
  local ok, list, before = pcall(candidates, words, default)
  local out, seen = {}, {}
  for _, one in ipairs(ok and list or {}) do
    one = before .. tostring(one)
    if one:sub(1, #words[#words]) == words[#words] and not seen[one] and sys.visible(one) == one then
      seen[one], out[#out + 1] = true, one
    end
  end
  return out
end
